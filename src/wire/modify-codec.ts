/** Codec of the changes of a modification on their way to an owner, and of their results. */
import { unreachable } from '../base/assert.ts';
import { MODIFY_CHANGES_MAX } from '../core/limits.ts';
import type { Change, ChangeKind, ChangeResult, ExpireCondition } from '../core/modify/change.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import { readChoice } from './choices.ts';
import { readContentType, writeContentType } from './content-type-codec.ts';
import { readFailure, writeFailure } from './failure-codec.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const CHANGES = [
  'read',
  'set',
  'append',
  'overwrite',
  'increment',
  'incrementDecimal',
  'remove',
  'expire',
  'persist',
] as const satisfies readonly ChangeKind[];
const SET_CONDITIONS = ['always', 'ifAbsent', 'ifPresent'] as const;
const EXPIRE_CONDITIONS = [
  'always',
  'ifNone',
  'ifSome',
  'ifLater',
  'ifSooner',
  'ifSomeAndSooner',
] as const satisfies readonly ExpireCondition[];
/** Flags of what is set, in one byte. */
const TELL_PREVIOUS = 1;
const TYPED = 2;
/** Flags of a result, in one byte. */
const APPLIED = 1;
const EXISTED = 2;
const HAS_PREVIOUS = 4;
const HAS_TEXT = 8;
const HAS_FAILURE = 16;

export function writeChanges(out: Writer, changes: readonly Change[]): void {
  out.u16(changes.length);
  for (const change of changes) writeChange(out, change);
}

export function readChanges(from: Reader): Change[] {
  const changes: Change[] = [];
  for (let left = readCount(from); left > 0 && from.ok; left--) changes.push(readChange(from));
  return changes;
}

export function writeChangeResults(out: Writer, results: readonly ChangeResult[]): void {
  out.u16(results.length);
  for (const { applied, existed, previous, length, expiresAt, text, failure } of results) {
    out.u8(
      (applied ? APPLIED : 0) |
        (existed ? EXISTED : 0) |
        (previous === null ? 0 : HAS_PREVIOUS) |
        (text === null ? 0 : HAS_TEXT) |
        (failure === null ? 0 : HAS_FAILURE),
    );
    out.u32(length);
    out.whole(expiresAt);
    if (previous !== null) out.blob(previous);
    if (text !== null) out.text(text);
    if (failure !== null) writeFailure(out, failure);
  }
}

export function readChangeResults(from: Reader): ChangeResult[] {
  const results: ChangeResult[] = [];
  for (let left = readCount(from); left > 0 && from.ok; left--) {
    const flags = from.u8();
    if (flags >= 2 * HAS_FAILURE) from.fail('a flag of a result is unknown');
    results.push({
      applied: (flags & APPLIED) !== 0,
      existed: (flags & EXISTED) !== 0,
      length: from.u32(),
      expiresAt: from.whole(),
      previous: (flags & HAS_PREVIOUS) === 0 ? null : from.blob(),
      text: (flags & HAS_TEXT) === 0 ? null : from.text(),
      failure: (flags & HAS_FAILURE) === 0 ? null : readFailure(from),
    });
  }
  return results;
}

function readCount(from: Reader): number {
  const count = from.u16();
  if (count > MODIFY_CHANGES_MAX) from.fail('a modification has too many changes');
  return count;
}

function writeChange(out: Writer, change: Change): void {
  out.u8(CHANGES.indexOf(change.kind));
  switch (change.kind) {
    case 'set':
      out.u8(SET_CONDITIONS.indexOf(change.condition));
      out.bool(change.expiresAt === 'keep');
      if (change.expiresAt !== 'keep') out.whole(change.expiresAt);
      writeSetOptions(out, change.tellPrevious, change.contentType);
      return out.blob(change.value);
    case 'append':
      return out.blob(change.value);
    case 'overwrite':
      out.whole(change.offset);
      return out.blob(change.value);
    case 'increment':
      return out.i64(change.delta);
    case 'incrementDecimal':
      return out.text(change.delta);
    case 'expire':
      out.whole(change.expiresAt);
      out.u8(EXPIRE_CONDITIONS.indexOf(change.condition));
      return out.bool(change.tellPrevious);
    case 'read':
    case 'remove':
    case 'persist':
      return out.bool(change.tellPrevious);
    default:
      return unreachable(change);
  }
}

function writeSetOptions(out: Writer, tellPrevious: boolean, contentType: string | null | undefined): void {
  const isTyped = typeof contentType === 'string' && out.protocol >= SINCE.contentType;
  out.u8((tellPrevious ? TELL_PREVIOUS : 0) | (isTyped ? TYPED : 0));
  if (isTyped) writeContentType(out, contentType);
}

function readSet(from: Reader): Change & { kind: 'set' } {
  const condition = readChoice(from, SET_CONDITIONS);
  const expiresAt = from.bool() ? 'keep' : from.whole();
  const options = from.u8();
  if (options > (TELL_PREVIOUS | TYPED)) from.fail('a flag of a change is unknown');
  const tellPrevious = (options & TELL_PREVIOUS) !== 0;
  const contentType = (options & TYPED) === 0 ? null : readContentType(from);
  return { kind: 'set', condition, expiresAt, tellPrevious, contentType, value: from.blob() };
}

function readChange(from: Reader): Change {
  const kind = readChoice(from, CHANGES);
  switch (kind) {
    case 'set':
      return readSet(from);
    case 'append':
      return { kind, value: from.blob() };
    case 'overwrite':
      return { kind, offset: from.whole(), value: from.blob() };
    case 'increment':
      return { kind, delta: from.i64() };
    case 'incrementDecimal':
      return { kind, delta: from.text() };
    case 'expire':
      return {
        kind,
        expiresAt: from.whole(),
        condition: readChoice(from, EXPIRE_CONDITIONS),
        tellPrevious: from.bool(),
      };
    case 'read':
    case 'remove':
    case 'persist':
      return { kind, tellPrevious: from.bool() };
    default:
      return unreachable(kind);
  }
}
