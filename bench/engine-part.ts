/**
 * The engine without clients: durable puts issued at all three nodes, and local reads. The cost of a put is also given
 * in core time, which determines the rate on a machine with fewer cores than processes.
 */
import { KEY_COUNT } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import type { Meter } from './port-meters.ts';
import type { Measure } from './report.ts';
import { quantile, sum, watchCores } from './statistics.ts';
import type { World } from './world.ts';

const PUT_RATE_MIN = 20_000;
const GET_HOT_RATE_MIN = 400_000;
const GET_STORE_RATE_MIN = 150_000;
/**
 * Milliseconds until the compiler has finished optimising the write path; before that it takes a tenth of the machine.
 */
const WARM_UP_MS = 10_000;
const MICROSECONDS_PER_MS = 1000;

export async function enginePart(world: World): Promise<Measure[]> {
  const forMs = world.quick ? 2_000 : 8_000;
  const nodes = await startNodes(world, { command: 'engine-node' });
  try {
    await nodes.orderAll({
      kind: 'put',
      inFlight: 170,
      keyCount: KEY_COUNT,
      forMs: world.quick ? 2_000 : WARM_UP_MS,
    });
    await nodes.order('node-1', { kind: 'load', inFlight: 500, from: 0, to: KEY_COUNT });
    const measures = [
      ...(await puts(nodes, 512, forMs, PUT_RATE_MIN)),
      ...(await puts(nodes, 48, forMs, undefined)),
    ];
    const read = { kind: 'get', keyCount: KEY_COUNT, forMs: forMs / 4 } as const;
    await nodes.order('node-1', read);
    const hot = await nodes.order('node-1', read);
    await nodes.stop('node-3');
    // A cache of size zero holds no record: every read goes to the store, whose files are in the system's page cache.
    nodes.start('node-3', 0);
    await nodes.untilReady();
    await nodes.order('node-3', read);
    const stored = await nodes.order('node-3', read);
    const failed = hot.failed + stored.failed;
    return [
      ...measures,
      rate('local get, hot', (hot.count / hot.ms) * 1000, GET_HOT_RATE_MIN),
      rate('local get, from the store', (stored.count / stored.ms) * 1000, GET_STORE_RATE_MIN),
      {
        part: 'engine',
        name: 'local gets without an answer',
        value: failed,
        unit: '',
        target: { atMost: 0 },
      },
    ];
  } finally {
    await nodes.close();
  }
}

async function puts(
  nodes: NodeProcesses,
  inFlight: number,
  forMs: number,
  rateMin: number | undefined,
): Promise<Measure[]> {
  const share = Math.round(inFlight / nodes.nodes.length);
  const busy = watchCores();
  const answers = await nodes.orderAll({ kind: 'put', inFlight: share, keyCount: KEY_COUNT, forMs });
  const cores = busy();
  const count = sum(answers.map((answer) => answer.count));
  const ms = Math.max(...answers.map((answer) => answer.ms));
  const latencies = answers.flatMap((answer) => answer.latenciesMs);
  const cpuMs = sum(answers.map((answer) => answer.cpuMs));
  const named = `durable put, ${inFlight} in flight`;
  const part = 'engine';
  const failed = sum(answers.map((answer) => answer.failed));
  return [
    rate(named, (count / ms) * 1000, rateMin),
    { part, name: `${named}: median`, value: quantile(latencies, 0.5), unit: 'ms' },
    { part, name: `${named}: 99 %`, value: quantile(latencies, 0.99), unit: 'ms' },
    { part, name: `${named}: of the nodes`, value: (cpuMs / count) * MICROSECONDS_PER_MS, unit: 'µs core' },
    { part, name: `${named}: busy, whole machine`, value: cores, unit: 'cores' },
    ...meters(
      named,
      'store batch',
      answers.map((answer) => answer.store),
    ),
    ...meters(
      named,
      'statement',
      answers.map((answer) => answer.record),
    ),
    {
      part,
      name: `${named}: frames between nodes`,
      value: sum(answers.map(({ frames }) => frames.calls)) / count,
      unit: 'a put',
    },
    {
      part,
      name: `${named}: turns of event loops`,
      value: sum(answers.map(({ turns }) => turns)) / count,
      unit: 'a put',
    },
    ...(failed === 0 ? [] : [{ part, name: `${named}: failed`, value: failed, unit: '' }]),
  ];
}

function meters(named: string, what: string, all: readonly Meter[]): Measure[] {
  const calls = sum(all.map((meter) => meter.calls));
  const part = 'engine';
  return [
    { part, name: `${named}: ${what}`, value: sum(all.map((meter) => meter.items)) / calls, unit: 'items' },
    { part, name: `${named}: ${what}`, value: sum(all.map((meter) => meter.ms)) / calls, unit: 'ms' },
  ];
}

function rate(name: string, value: number, min: number | undefined): Measure {
  return {
    part: 'engine',
    name,
    value,
    unit: '/s',
    target: min === undefined ? undefined : { atLeast: min },
  };
}
