/**
 * The cost of metrics and of the slow-operation log: the same durable puts at the same three nodes, alternately with
 * and without the instruments, in pairs whose order alternates, so that a warm cache or a busy neighbour favours
 * neither. The same processes do both, because two builds or two clusters differ by more than the effect to be
 * measured. While the instruments are on, each node is asked for its metrics once a second, far more often than
 * Prometheus would.
 */
import { KEY_COUNT } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import type { Measure } from './report.ts';
import { median, sum } from './statistics.ts';
import type { World } from './world.ts';

const PAIRS = 20;
const PAIRS_QUICK = 6;
const SHARE_MAX = 3;
const SCRAPE_MS_MAX = 10;
const IN_FLIGHT = 170;
const WARM_UP_MS = 10_000;

export async function observabilityPart(world: World): Promise<Measure[]> {
  const pairs = world.quick ? PAIRS_QUICK : PAIRS;
  const forMs = world.quick ? 1_000 : 3_000;
  const nodes = await startNodes(world, { command: 'engine-node' });
  try {
    await costOf(nodes, true, world.quick ? 3_000 : WARM_UP_MS);
    await costOf(nodes, false, forMs);
    const shares: number[] = [];
    const costs: number[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const isFirst = pair % 2 === 0;
      const first = await costOf(nodes, isFirst, forMs);
      const second = await costOf(nodes, !isFirst, forMs);
      const [withThem, without] = isFirst ? [first, second] : [second, first];
      shares.push((withThem / without - 1) * 100);
      costs.push(without);
    }
    const scrapes = await nodes.orderAll({ kind: 'scrape', times: 50 });
    const [low, high] = intervalOfMedian(shares);
    const part = 'observability';
    return [
      {
        ...{ part, name: 'metrics and logs, of a durable put', value: median(shares), unit: '%' },
        target: { atMost: SHARE_MAX },
        note: `median of ${pairs} pairs, ${low.toFixed(1)} to ${high.toFixed(1)} % (95 %)`,
      },
      { part, name: 'a durable put without them, all nodes', value: median(costs), unit: 'µs core' },
      {
        ...{
          part,
          name: 'one scrape',
          value: median(scrapes.flatMap((each) => each.latenciesMs)),
          unit: 'ms',
        },
        target: { atMost: SCRAPE_MS_MAX },
      },
    ];
  } finally {
    await nodes.close();
  }
}

/** CPU microseconds that all nodes together spend on one put. */
async function costOf(nodes: NodeProcesses, isOn: boolean, forMs: number): Promise<number> {
  await nodes.orderAll({ kind: 'instruments', isOn });
  const answers = await nodes.orderAll({ kind: 'put', inFlight: IN_FLIGHT, keyCount: KEY_COUNT, forMs });
  const cpuMs = sum(answers.map((answer) => answer.cpuMs));
  return (cpuMs / sum(answers.map((answer) => answer.count))) * 1000;
}

/**
 * The true median lies between these two values of the sample with 95 % certainty, whatever the distribution: the
 * number of values below it, of n, is binomial.
 */
function intervalOfMedian(values: readonly number[]): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  // The probability of at most `below` values under the median, summed up until it would exceed one in forty.
  let chance = 0.5 ** count;
  let term = chance;
  let below = 0;
  while (below < count / 2 - 1) {
    term *= (count - below) / (below + 1);
    if (chance + term > 0.025) break;
    chance += term;
    below += 1;
  }
  return [sorted[below]!, sorted[count - 1 - below]!];
}
