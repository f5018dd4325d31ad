/** The last minutes of the charts: what is added up, what is not, and gaps where nothing is known. */
import { expect, test } from 'vitest';
import type { LiveFacts, LiveNode, LiveRates, LiveSnapshot } from '../src/servers/http/live-shape.ts';
import { columnsOf, SHOWN_MS, slowestP99, total, typicalP50, withSample } from './history.ts';
import type { Sample } from './history.ts';

const rates = (reads: number): LiveRates => ({
  reads,
  writes: 1,
  failures: 0,
  staleReads: 0,
  legacyCalls: 0,
});
const at = (seconds: number, ...told: (Partial<LiveFacts> | null)[]): LiveSnapshot => {
  const nodes = told.map((facts, index) => ({ name: `node-${index}`, told: facts }) as LiveNode);
  return { at: seconds * 1_000, asked: 'node-0', cluster: null, nodes };
};
const all = (...told: LiveSnapshot[]): readonly Sample[] =>
  told.reduce<readonly Sample[]>((samples, one) => withSample(samples, one), []);

test('rates of all nodes that tell are added; where none tells, nothing is drawn', () => {
  const samples = all(at(1, { rates: rates(5) }, null, { rates: rates(7) }), at(2, null, { rates: null }));
  expect(columnsOf(samples, [total('reads')])).toEqual([
    [1, 2],
    [12, null],
  ]);
});

test('a pause: a gap, not a line across it', () => {
  const samples = all(at(1, { rates: rates(5) }), at(2, { rates: rates(6) }), at(9, { rates: rates(7) }));
  expect(columnsOf(samples, [total('reads')])).toEqual([
    [1, 2, 2.001, 9],
    [5, 6, null, 7],
  ]);
});

test('told twice, by a node that was left and found again: once; long ago: forgotten', () => {
  const samples = all(at(1, {}), at(2, {}), at(1, {}), at(2, {}), at(3, {}));
  expect(samples.map((one) => one.at)).toEqual([1_000, 2_000, 3_000]);
  expect(withSample(samples, at(2 + SHOWN_MS / 1_000, {})).map((one) => one.at)).toEqual([3_000, 182_000]);
});

test('a clock that was set back by far: the charts begin anew', () => {
  const samples = all(at(1_000, {}), at(1_001, {}), at(5, {}));
  expect(samples.map((one) => one.at)).toEqual([5_000]);
});

test('percentiles: the slowest node’s, and the one in the middle of all operations', () => {
  const quantiles = (p50: number, p99: number, count: number): Partial<LiveFacts> => ({
    readMs: { p50, p99, count },
  });
  const [sample] = all(at(1, quantiles(1, 9, 10), quantiles(2, 7, 100), quantiles(50, 60, 1), null));
  expect(slowestP99('readMs')(sample!)).toBe(60);
  expect(typicalP50('readMs')(sample!)).toBe(2);
  expect(slowestP99('writeMs')(sample!)).toBeNull();
});
