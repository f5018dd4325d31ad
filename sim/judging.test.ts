/** The cost of judging conditions is bounded per tick, so that no turn of the event loop gets long. */
import { expect, it } from 'vitest';
import { TICK_MS, TURN_WORK_BYTES_MAX, VALUE_BYTES_MAX } from '../src/core/limits.ts';
import type { WriteOperation } from '../src/core/operation.ts';
import { SLOT, KEY, KEY_BESIDE, Scenario } from './scenario.ts';

const LARGE = new Uint8Array(VALUE_BYTES_MAX);
/** How many large values can be compared in one tick, if they differ only in their last byte. */
const IN_ONE_TICK = TURN_WORK_BYTES_MAX / (VALUE_BYTES_MAX * 8);
const ASKED = 3 * IN_ONE_TICK;

function asking(
  world: Scenario,
  keys: readonly string[],
): { readonly told: string[]; readonly ask: (count: number) => void; readonly put: (key: string) => void } {
  const replica = world.abc[0].replica!;
  const told: string[] = [];
  const write = (operation: WriteOperation): void =>
    replica.write(
      {
        operation,
        ...{ readsLegacy: false, isLegacyUnheard: false, begun: false, answered: false, retries: 0 },
        answer: (result) => told.push(result.kind),
      },
      SLOT,
    );
  const other = new Uint8Array(VALUE_BYTES_MAX);
  other[VALUE_BYTES_MAX - 1] = 1;
  const put = (key: string): void => {
    write({ kind: 'put', key, value: LARGE, ttlMs: 0, operationId: null });
    world.settle();
  };
  for (const key of keys) put(key);
  const ask = (count: number): void => {
    for (let at = 0; at < count; at += 1) {
      const key = keys[at % keys.length]!;
      const expected = { kind: 'value', value: other } as const;
      write({ kind: 'compareAndDelete', key, expect: expected, operationId: null });
    }
  };
  return { told, ask, put };
}

it.each([[[KEY]], [[KEY, KEY_BESIDE]]])(
  'more than one turn judges, of keys %j: some is answered now, the rest by the ticks that follow',
  (keys) => {
    const world = new Scenario({});
    world.pass(TICK_MS);
    const { told, ask } = asking(world, keys);
    told.length = 0;
    ask(ASKED);
    world.settle();
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(IN_ONE_TICK);
    world.pass(TICK_MS);
    expect(told.length).toBeLessThanOrEqual(2 * IN_ONE_TICK);
    world.pass(3 * TICK_MS);
    expect(told).toEqual(Array.from({ length: ASKED }, () => 'conditionFailed'));
  },
);

it('as much was judged as one turn may: a value that is set whatever stands does not wait', () => {
  const world = new Scenario({});
  world.pass(TICK_MS);
  const { told, ask, put } = asking(world, [KEY]);
  told.length = 0;
  ask(ASKED);
  world.settle();
  const before = told.length;
  expect(before).toBeLessThan(ASKED);
  put(KEY_BESIDE);
  expect(told.slice(before)).toEqual(['done']);
});

it('nothing native stands, and the legacy source was not heard: no condition is judged, and it is asked first', () => {
  const world = new Scenario({});
  const told: string[] = [];
  const ask = (isLegacyUnheard: boolean): void => {
    const expected = { kind: 'absent' } as const;
    const rest = { expect: expected, value: LARGE.subarray(0, 1), ttlMs: 0, operationId: null };
    world.abc[0].replica!.write(
      {
        operation: { kind: 'compareAndPut', key: KEY, ...rest },
        ...{ readsLegacy: true, isLegacyUnheard, begun: false, answered: false, retries: 0 },
        answer: (result) => told.push(result.kind === 'failed' ? result.failure.code : result.kind),
      },
      SLOT,
    );
    world.settle();
  };
  for (const isLegacyUnheard of [true, false, true]) ask(isLegacyUnheard);
  expect(told).toEqual(['not_ready', 'done', 'conditionFailed']);
});
