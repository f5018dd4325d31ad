/**
 * A node is killed with kill -9 while the cluster runs at 70 % of its capacity. Measures, for a sample of slots, how
 * long it takes until a write that began after the kill is acknowledged. Meanwhile keys at rest are read at the
 * survivors, and every failed read counts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../src/client/index.ts';
import type { CausewayClient } from '../src/client/index.ts';
import type { Pipeline } from '../src/client/pipeline.ts';
import { benchValue, randomKey } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import { loadKeys, rateOf } from './pipeline-part.ts';
import type { Measure } from './report.ts';
import { median } from './statistics.ts';
import type { World } from './world.ts';

const LOAD_SHARE = 0.7;
const OUTAGE_MS_MAX = 1_500;
const SLOTS_SAMPLED = 128;
const TICK_MS = 5;
const READS_PER_TICK = 5;
const PROBE_TIMEOUT_MS = 10_000;
const PROBE_PAUSE_MS = 5;
/** Milliseconds under load before the kill, and after everything is acknowledged again. */
const BEFORE_MS = 700;
const AFTER_MS = 300;

export async function failoverPart(world: World): Promise<Measure[]> {
  const kills = world.quick ? 3 : 20;
  const nodes = await startNodes(world, { command: 'node' });
  const worst: number[] = [];
  let failedReads = 0;
  let reads = 0;
  let loadRate = 0;
  try {
    const top = await topRate(nodes);
    loadRate = top * LOAD_SHARE;
    for (let kill = 0; kill < kills; kill += 1) {
      const victim = nodes.nodes[kill % nodes.nodes.length]!.name;
      const outcome = await killOnce(nodes, victim, loadRate);
      worst.push(outcome.worstMs);
      failedReads += outcome.failedReads;
      reads += outcome.reads;
      nodes.start(victim);
      await nodes.untilReady();
    }
  } finally {
    await nodes.close();
  }
  const part = 'failover';
  const target = { atMost: OUTAGE_MS_MAX };
  return [
    { part, name: 'load at the kill', value: loadRate, unit: 'puts/s' },
    { part, name: `${kills} kills, all slots write again: median`, value: median(worst), unit: 'ms' },
    {
      part,
      name: `${kills} kills, all slots write again: worst`,
      value: Math.max(...worst),
      unit: 'ms',
      target,
    },
    {
      part,
      name: `${kills} kills: took longer than the target`,
      value: worst.filter((ms) => ms > OUTAGE_MS_MAX).length,
      unit: 'kills',
    },
    { part, name: 'reads at survivors', value: reads, unit: '' },
    { part, name: 'reads at survivors that failed', value: failedReads, unit: '', target: { atMost: 0 } },
  ];
}

async function topRate(nodes: NodeProcesses): Promise<number> {
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  const pipelines = await Promise.all(clients.map((client) => client.pipeline()));
  await loadKeys(pipelines);
  await rateOf(pipelines, 300, 1_500);
  const top = await rateOf(pipelines, 300, 3_000);
  for (const client of clients) client.close();
  return top;
}

interface Outcome {
  readonly worstMs: number;
  readonly reads: number;
  readonly failedReads: number;
}

async function killOnce(nodes: NodeProcesses, victim: string, loadRate: number): Promise<Outcome> {
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  const survivors = clients.filter((_, at) => nodes.nodes[at]!.name !== victim);
  const probeKeys = await loadProbes(survivors[0]!);
  const pipelines = await Promise.all(clients.map((client) => client.pipeline({ unansweredMax: 4_000 })));
  const load = startLoad(pipelines, loadRate);
  await delay(BEFORE_MS);
  const reader = startReads(survivors);
  const killedAt = performance.now();
  void nodes.kill(victim);
  const probes = probeKeys.map((key, at) => probe(survivors[at % survivors.length]!, key, killedAt));
  const worstMs = Math.max(...(await Promise.all(probes)));
  await delay(AFTER_MS);
  const readOutcome = await reader.stop();
  load.stop();
  for (const client of clients) client.close();
  return { worstMs, ...readOutcome };
}

/** Keys that the load does not touch, far apart in the slots, because CRC-16 spreads neighbouring names. */
async function loadProbes(client: CausewayClient): Promise<string[]> {
  const keys = Array.from({ length: SLOTS_SAMPLED }, (_, at) => `probe:${at}`);
  await client.setMany(keys.map((key) => ({ key, value: benchValue() })));
  return keys;
}

/** Milliseconds from the kill until a write of this key was acknowledged. */
async function probe(client: CausewayClient, key: string, killedAt: number): Promise<number> {
  for (;;) {
    try {
      await client.set(key, benchValue(), { timeoutMs: PROBE_TIMEOUT_MS });
      return performance.now() - killedAt;
    } catch (error) {
      if (performance.now() - killedAt > PROBE_TIMEOUT_MS) throw error;
      await delay(PROBE_PAUSE_MS);
    }
  }
}

/** Open loop: sends at the given rate, whether or not earlier operations were answered. */
function startLoad(pipelines: readonly Pipeline[], perSecond: number): { stop: () => void } {
  let sent = 0;
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    // An operation is refused if too many wait already or the node is gone; neither is what is measured here.
    for (; sent < due; sent += 1)
      pipelines[sent % pipelines.length]!.set(randomKey(), benchValue()).catch(() => undefined);
  }, TICK_MS);
  return { stop: () => clearInterval(timer) };
}

function startReads(survivors: readonly CausewayClient[]): {
  stop: () => Promise<Omit<Outcome, 'worstMs'>>;
} {
  let reads = 0;
  let failedReads = 0;
  const open = new Set<Promise<void>>();
  const readOne = async (): Promise<void> => {
    reads += 1;
    try {
      const value = await survivors[reads % survivors.length]!.get(randomKey(), {
        timeoutMs: PROBE_TIMEOUT_MS,
      });
      if (value === undefined) failedReads += 1;
    } catch {
      failedReads += 1;
    }
  };
  const timer = setInterval(() => {
    for (let read = 0; read < READS_PER_TICK; read += 1) {
      const one = readOne().finally(() => open.delete(one));
      open.add(one);
    }
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      return { reads, failedReads };
    },
  };
}
