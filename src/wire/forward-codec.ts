/**
 * Codec of clients' operations on their way to an owner, and of the answers. Records in answers are sent as fields:
 * they are read once and never stored, so they need no checksum of their own.
 */
import { assert } from '../base/assert.ts';
import { failure } from '../core/errors.ts';
import type {
  ForwardCount,
  ForwardCountAnswer,
  ForwardRead,
  ForwardReadAnswer,
  ForwardScan,
  ForwardScanAnswer,
  ForwardWrite,
  ForwardWriteAnswer,
} from '../core/message.ts';
import type { CountResult, ReadResult, ScanResult, StaleResult, WriteResult } from '../core/operation.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import { ORIGIN_CLIENT, ORIGIN_LEGACY, ORIGIN_OUTSIDE } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { choiceOf } from './choices.ts';
import { readFailure, writeFailure } from './failure-codec.ts';
import { readChangeResults, writeChangeResults } from './modify-codec.ts';
import type { Reader } from './reader.ts';
import { readTrace, toldTrace, writeTrace } from './trace-codec.ts';
import {
  readContentType,
  readOperation,
  readOperationId,
  writeOperation,
  writeOptions,
} from './write-operation-codec.ts';
import type { Writer } from './writer.ts';

const WRITE_RESULTS = ['done', 'conditionFailed', 'failed', 'modified', 'unchanged'] as const;
const READ_RESULTS = ['value', 'absent', 'failed', 'stale'] as const;
/** Flags of a read, in one byte. */
const READ_MISS = 1;
const READ_ALLOW_STALE = 2;
const READ_TRACED = 4;
/** Since `watchForPeers`. */
const READ_WATCH = 8;
const READ_FLAGS = READ_MISS | READ_ALLOW_STALE | READ_TRACED;
/** Added to the kind of an answer, in one byte: the session under which the key is watched follows. */
const ANSWER_WATCHED = 128;
/** Added to the kind of an answer, in one byte; since `ownChanges`: the version contains only this operation. */
const ANSWER_ALONE = 128;
/** Added to the hops of a write, in one byte. */
const WRITE_TRACED = 128;
/** Added to the hops of a scan, in one byte; since `scanTraceContext`. */
const SCAN_TRACED = 128;
const ORIGINS = [ORIGIN_CLIENT, ORIGIN_LEGACY, ORIGIN_OUTSIDE] as const;

export function writeForwardWrite(out: Writer, message: ForwardWrite): void {
  const trace = toldTrace(out, message.trace);
  assert(message.hops < WRITE_TRACED, 'hops leave room for a flag');
  out.whole(message.request);
  out.u8(message.hops | (trace === undefined ? 0 : WRITE_TRACED));
  out.real(message.timeoutMs);
  writeOperation(out, message.operation);
  if (trace !== undefined) writeTrace(out, trace);
}

export function readForwardWrite(from: Reader): ForwardWrite {
  const request = from.whole();
  const hops = from.u8();
  return {
    kind: 'forwardWrite',
    request,
    hops: hops & ~WRITE_TRACED,
    timeoutMs: from.real(),
    operation: readOperation(from),
    trace: (hops & WRITE_TRACED) === 0 ? undefined : readTrace(from),
  };
}

export function writeForwardRead(out: Writer, message: ForwardRead): void {
  const trace = toldTrace(out, message.trace);
  out.whole(message.request);
  out.u8(message.hops);
  out.real(message.timeoutMs);
  out.text(message.key);
  out.u8(
    (message.miss ? READ_MISS : 0) |
      (message.allowStale ? READ_ALLOW_STALE : 0) |
      (message.watch && out.protocol >= SINCE.watchForPeers ? READ_WATCH : 0) |
      (trace === undefined ? 0 : READ_TRACED),
  );
  if (trace !== undefined) writeTrace(out, trace);
}

export function readForwardRead(from: Reader): ForwardRead {
  const head = { request: from.whole(), hops: from.u8(), timeoutMs: from.real(), key: from.text() };
  const flags = from.u8();
  const known = from.protocol >= SINCE.watchForPeers ? READ_FLAGS | READ_WATCH : READ_FLAGS;
  if ((flags & ~known) !== 0) from.fail('a flag of a read is unknown');
  const miss = (flags & READ_MISS) !== 0;
  const allowStale = (flags & READ_ALLOW_STALE) !== 0;
  const trace = (flags & READ_TRACED) === 0 ? undefined : readTrace(from);
  return { kind: 'forwardRead', ...head, miss, allowStale, watch: (flags & READ_WATCH) !== 0, trace };
}

