/**
 * One run: clients work throughout while faults strike, the cluster recovers, it is examined from all sides, and
 * everything that happened is recorded in one file.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../../src/base/reason-of.ts';
import { connect } from '../../src/client/index.ts';
import { surveyAtRest } from '../judge.ts';
import { Load } from '../load.ts';
import { ownerCountOf, statusOf, until, untilReady, type World } from '../world.ts';
import { Bulk } from './bulk.ts';
import { whyLeftOut } from './faults.ts';
import { labelOf } from './fault-spec.ts';
import { Nemesis } from './nemesis.ts';
import { clientAtRest, RunWriter } from './run-file.ts';
import { FORMAT, type NodeSample, type RunHead } from './run-lines.ts';
import type { Scenario } from './scenario.ts';
import { untilStopped } from './scene.ts';

const SAMPLE_EVERY_MS = 500;
const PROGRESS_TIMEOUT_MS = 120_000;
const WRITE_TIMEOUT_MS = 10_000;
/** Milliseconds under load when all is well again, so that anything lost would be noticed. */
const CALM_MS = 2_000;
const TELL_EVERY_MS = 1_000;

export interface RunPlan {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Where the run is recorded. */
  readonly file: string;
  readonly stopped: AbortSignal;
  /** Called once a second with a line about what is happening. */
  readonly tellProgress: (line: string) => void;
}

/** Resolves when the file is complete. No fault is in force any more then. */
export async function runScenario(world: World, plan: RunPlan): Promise<void> {
  const { scenario, seed, stopped } = plan;
  const head = headOf(world, scenario, seed);
  if (head.asked.length === 0) {
    throw new Error(`none of the faults of ${scenario.name} can be had here: ${head.leftOut[0]!.why}`);
  }
  await untilStopped(untilReady(world), stopped);
  const writer = new RunWriter(plan.file);
  writer.write({ is: 'run', ...head });
  const bulk = await Bulk.write(world, scenario.load, stopped, plan.tellProgress);
  const load = makeLoad(world, scenario, writer);
  const nemesis = new Nemesis({
    ...{ world, scenario, seed, stopped },
    faults: scenario.faults.filter((spec) => whyLeftOut(spec, world) === null),
    nowMs: () => load.nowMs(),
    write: (line) => writer.write(line),
  });
  const watch = new Watch(world, load, nemesis, writer, plan.tellProgress);
  load.start();
  watch.start();
  try {
    await nemesis.run();
    await comesBack(world, load, writer, stopped);
    if (!stopped.aborted) await delay(CALM_MS);
  } finally {
    await load.stop();
    watch.stop();
  }
  if (!stopped.aborted) {
    await lookAround(world, load, writer, plan.tellProgress);
    await bulk?.lookUp(world, plan.tellProgress, (line) => writer.write(line));
  }
  writer.write({ is: 'end', atMs: load.nowMs(), stopped: stopped.aborted });
  await writer.close();
}

function headOf(world: World, scenario: Scenario, seed: number): RunHead {
  const leftOut = new Map<string, string>();
  const asked = new Set<string>();
  for (const spec of scenario.faults) {
    const why = whyLeftOut(spec, world);
    if (why === null) asked.add(labelOf(spec));
    else leftOut.set(labelOf(spec), why);
  }
  const network = world.rig?.network ?? null;
  return {
    format: FORMAT,
    scenario: scenario.name,
    about: scenario.about,
    seed,
    startedAt: new Date().toISOString(),
    nodes: world.nodes.map(({ name }) => name),
    ownerCount: ownerCountOf(world),
    operationsMin: scenario.expect.operationsMin,
    faultsMin: scenario.expect.faultsMin ?? 0,
    failuresMax: scenario.expect.failuresMax ?? null,
    mayEnd: scenario.expect.endings,
    ...(network === null ? {} : { wires: network.told }),
    bulkKeys: scenario.load.bulkKeys,
    ...(scenario.expect.movedFactorMax === undefined
      ? {}
      : { movedFactorMax: scenario.expect.movedFactorMax }),
    ...(scenario.expect.steady === undefined ? {} : { steady: scenario.expect.steady }),
    asked: [...asked],
    leftOut: [...leftOut].map(([fault, why]) => ({ fault, why })),
  };
}

function makeLoad(world: World, scenario: Scenario, writer: RunWriter): Load {
  const { load } = scenario;
  const legacy = load.legacy ? (world.rig?.legacy ?? null) : null;
  return new Load(
    world.nodes.map(({ address }) => address),
    {
      prefix: `chaos:${Date.now()}:`,
      clientCount: load.clients,
      readerCount: load.readers,
      registerCount: load.registers,
      counterCount: load.counters,
      restMs: load.restMs,
      conditions: load.conditions,
      retries: load.retries,
      putLegacy: legacy === null ? null : (key, value) => void legacy.data.set(key, value),
      onOperation: (operation) => writer.write({ is: 'operation', ...operation }),
    },
  );
}

