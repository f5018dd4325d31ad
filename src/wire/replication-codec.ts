/**
 * Codec of the messages of a write's round, the hottest on a link. A sealed record is sent as exactly the bytes that
 * the store holds, and is opened, checksum and all, on arrival. (PROTOCOL R10)
 */
import { assert } from '../base/assert.ts';
import type {
  Acknowledge,
  Coordinator,
  HeldRecord,
  Invalidate,
  Query,
  QueryAnswer,
  Validate,
} from '../core/message.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT } from '../core/record.ts';
import type { SealedRecord } from '../core/record.ts';
import { readChoice } from './choices.ts';
import { readIdentified, writeIdentified } from './operation-codec.ts';
import type { Reader } from './reader.ts';
import { openRecord } from './record-codec.ts';
import { readTrace, toldTrace, writeTrace } from './trace-codec.ts';
import type { Writer } from './writer.ts';

const CONDITIONAL = 1;
const RECORDED = 2;
const VALID = 4;
const IDENTIFIED = 8;
const TRACED = 16;
const OUTCOMES = ['equal', 'higher', 'refused'] as const;
const ANSWERS = ['pending', 'unknown'] as const;

/** Returned if none could be read; the frame with it is refused. */
const NO_RECORD: SealedRecord = {
  record: {
    key: '',
    version: 0,
    origin: ORIGIN_CLIENT,
    tombstone: true,
    value: EMPTY_VALUE,
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  },
  bytes: EMPTY_VALUE,
  checksum: 0,
};

export function writeInvalidate(out: Writer, message: Invalidate): void {
  const { operations } = message;
  const trace = toldTrace(out, message.trace);
  out.u8(
    (message.conditional ? CONDITIONAL : 0) |
      (message.recorded ? RECORDED : 0) |
      (operations === null ? 0 : IDENTIFIED) |
      (trace === undefined ? 0 : TRACED),
  );
  out.whole(message.round);
  writeCoordinator(out, message.coordinator);
  out.whole(message.base);
  out.whole(message.routeEpoch);
  writeSealed(out, message.sealed);
  if (operations !== null) writeIdentified(out, operations);
  if (trace !== undefined) writeTrace(out, trace);
}

export function readInvalidate(from: Reader): Invalidate {
  const flags = readFlags(from, CONDITIONAL | RECORDED | IDENTIFIED | TRACED);
  const round = from.whole();
  const coordinator = readCoordinator(from);
  const base = from.whole();
  const routeEpoch = from.whole();
  return {
    kind: 'invalidate',
    round,
    sealed: readSealed(from),
    base,
    operations: (flags & IDENTIFIED) === 0 ? null : readIdentified(from),
    conditional: (flags & CONDITIONAL) !== 0,
    recorded: (flags & RECORDED) !== 0,
    coordinator,
    routeEpoch,
    trace: (flags & TRACED) === 0 ? undefined : readTrace(from),
  };
}

export function writeAcknowledge(out: Writer, message: Acknowledge): void {
  out.u8(OUTCOMES.indexOf(message.outcome));
  out.whole(message.round);
  out.bool(message.held !== null);
  if (message.held !== null) writeHeld(out, message.held);
}

export function readAcknowledge(from: Reader): Acknowledge {
  const outcome = readChoice(from, OUTCOMES);
  const round = from.whole();
  return { kind: 'acknowledge', round, outcome, held: from.bool() ? readHeld(from) : null };
}

export function writeValidate(out: Writer, message: Validate): void {
  out.text(message.key);
  out.whole(message.version);
}

export function readValidate(from: Reader): Validate {
  return { kind: 'validate', key: from.text(), version: from.whole() };
}

export function writeQuery(out: Writer, message: Query): void {
  out.text(message.key);
  out.whole(message.version);
}

export function readQuery(from: Reader): Query {
  return { kind: 'query', key: from.text(), version: from.whole() };
}

export function writeQueryAnswer(out: Writer, message: QueryAnswer): void {
  out.text(message.key);
  out.whole(message.version);
  out.u8(ANSWERS.indexOf(message.answer));
}

export function readQueryAnswer(from: Reader): QueryAnswer {
  return { kind: 'queryAnswer', key: from.text(), version: from.whole(), answer: readChoice(from, ANSWERS) };
}

export function writeHeld(out: Writer, held: HeldRecord): void {
  const { operations } = held;
  out.u8(
    (held.conditional ? CONDITIONAL : 0) |
      (held.recorded ? RECORDED : 0) |
      (held.valid ? VALID : 0) |
      (operations === null ? 0 : IDENTIFIED),
  );
  writeCoordinator(out, held.coordinator);
  out.whole(held.base);
  writeSealed(out, held.sealed);
  if (operations !== null) writeIdentified(out, operations);
}

export function readHeld(from: Reader): HeldRecord {
  const flags = readFlags(from, CONDITIONAL | RECORDED | VALID | IDENTIFIED);
  const coordinator = readCoordinator(from);
  const base = from.whole();
  return {
    sealed: readSealed(from),
    base,
    operations: (flags & IDENTIFIED) === 0 ? null : readIdentified(from),
    conditional: (flags & CONDITIONAL) !== 0,
    recorded: (flags & RECORDED) !== 0,
    coordinator,
    valid: (flags & VALID) !== 0,
  };
}

function readFlags(from: Reader, known: number): number {
  const flags = from.u8();
  if ((flags & ~known) !== 0) from.fail('a flag is unknown');
  return flags;
}

function writeCoordinator(out: Writer, coordinator: Coordinator): void {
  out.u16(coordinator.id);
  out.whole(coordinator.incarnation);
}

function readCoordinator(from: Reader): Coordinator {
  return { id: from.u16(), incarnation: from.whole() };
}

function writeSealed(out: Writer, { record, bytes }: SealedRecord): void {
  assert(
    record.contentType === null || out.protocol >= SINCE.contentType,
    'a content type is told to who understands it',
  );
  out.blob(bytes);
}

function readSealed(from: Reader): SealedRecord {
  const bytes = from.blob();
  if (!from.ok) return NO_RECORD;
  const sealed = openRecord(bytes);
  if (sealed === undefined) from.fail('a record is damaged');
  else if (sealed.record.contentType !== null && from.protocol < SINCE.contentType)
    from.fail('a record is of a later version');
  return sealed ?? NO_RECORD;
}