export function writeForwardWriteAnswer(out: Writer, message: ForwardWriteAnswer): void {
  out.whole(message.request);
  const result = tellable(message.result, out.protocol);
  out.u8(WRITE_RESULTS.indexOf(result.kind) | (isToldAlone(result, out.protocol) ? ANSWER_ALONE : 0));
  if (result.kind === 'done') {
    out.whole(result.version);
    out.bool(result.number !== null);
    if (result.number !== null) out.i64(result.number);
  } else if (result.kind === 'conditionFailed') {
    out.bool(result.current !== undefined);
    if (result.current !== undefined) writeRecordFields(out, result.current);
  } else if (result.kind === 'failed') {
    writeFailure(out, result.failure);
  } else {
    out.whole(result.version);
    writeChangeResults(out, result.results);
  }
}

/** A reader that does not know the flag takes the version for shared. */
function isToldAlone(result: WriteResult, protocol: number): boolean {
  const isMade = result.kind === 'done' || result.kind === 'modified';
  return isMade && result.isShared !== true && protocol >= SINCE.ownChanges;
}

/**
 * If the asker now speaks an earlier version, the process that sent the modification is gone: nobody waits for its
 * results.
 */
function tellable(result: WriteResult, protocol: number): WriteResult {
  const isLater = result.kind === 'modified' || result.kind === 'unchanged';
  if (!isLater || protocol >= SINCE.modify) return result;
  return { kind: 'failed', failure: failure('outcome_unknown') };
}

export function readForwardWriteAnswer(from: Reader): ForwardWriteAnswer {
  return { kind: 'forwardWriteAnswer', request: from.whole(), result: readWriteResult(from) };
}

export function writeForwardReadAnswer(out: Writer, message: ForwardReadAnswer): void {
  out.whole(message.request);
  const result = message.result;
  const isWatched = message.watched !== 0 && out.protocol >= SINCE.watchForPeers;
  out.u8(READ_RESULTS.indexOf(result.kind) | (isWatched ? ANSWER_WATCHED : 0));
  if (isWatched) out.whole(message.watched);
  if (result.kind === 'value') writeRecordFields(out, result.record);
  else if (result.kind === 'failed') writeFailure(out, result.failure);
  else if (result.kind === 'stale') {
    out.whole(result.staleMs);
    out.bool(result.record !== undefined);
    if (result.record !== undefined) writeRecordFields(out, result.record);
  }
}

export function readForwardReadAnswer(from: Reader): ForwardReadAnswer {
  const request = from.whole();
  const head = from.u8();
  const isWatched = from.protocol >= SINCE.watchForPeers && (head & ANSWER_WATCHED) !== 0;
  const watched = isWatched ? from.whole() : 0;
  const kind = choiceOf(from, READ_RESULTS, isWatched ? head & ~ANSWER_WATCHED : head);
  return { kind: 'forwardReadAnswer', request, result: readReadResult(from, kind), watched };
}

export function writeForwardScan(out: Writer, message: ForwardScan): void {
  const trace = out.protocol >= SINCE.scanTraceContext ? message.trace : undefined;
  assert(message.hops < SCAN_TRACED, 'hops leave room for a flag');
  out.whole(message.request);
  out.u8(message.hops | (trace === undefined ? 0 : SCAN_TRACED));
  out.real(message.timeoutMs);
  out.text(message.after);
  out.u16(message.limit);
  if (trace !== undefined) writeTrace(out, trace);
}

export function readForwardScan(from: Reader): ForwardScan {
  const request = from.whole();
  const hops = from.u8();
  const isTraced = (hops & SCAN_TRACED) !== 0;
  if (isTraced && from.protocol < SINCE.scanTraceContext) from.fail('a trace is of a later version');
  return {
    kind: 'forwardScan',
    request,
    hops: hops & ~SCAN_TRACED,
    timeoutMs: from.real(),
    after: from.text(),
    limit: from.u16(),
    trace: isTraced ? readTrace(from) : undefined,
  };
}

