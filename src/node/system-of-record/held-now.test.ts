/** What counts as in flight when PostgreSQL refuses a row. The consequences: `sim/gone-back.test.ts`. */
import { expect, test } from 'vitest';
import { judgeKeptOut } from '../../core/system-of-record/record-floors.ts';
import type { KeptOutVerdict } from '../../core/system-of-record/record-floors.ts';
import { forgottenDeletion } from '../../core/system-of-record/record-drive.ts';
import { restingState } from '../../core/replication/key-state.ts';
import type { KeyState } from '../../core/replication/key-state.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { makeVersion } from '../../core/version.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { heldNow } from './held-now.ts';

const DELETION = forgottenDeletion('key', makeVersion(3, 1));
const SEALED = sealRecord({ ...DELETION, tombstone: false, value: Buffer.from('left') });
const AT_REST = restingState('key', 0, SEALED, 0);

/** The disk holds the value, and its floor is lower than the one that PostgreSQL tells. */
function verdictOn(state: KeyState | undefined): KeptOutVerdict {
  const replica = { view: { row: () => ({ owns: true }) }, stateOf: () => state };
  const shelf = { load: () => SEALED };
  const held = heldNow(replica as unknown as Replica, shelf as unknown as RecordShelf, 0, 'key');
  return judgeKeptOut(SEALED.record.version, held, { own: 0, told: 5, leaseHeld: true });
}

test('a disk has gone back: what is at rest there waits until it was looked at, whatever waits on it', () => {
  expect(verdictOn(undefined)).toBe('again');
  expect(verdictOn({ ...AT_REST, fetching: true })).toBe('again');
});

test('what is in flight is finished like any other write', () => {
  expect(verdictOn({ ...AT_REST, valid: false })).toBe('knowing');
  expect(verdictOn({ ...AT_REST, round: {} as KeyState['round'] })).toBe('knowing');
});
