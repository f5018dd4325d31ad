/** What a member reports of waiting manual changes that it handled and can no longer handle, and when it asks again. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { EMPTY_VALUE } from '../../core/record.ts';
import type { OutsideEdit } from '../../core/system-of-record/outside-edits.ts';
import { OutsideWatch } from './outside-watch.ts';
import type { OutsideWatchParts } from './outside-watch.ts';

const EDIT: OutsideEdit = {
  ...{ id: 1, key: 'k', base: 0, onValue: false, stands: true, deleted: false, value: EMPTY_VALUE },
  ...{ contentType: null, expiresAt: 0, stampMs: 1 },
};

test('without a lease, or out of the epoch: others look after what waited, and nothing is said of it', () => {
  const clock = handClock();
  let [held, isMember] = [true, true];
  const writes: { onDeadline: () => void }[] = [];
  const topology = { loaded: true, life: 1, council: [1], members: [{ id: 1, alive: true }] };
  const watch = new OutsideWatch({
    clock,
    telemetry: { event: () => undefined },
    edits: {
      readEdits: (after: number, _max: number, _age: number, done: (e: null, found: OutsideEdit[]) => void) =>
        done(null, after === 0 ? [EDIT] : []),
    },
    serving: {
      ...{ clock, legacy: null, traces: null, leaseHeld: () => held, later: () => undefined },
      ...{ view: () => ({ selfId: 1, spools: false, row: () => undefined }), replica: () => null },
      ...{
        deadlines: { add: (write: never) => writes.push(write), remove: () => undefined },
        leaselessMs: () => 0,
        whyShutOut: () => '',
      },
      timing: { instruments: { stamp: () => 0 }, wrote: () => undefined },
    },
    topology: () => (isMember ? topology : null),
    isRecordUp: () => true,
    writesThrough: () => true,
    mutations: {},
  } as unknown as OutsideWatchParts);
  const lookAtAll = (): void => {
    watch.tick();
    writes.pop()!.onDeadline();
    clock.advance(600);
    watch.tick();
    clock.advance(600);
  };
  lookAtAll();
  expect(watch.status()).toMatchObject({ waiting: 1, reason: 'deadline_before_start' });
  held = false;
  watch.tick();
  expect(watch.status()).toMatchObject({ waiting: 0, waitingMs: 0, reason: '' });
  held = true;
  lookAtAll();
  expect(watch.status()).toMatchObject({ waiting: 1 });
  isMember = false;
  watch.tick();
  expect(watch.status()).toMatchObject({ waiting: 0, waitingMs: 0, reason: '' });
});

test('PostgreSQL was away for long, and is back: changes are looked at again at once, and nothing else is said', () => {
  const clock = handClock();
  let isUp = true;
  let asked = 0;
  const topology = { loaded: true, life: 1, council: [1], members: [{ id: 1, alive: true }] };
  const watch = new OutsideWatch({
    clock,
    telemetry: { event: () => undefined },
    edits: {
      readEdits: (...[, , , done]: [number, number, number, (error: object | null, found: []) => void]) => {
        asked += 1;
        done(isUp ? null : { message: 'away' }, []);
      },
    },
    serving: { clock, leaseHeld: () => true, view: () => ({ selfId: 1, spools: false }) },
    topology: () => topology,
    isRecordUp: () => isUp,
    writesThrough: () => true,
    mutations: {},
  } as unknown as OutsideWatchParts);
  const runFor = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 50) {
      watch.tick();
      clock.advance(50);
    }
  };
  isUp = false;
  runFor(20_000);
  expect(watch.status().reason).toBe('PostgreSQL: away');
  isUp = true;
  const before = asked;
  runFor(50);
  expect(asked).toBe(before + 1);
  expect(watch.status().reason).toBe('');
});
