/** What is reported of manual changes: counts, and since when the first unwritable one has waited. */
import { expect, test } from 'vitest';
import { EMPTY_VALUE } from '../../core/record.ts';
import type { EditOutcome, OutsideEdit } from '../../core/system-of-record/outside-edits.ts';
import { OutsideTally } from './outside-tally.ts';

const edit = (id: number): OutsideEdit => ({
  ...{ id, key: `k${id}`, base: 0, onValue: false, stands: true, deleted: false, value: EMPTY_VALUE },
  ...{ contentType: null, expiresAt: 0, stampMs: 0 },
});
const later: EditOutcome = { kind: 'later', why: 'owners_missing' };

function round(tally: OutsideTally, now: number, outcomes: Readonly<Record<number, EditOutcome>>): void {
  for (const [id, outcome] of Object.entries(outcomes)) tally.took(edit(Number(id)), outcome, now);
  tally.roundEnded();
}

test('what ended is counted by how; what got another stamp, or gave way, is not', () => {
  const tally = new OutsideTally();
  const written: EditOutcome = { kind: 'written', version: 1 };
  round(tally, 0, { 1: written, 2: written, 3: { kind: 'overtaken' }, 4: { kind: 'refused', why: 'no' } });
  round(tally, 0, { 5: { kind: 'stamp' }, 6: { kind: 'over', version: 1 } });
  expect(tally.status(9)).toEqual({
    ...{ written: 2, overtaken: 1, refused: 1, waiting: 0, waitingMs: 0, reason: '' },
  });
});

test('waiting changes are reported after a full round, with the first reason, and since when the first was seen', () => {
  const tally = new OutsideTally();
  tally.took(edit(7), later, 100);
  expect(tally.status(150)).toMatchObject({ waiting: 0, reason: '' });
  round(tally, 100, { 8: { kind: 'later', why: 'overloaded' } });
  expect(tally.status(150)).toMatchObject({ waiting: 2, waitingMs: 50, reason: 'owners_missing' });
  round(tally, 600, { 7: later });
  expect(tally.status(700)).toMatchObject({ waiting: 1, waitingMs: 600 });
  round(tally, 1_100, { 8: later });
  expect(tally.status(1_100)).toMatchObject({ waiting: 1, waitingMs: 0 });
  round(tally, 1_600, {});
  expect(tally.status(1_700)).toMatchObject({ waiting: 0, waitingMs: 0, reason: '' });
});

test('an obstacle is reported in place of the reason, and what had waited goes on waiting', () => {
  const tally = new OutsideTally();
  round(tally, 0, { 1: later });
  tally.took(edit(1), later, 500);
  tally.hindered('PostgreSQL: away');
  expect(tally.status(1_000)).toMatchObject({ waiting: 1, waitingMs: 1_000, reason: 'PostgreSQL: away' });
  round(tally, 2_000, { 1: later });
  expect(tally.status(2_000)).toMatchObject({ waiting: 1, waitingMs: 2_000, reason: 'owners_missing' });
});