export function writeForwardScanAnswer(out: Writer, message: ForwardScanAnswer): void {
  out.whole(message.request);
  const result = message.result;
  out.bool(result.kind === 'page');
  if (result.kind === 'failed') return writeFailure(out, result.failure);
  out.bool(result.incomplete);
  out.bool(result.next !== null);
  if (result.next !== null) out.text(result.next);
  out.u16(result.records.length);
  for (const record of result.records) writeRecordFields(out, record);
}

export function readForwardScanAnswer(from: Reader): ForwardScanAnswer {
  return { kind: 'forwardScanAnswer', request: from.whole(), result: readScanResult(from) };
}

export function writeForwardCount(out: Writer, message: ForwardCount): void {
  out.whole(message.request);
  out.whole(message.epoch);
}

export function readForwardCount(from: Reader): ForwardCount {
  return { kind: 'forwardCount', request: from.whole(), epoch: from.whole() };
}

export function writeForwardCountAnswer(out: Writer, { request, result }: ForwardCountAnswer): void {
  out.whole(request);
  out.bool(result.kind === 'counted');
  if (result.kind === 'failed') return writeFailure(out, result.failure);
  out.whole(result.count);
  out.bool(result.incomplete);
}

export function readForwardCountAnswer(from: Reader): ForwardCountAnswer {
  const request = from.whole();
  const result: CountResult = from.bool()
    ? { kind: 'counted', count: from.whole(), incomplete: from.bool() }
    : { kind: 'failed', failure: readFailure(from) };
  return { kind: 'forwardCountAnswer', request, result };
}

function readWriteResult(from: Reader): WriteResult {
  const head = from.u8();
  const isAlone = from.protocol >= SINCE.ownChanges && (head & ANSWER_ALONE) !== 0;
  const isShared = !isAlone;
  const kind = choiceOf(from, WRITE_RESULTS, isAlone ? head & ~ANSWER_ALONE : head);
  if (isAlone && kind !== 'done' && kind !== 'modified') from.fail('a version is told that was not made');
  if (kind === 'done')
    return { kind, version: from.whole(), number: from.bool() ? from.i64() : null, isShared };
  if (kind === 'conditionFailed') return { kind, current: from.bool() ? readRecordFields(from) : undefined };
  if (kind === 'failed') return { kind, failure: readFailure(from) };
  if (from.protocol < SINCE.modify) from.fail('an answer is of a later version');
  const made = { version: from.whole(), results: readChangeResults(from) };
  return kind === 'modified' ? { kind, ...made, isShared } : { kind, ...made };
}

function readReadResult(from: Reader, kind: (typeof READ_RESULTS)[number]): ReadResult | StaleResult {
  if (kind === 'value') return { kind, record: readRecordFields(from) };
  if (kind === 'absent') return { kind };
  if (kind === 'stale') {
    const staleMs = from.whole();
    return { kind, staleMs, record: from.bool() ? readRecordFields(from) : undefined };
  }
  return { kind, failure: readFailure(from) };
}

function readScanResult(from: Reader): ScanResult {
  if (!from.bool()) return { kind: 'failed', failure: readFailure(from) };
  const incomplete = from.bool();
  const next = from.bool() ? from.text() : null;
  const records: KeyRecord[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) records.push(readRecordFields(from));
  return { kind: 'page', records, next, incomplete };
}

function writeRecordFields(out: Writer, record: KeyRecord): void {
  out.u8(record.origin);
  out.bool(record.tombstone);
  out.whole(record.version);
  out.real(record.createdAt);
  out.real(record.updatedAt);
  out.real(record.expiresAt);
  out.text(record.key);
  writeOptions(out, record.operationId, record.contentType);
  out.blob(record.value);
}

function readRecordFields(from: Reader): KeyRecord {
  const origin = ORIGINS[from.u8()];
  if (origin === undefined) from.fail('an origin is unknown');
  const tombstone = from.bool();
  const version = from.whole();
  const createdAt = from.real();
  const updatedAt = from.real();
  const expiresAt = from.real();
  const key = from.text();
  const options = from.u8();
  return {
    key,
    version,
    origin: origin ?? ORIGIN_CLIENT,
    tombstone,
    createdAt,
    updatedAt,
    expiresAt,
    operationId: readOperationId(from, options),
    contentType: readContentType(from, options),
    value: from.blob(),
  };
}
