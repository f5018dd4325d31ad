/**
 * One hot key: durable increments of a single key at all three nodes, while it is read and other keys are written; and
 * the same writes without the hot key, for comparison.
 */
import { KEY_COUNT } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { NodeProcesses } from './node-processes.ts';
import type { Measure } from './report.ts';
import { quantile, sum } from './statistics.ts';
import type { World } from './world.ts';

const INCREMENT_RATE_MIN = 5_000;
const IN_FLIGHT = 170;
const PUTS_IN_FLIGHT = 4;

export async function hotPart(world: World): Promise<Measure[]> {
  const forMs = world.quick ? 2_000 : 8_000;
  const nodes = await startNodes(world, { command: 'engine-node' });
  try {
    await run(nodes, IN_FLIGHT, forMs);
    const alone = await run(nodes, 0, forMs);
    const hot = await run(nodes, IN_FLIGHT, forMs);
    const measure = (name: string, value: number, unit: string, target?: Measure['target']): Measure => ({
      ...{ part: 'hot', name, value, unit, target },
    });
    return [
      measure('increments of one key, 510 in flight', hot.rate, '/s', { atLeast: INCREMENT_RATE_MIN }),
      measure('the same: median', quantile(hot.latenciesMs, 0.5), 'ms'),
      measure('the same: 99 %', quantile(hot.latenciesMs, 0.99), 'ms'),
      measure('the same: of the nodes', (hot.cpuMs / hot.count) * 1000, 'µs core'),
      measure('its readers: median', quantile(hot.readsMs, 0.5), 'ms'),
      measure('its readers: 99 %', quantile(hot.readsMs, 0.99), 'ms'),
      measure('puts of other keys beside it: median', quantile(hot.putsMs, 0.5), 'ms'),
      measure('the same without it: median', quantile(alone.putsMs, 0.5), 'ms'),
      measure('without an answer of their own', hot.failed + alone.failed, '', { atMost: 0 }),
    ];
  } finally {
    await nodes.close();
  }
}

async function run(nodes: NodeProcesses, inFlight: number, forMs: number) {
  const order = { kind: 'hot', inFlight, putsInFlight: PUTS_IN_FLIGHT, keyCount: KEY_COUNT, forMs } as const;
  const answers = await nodes.orderAll(order);
  const ms = Math.max(...answers.map((answer) => answer.ms));
  return {
    rate: (sum(answers.map((answer) => answer.count)) / ms) * 1000,
    count: sum(answers.map((answer) => answer.count)),
    cpuMs: sum(answers.map((answer) => answer.cpuMs)),
    failed: sum(answers.map((answer) => answer.failed)),
    latenciesMs: answers.flatMap((answer) => answer.latenciesMs),
    readsMs: answers.flatMap((answer) => answer.readsMs ?? []),
    putsMs: answers.flatMap((answer) => answer.putsMs ?? []),
  };
}
