/**
 * Chaos: clients work all the time while one random node after the other is killed with kill -9, comes back as an
 * owner, and the next is killed; now and then one is killed while the one before is still a learner.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { judge, SUCCEEDED_MIN } from './judge.ts';
import { Load, LOAD_PLAN_DEFAULT } from './load.ts';
import type { Report, RunOptions } from './options.ts';
import { isReady, statusOf, untilReady, type World, type WorldNode } from './world.ts';

export const KILLS_MIN = 8;
/** Milliseconds between everyone being an owner again and the next kill. */
const CALM_MS_MIN = 300;
const CALM_MS_MAX = 1_200;
/** The kills that were asked for may take this much longer than the time that was asked for. */
const OVERTIME_FACTOR = 3;
const LEARNER_TIMEOUT_MS = 20_000;
const LEARNER_POLL_MS = 5;
/** One in so many kills waits for a learner; until one was met, all do. */
const LEARNER_KILL_EVERY = 3;

interface Kills {
  total: number;
  /** While another node was a learner, before and after. */
  besideLearner: number;
  readonly byNode: Map<string, number>;
}

export async function runChaos(world: World, { seconds, tell }: RunOptions): Promise<Report> {
  await untilReady(world);
  const load = new Load(
    world.nodes.map(({ address }) => address),
    { ...LOAD_PLAN_DEFAULT, prefix: `verify:chaos:${Date.now()}:` },
  );
  const kills: Kills = { total: 0, besideLearner: 0, byNode: new Map() };
  load.start();
  try {
    await injectFaults(world, kills, load, seconds * 1_000, tell);
  } finally {
    await load.stop();
  }
  const judged = await judge(world, load, tell);
  const faults = [...judged.faults, ...missing(kills, load)];
  const byNode = [...kills.byNode].sort().map(([name, count]) => `${name} ${count}`);
  return {
    verdict: faults.length === 0 ? 'passed' : 'failed',
    faults,
    told: [
      `kills        ${kills.total} with kill -9 (${byNode.join(', ')}), ${kills.besideLearner} while another node was a learner`,
      ...judged.told,
    ],
    figures: {
      nodes: world.nodes.length,
      kills: kills.total,
      killsBesideLearner: kills.besideLearner,
      ...judged.figures,
    },
  };
}

/** A run that did not do what it is for has not passed. */
export function missing(
  kills: Pick<Kills, 'total' | 'besideLearner'>,
  load: Pick<Load, 'succeeded'>,
): string[] {
  const faults: string[] = [];
  if (load.succeeded < SUCCEEDED_MIN) {
    faults.push(`only ${load.succeeded} operations succeeded, at least ${SUCCEEDED_MIN} must`);
  }
  if (kills.total < KILLS_MIN) faults.push(`only ${kills.total} kills were made, at least ${KILLS_MIN} must`);
  if (kills.besideLearner === 0) faults.push('no node was killed while another was a learner');
  return faults;
}

async function injectFaults(
  world: World,
  kills: Kills,
  load: Load,
  lastsMs: number,
  tell: RunOptions['tell'],
): Promise<void> {
  const startedAt = performance.now();
  const isOver = (): boolean => {
    const passedMs = performance.now() - startedAt;
    if (passedMs > lastsMs * OVERTIME_FACTOR) return true;
    return passedMs >= lastsMs && kills.total >= KILLS_MIN && kills.besideLearner > 0;
  };
  while (!isOver()) {
    await delay(randomInt(CALM_MS_MIN, CALM_MS_MAX));
    const first = anyOf(world.nodes);
    await kill(world, kills, first);
    const wantsLearner = kills.besideLearner === 0 || randomInt(LEARNER_KILL_EVERY) === 0;
    if (wantsLearner && world.nodes.length > 1 && (await becomesLearner(first))) {
      await kill(world, kills, anyOf(world.nodes.filter((node) => node !== first)));
      if (await isLearner(first)) kills.besideLearner += 1;
    }
    await untilReady(world);
    const passed = Math.round((performance.now() - startedAt) / 1_000);
    tell(
      `${String(passed).padStart(4)} s: ${kills.total} kills, ${load.succeeded} operations, ` +
        `longest stall ${Math.round(load.stallMsMax)} ms`,
    );
  }
}

async function kill(world: World, kills: Kills, { name }: WorldNode): Promise<void> {
  await world.kill([name]);
  kills.total += 1;
  kills.byNode.set(name, (kills.byNode.get(name) ?? 0) + 1);
}

/** False: it was an owner again before anyone could look. */
async function becomesLearner(node: WorldNode): Promise<boolean> {
  const deadline = performance.now() + LEARNER_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (await isLearner(node)) return true;
    if (await isReady(node.httpPort)) return false;
    await delay(LEARNER_POLL_MS);
  }
  return false;
}

async function isLearner(node: WorldNode): Promise<boolean> {
  const status = await statusOf(node);
  return status?.phase === 'learning';
}

function anyOf(nodes: readonly WorldNode[]): WorldNode {
  return nodes[randomInt(nodes.length)]!;
}
