/** Rows that wait for PostgreSQL when another life of the cluster begins: their marks must not wait for ever. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { makeVersion } from '../../core/version.ts';
import type { CommitResult, RecordRow } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { RecordWriter } from '../system-of-record/record-writer.ts';
import { SpoolDrain } from './drain.ts';
import type { SpoolDrainParts } from './drain.ts';
import { SpoolMarks, SpoolTally } from './marks.ts';

const KEY = 'key';
const SLOT = slotOf(KEY);
const HELD = sealRecord({
  ...{ key: KEY, version: makeVersion(5, 1), value: new Uint8Array(1), tombstone: false, expiresAt: 0 },
  ...{ createdAt: 0, updatedAt: 0, origin: ORIGIN_CLIENT, operationId: null, contentType: null },
});
const TELEMETRY = { event: () => undefined, count: () => undefined };

function viewOf(life: number) {
  return { selfId: 1, topology: { life }, row: () => ({ owns: true, first: 1, others: [] }) };
}

/** One marked record. PostgreSQL answers a statement when it is told to. */
function draining() {
  const clock = handClock();
  const world = { view: viewOf(1) };
  const sent: { readonly life: number; readonly answer: () => void }[] = [];
  const stored = new Map<string, Uint8Array>();
  const writer = {
    get: (key: string) => stored.get(key),
    putEntry: (key: string, bytes: Uint8Array | null) =>
      void (bytes === null ? stored.delete(key) : stored.set(key, bytes)),
    barrier: (done: () => void) => done(),
  };
  const marks = new SpoolMarks({
    writer,
    wallNow: () => clock.wallNow(),
    bounds: { bytesMax: 1_000_000, entriesMax: 1_000 },
    tally: new SpoolTally(),
  });
  marks.add(HELD, SLOT);
  const record = {
    commit: (life: number, rows: RecordRow[], done: (error: null, results: CommitResult[]) => void) =>
      sent.push({
        life,
        answer: () =>
          done(
            null,
            rows.map(() => ({ kind: 'committed' })),
          ),
      }),
    health: () => ({ state: 'up' }),
  };
  const recordWriter: RecordWriter = new RecordWriter({
    ...{ record, clock, telemetry: TELEMETRY },
    life: () => world.view.topology.life,
    onRecorded: (...recorded) => drain.onRecorded(...recorded),
    onFenced: () => undefined,
  });
  const parts = {
    ...{ clock, telemetry: TELEMETRY, marks, record, recordWriter, mutations: {}, leaseHeld: () => true },
    storage: {
      scan: (from: string, ...[, , , done]: [unknown, unknown, unknown, (e: null, of: object[]) => void]) =>
        clock.defer(() =>
          done(
            null,
            [...stored].filter(([key]) => key >= from).map(([key, value]) => ({ key, value })),
          ),
        ),
    },
    shelf: { isVerified: () => true, load: () => HELD },
    replica: () => ({ view: world.view, stateOf: () => undefined }),
    send: () => undefined,
  };
  const drain: SpoolDrain = new SpoolDrain(parts as unknown as SpoolDrainParts);
  const run = (): void => {
    for (let n = 0; n < 10; n += 1) {
      clock.advance(1_000);
      drain.tick();
      clock.turn();
    }
  };
  run();
  return { world, sent, marks, run };
}

test('PostgreSQL answers in the life in which it was asked: nothing is left to bring there', () => {
  const { sent, marks, run } = draining();
  expect(sent).toMatchObject([{ life: 1 }]);
  sent[0]!.answer();
  run();
  expect(marks.entries).toBe(0);
});

test('another life begins before PostgreSQL has answered: the record is brought there in that life', () => {
  const { world, sent, marks, run } = draining();
  world.view = viewOf(2);
  sent[0]!.answer();
  run();
  expect(sent[1]).toMatchObject({ life: 2 });
  sent[1]!.answer();
  run();
  expect(marks.entries).toBe(0);
});