/** Every node is complete again, and a write is acknowledged through each. */
async function comesBack(world: World, load: Load, writer: RunWriter, stopped: AbortSignal): Promise<void> {
  if (stopped.aborted) return;
  const fromMs = load.nowMs();
  try {
    await untilStopped(untilReady(world, PROGRESS_TIMEOUT_MS), stopped);
    for (const { name, address } of world.nodes) {
      const client = connect({ nodes: [address] });
      const isWritten = async (): Promise<boolean> => {
        const [key, value] = [`${load.prefix}progress:${name}`, `${name} works`];
        const outcome = await client.set(key, value, { timeoutMs: WRITE_TIMEOUT_MS }).then(
          (version) => ({ kind: 'done', version }) as const,
          () => ({ kind: 'indefinite' }) as const,
        );
        load.note({ key, client: 'progress', call: { kind: 'put', value }, outcome });
        return outcome.kind === 'done';
      };
      await until(`${name} acknowledges a write`, isWritten, PROGRESS_TIMEOUT_MS).finally(() =>
        client.close(),
      );
    }
    writer.write({ is: 'progress', atMs: load.nowMs(), afterMs: load.nowMs() - fromMs });
  } catch (error) {
    const why = reasonOf(error);
    writer.write({ is: 'no-progress', atMs: load.nowMs(), why });
  }
}

async function lookAround(
  world: World,
  load: Load,
  writer: RunWriter,
  tell: RunPlan['tellProgress'],
): Promise<void> {
  const keys = load.keys();
  tell(`looking up ${keys.length} keys at every node and in PostgreSQL`);
  try {
    const survey = await surveyAtRest(world, load.prefix, keys);
    writer.survey(survey, (node, { key, outcome }) =>
      load.note({ key, client: clientAtRest(node), call: { kind: 'get' }, outcome }),
    );
  } catch (error) {
    const why = `it cannot be looked at: ${reasonOf(error)}`;
    writer.write({ is: 'no-progress', atMs: load.nowMs(), why });
  }
}

/** Samples every node again and again, and reports how the run goes. */
class Watch {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly world: World;
  private readonly load: Load;
  private readonly nemesis: Nemesis;
  private readonly writer: RunWriter;
  private readonly tell: (line: string) => void;
  private isSampling = false;
  private endingsTold = 0;
  private readonly known: Set<string>;

  constructor(world: World, load: Load, nemesis: Nemesis, writer: RunWriter, tell: (line: string) => void) {
    this.world = world;
    this.load = load;
    this.nemesis = nemesis;
    this.writer = writer;
    this.tell = tell;
    this.known = new Set(world.nodes.map(({ name }) => name));
  }

  start(): void {
    this.timers.push(setInterval(() => void this.sample(), SAMPLE_EVERY_MS));
    this.timers.push(setInterval(() => this.tellProgress(), TELL_EVERY_MS));
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.noteEndings();
  }

  /** A node that does not answer delays nothing but the next sample. */
  private async sample(): Promise<void> {
    if (this.isSampling) return;
    this.isSampling = true;
    this.noteEndings();
    for (const { name, address } of this.world.nodes) {
      if (!this.known.has(name)) this.load.join(address);
      this.known.add(name);
    }
    const atMs = this.load.nowMs();
    const nodes = await Promise.all(
      this.world.nodes.map(async (node): Promise<NodeSample> => {
        const status = await statusOf(node);
        const { epoch = null, phase = null, leaseHeld = false } = status ?? {};
        return { name: node.name, epoch, phase, leaseHeld };
      }),
    );
    this.writer.write({ is: 'sample', atMs, nodes });
    this.isSampling = false;
  }

  private noteEndings(): void {
    const endings = this.world.rig?.endings ?? [];
    for (const { name, how } of endings.slice(this.endingsTold)) {
      this.writer.write({ is: 'ending', atMs: this.load.nowMs(), name, how });
    }
    this.endingsTold = endings.length;
  }

  private tellProgress(): void {
    const { load, nemesis } = this;
    const inForce = [...nemesis.inForce.values()].join('; ');
    const seconds = Math.round(load.nowMs() / 1_000);
    this.tell(
      `${String(seconds).padStart(4)} s  ${load.succeeded} ok, ${load.failed} failed, ` +
        `${nemesis.struck} faults  ${inForce === '' ? '-' : inForce}`,
    );
  }
}
