/** A slot that is compared with PostgreSQL piece by piece, while the allowance for it comes and goes. */
import { expect, test } from 'vitest';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import { makeVersion } from '../../core/version.ts';
import type { CommitResult, RecordRow, RowVersion } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { SlotDrive } from './slot-drive.ts';
import type { SlotDriveParts } from './slot-drive.ts';

const SLOT = 7;

function sealedOf(key: string) {
  return sealRecord({
    ...{ key, version: makeVersion(5, 1), value: new Uint8Array(1), tombstone: false, expiresAt: 0 },
    ...{ createdAt: 0, updatedAt: 0, origin: ORIGIN_CLIENT, operationId: null, contentType: null },
  });
}

/** Each key is a piece of its own, and PostgreSQL has no rows. It answers when it is told to. */
function driving(keys: readonly string[]) {
  const world = { mayAsk: true, committed: [] as string[], end: '' };
  const asked: { readonly after: string; readonly answer: () => void }[] = [];
  const parts = {
    ...{ slot: SLOT, life: 1, floor: 0, pastFloor: 0, passInFlight: false, deleteUnasked: false },
    ...{ waits: new Map(), held: new Set(), isCurrent: () => world.end === '', writesThrough: () => true },
    storage: {
      scan: (from: string, ...[, , , done]: [unknown, unknown, unknown, (e: null, of: object[]) => void]) => {
        const key = keys.find((each) => recordKey(SLOT, each) >= from);
        done(null, key === undefined ? [] : [{ key: recordKey(SLOT, key), value: sealedOf(key).bytes }]);
      },
    },
    systemOfRecord: {
      versionsOf: (_slot: number, after: string, _max: number, done: (e: null, of: RowVersion[]) => void) =>
        asked.push({ after, answer: () => done(null, []) }),
      commit: (_life: number, rows: RecordRow[], done: (e: null, results: CommitResult[]) => void) => {
        world.committed.push(...rows.map(({ record }) => record.key));
        done(
          null,
          rows.map(() => ({ kind: 'committed' })),
        );
      },
    },
    shelf: { load: sealedOf },
    replica: { stateOf: () => undefined },
    spent: () => world.mayAsk,
    ...{ onDriven: () => undefined, onConflict: () => undefined, onKeptOut: () => false },
    onEnd: (end: string) => (world.end = end),
  };
  const drive = new SlotDrive(parts as unknown as SlotDriveParts);
  /** PostgreSQL answers the question it got last. */
  const answerLast = (): void => asked.pop()!.answer();
  drive.begin();
  return { world, drive, asked, answerLast };
}

test('there is allowance again while PostgreSQL is still asked about a piece: the next one waits for the answer', () => {
  const { world, drive, asked, answerLast } = driving(['a', 'b']);
  world.mayAsk = false;
  answerLast();
  drive.goOn();
  expect(asked).toHaveLength(1);
  drive.goOn();
  drive.goOn();
  expect(asked).toHaveLength(1);
  while (world.end === '') {
    if (asked.length > 0) answerLast();
    drive.goOn();
  }
  expect(world).toMatchObject({ end: 'done', committed: ['a', 'b'] });
});

test('no allowance is left: it goes on once there is some', () => {
  const { world, drive, asked, answerLast } = driving(['a', 'b', 'c']);
  world.mayAsk = false;
  answerLast();
  answerLast();
  expect(asked).toHaveLength(0);
  world.mayAsk = true;
  drive.goOn();
  answerLast();
  expect(world).toMatchObject({ end: 'done', committed: ['a', 'b', 'c'] });
});
