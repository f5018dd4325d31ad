/**
 * Many puts at once against a real server: what is reported of each, and which ones are repeated because their outcome
 * is unknown.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { PIPELINE_OPERATIONS_MAX } from '../core/clients/grpc-limits.ts';
import { connect, newOperationId } from './index.ts';
import type { CausewayClient, SetEntry } from './index.ts';

let doors: DoorFixture;
let client: CausewayClient;
beforeEach(async () => {
  doors = await openDoors();
  client = connect({ nodes: [doors.address], timeoutMs: 3_000, operationIds: true });
});
afterEach(async () => {
  client.close();
  await doors.stop();
});

const entries = (...keys: string[]): SetEntry[] => keys.map((key) => ({ key, value: 'v' }));
const putsOf = (key: string): number =>
  doors.api.calls.filter((call) => call.kind === 'put' && call.key === key).length;

test('answers of some are lost: these alone are put again, under their ids, and all are told as done', async () => {
  doors.api.loseAnswers = 2;
  const outcomes = await client.setMany(entries('a', 'b', 'c'));
  const versions = ['a', 'b', 'c'].map((key) => doors.api.records.get(key)!.version);
  expect(outcomes).toEqual(versions.map((result) => ({ ok: true, result })));
  expect(['a', 'b', 'c'].map(putsOf)).toEqual([2, 2, 1]);
  expect(doors.api.records.changes).toBe(3);
});

test('an entry has an id of its own, and another has none: it is told that nobody knows, and is not put again', async () => {
  const plain = connect({ nodes: [doors.address], timeoutMs: 3_000 });
  doors.api.loseAnswers = 2;
  const [named, unnamed] = entries('named', 'unnamed');
  const outcomes = await plain.setMany([unnamed!, { ...named!, operationId: newOperationId() }]);
  plain.close();
  expect(outcomes).toMatchObject([{ ok: false, error: { certainty: 'indefinite' } }, { ok: true }]);
  expect([putsOf('unnamed'), putsOf('named')]).toEqual([1, 2]);
});

test('one is refused for certain: told at once, and not put again', async () => {
  doors.api.refuses = ({ key }) => key === 'b';
  const refused = await client.setMany(entries('a', 'b'));
  expect(refused).toMatchObject([{ ok: true }, { ok: false, error: { certainty: 'definite' } }]);
  expect(putsOf('b')).toBe(1);
});

test('nobody ever knows: put again until the time is over, and then each is told so', async () => {
  await client.setMany(entries('warm'));
  doors.api.failWith = 'outcome_unknown';
  const outcomes = await client.setMany(entries('a', 'b'), { timeoutMs: 1_500 });
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ ok: false, error: { certainty: 'indefinite' } });
  expect(putsOf('a')).toBeGreaterThan(1);
});

test('more than one call takes: each once, in the order of the entries', async () => {
  const keys = Array.from({ length: PIPELINE_OPERATIONS_MAX + 1 }, (_, at) => `k${at}`);
  const outcomes = await client.setMany(entries(...keys));
  const versions = keys.map((key) => doors.api.records.get(key)!.version);
  expect(outcomes).toEqual(versions.map((result) => ({ ok: true, result })));
  expect(doors.api.calls).toHaveLength(keys.length);
});
