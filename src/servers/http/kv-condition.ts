/**
 * The preconditions of a request (RFC 9110, 13.1). On a read they are compared with the version that was read. On a
 * write they become the condition of the cluster's own conditional write, which the cluster judges.
 */
import { failure } from '../../core/errors.ts';
import { CONDITION_ROUNDS_MAX } from '../../core/clients/http-limits.ts';
import type { Expectation, WriteOperation, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import { VERSION_NONE, isVersion } from '../../core/version.ts';
import type { NodeApi } from '../../node/api.ts';
import { read, write } from './asked.ts';
import { anyNamed, tagsOf } from './entity-tags.ts';
import type { EntityTags } from './entity-tags.ts';
import { etagOf } from './kv-record.ts';
import { Refusal } from './problem.ts';
import type { RequestTrace } from './traced-requests.ts';

export type Header = (name: string) => string | undefined;

/** The condition of a write; `present` means that the key has a value, whichever. */
export type Condition =
  Extract<Expectation, { kind: 'version' | 'absent' }> | { readonly kind: 'present' } | null;

/**
 * A condition that the cluster cannot judge in one step. `holds` decides whether the value at `etag` (null: none) may
 * be replaced.
 */
export interface Judged {
  readonly kind: 'judged';
  readonly holds: (etag: string | null) => boolean;
}

interface Stated {
  readonly match: EntityTags | undefined;
  readonly noneMatch: EntityTags | undefined;
}

export function writeCondition(header: Header): Condition | Judged {
  const stated = statedIn(header);
  const { match, noneMatch } = stated;
  // If-Match takes precedence over If-Unmodified-Since (RFC 9110, 13.1.4).
  if (match === undefined && header('if-unmodified-since') !== undefined)
    throw new Refusal(400, 'seconds do not tell versions apart: use If-Match');
  if (match === undefined && noneMatch === undefined) return null;
  if (match === undefined && noneMatch === 'any') return { kind: 'absent' };
  if (noneMatch === undefined && match === 'any') return { kind: 'present' };
  const version = noneMatch === undefined ? versionIn(match) : null;
  if (version !== null) return { kind: 'version', version };
  return { kind: 'judged', holds: (etag) => judge(stated, etag) === 'holds' };
}

/** What to answer to a read of a key whose tag is `etag`; null if the key is absent. */
export function judgeRead(header: Header, etag: string | null): 'send' | 'notModified' | 'failed' {
  const judged = judge(statedIn(header), etag);
  if (judged === 'named') return 'notModified';
  return judged === 'holds' ? 'send' : 'failed';
}

function statedIn(header: Header): Stated {
  return {
    match: tagsOf('If-Match', header('if-match')),
    noneMatch: tagsOf('If-None-Match', header('if-none-match')),
  };
}

/** Evaluates the preconditions in the order of RFC 9110, 13.2.2. */
function judge({ match, noneMatch }: Stated, etag: string | null): 'holds' | 'unmatched' | 'named' {
  if (match !== undefined && !anyNamed(match, etag, 'strong')) return 'unmatched';
  return noneMatch !== undefined && anyNamed(noneMatch, etag, 'weak') ? 'named' : 'holds';
}

/** The version if exactly one strong tag is listed that could be one of ours, else null. */
function versionIn(match: EntityTags | undefined): number | null {
  if (match === undefined || match === 'any') return null;
  const [only, ...others] = match;
  if (only === undefined || others.length > 0 || only.isWeak) return null;
  const version = Number(/^"([1-9]\d{0,15})"$/.exec(only.opaque)?.[1]);
  return isVersion(version) ? version : null;
}

/**
 * A write under a condition that names several versions. It judges the present value and replaces it on the condition
 * that it still stands; if that fails, it judges the value that stands by then.
 */
export async function writeJudged(
  api: NodeApi,
  { holds }: Judged,
  key: string,
  operationAt: (condition: Condition) => WriteOperation,
  { timeoutMs, trace }: { readonly timeoutMs: () => number; readonly trace: RequestTrace },
): Promise<WriteResult> {
  const seen = await read(api, key, timeoutMs(), false);
  if (seen.kind === 'failed') {
    const isLate = seen.failure.code === 'read_timeout';
    return isLate ? { kind: 'failed', failure: failure('deadline_before_start') } : seen;
  }
  let current = seen.kind === 'absent' ? undefined : seen.record;
  // With an operation id the write may have taken effect before: the present value may be the one that it wrote, or a
  // later one.
  let mayBeDone = operationAt(NEVER).operationId !== null;
  for (let round = 0; round < CONDITION_ROUNDS_MAX; round += 1) {
    const isHeld = holds(current === undefined ? null : etagOf(current.version));
    if (!isHeld && !mayBeDone) return { kind: 'conditionFailed', current };
    const condition = isHeld ? exactly(current) : NEVER;
    const result = await trace.within(() => write(api, operationAt(condition), timeoutMs()));
    if (result.kind !== 'conditionFailed') return result;
    mayBeDone = false;
    current = result.current;
  }
  return { kind: 'failed', failure: failure('contended') };
}

/** Writes nothing, but returns the outcome of an earlier write with the same operation id. */
const NEVER: Condition = { kind: 'version', version: VERSION_NONE };

function exactly(current: KeyRecord | undefined): Condition {
  return current === undefined ? { kind: 'absent' } : { kind: 'version', version: current.version };
}

export interface Writing {
  readonly key: string;
  readonly condition: Condition;
  readonly operationId: Uint8Array | null;
}

export interface NewValue {
  readonly value: Uint8Array;
  readonly ttlMs: number;
  readonly contentType: string | null;
}

export function putOperation(
  { key, condition, operationId }: Writing,
  { value, ttlMs, contentType }: NewValue,
  valueBytesMax: number,
): WriteOperation {
  if (condition === null) return { kind: 'put', key, operationId, value, ttlMs, contentType };
  if (condition.kind !== 'present')
    return { kind: 'compareAndPut', key, operationId, expect: condition, value, ttlMs, contentType };
  const expiresAt = ttlMs === 0 ? 0 : Date.now() + ttlMs;
  const options = { condition: 'ifPresent', expiresAt, tellPrevious: false, contentType } as const;
  const set = { kind: 'set', value, ...options } as const;
  return modification(key, operationId, set, valueBytesMax);
}

export function deleteOperation(
  { key, condition, operationId }: Writing,
  valueBytesMax: number,
): WriteOperation {
  if (condition === null) return { kind: 'delete', key, operationId };
  if (condition.kind !== 'present') return { kind: 'compareAndDelete', key, operationId, expect: condition };
  return modification(key, operationId, { kind: 'remove', tellPrevious: false }, valueBytesMax);
}

function modification(
  key: string,
  operationId: Uint8Array | null,
  change: Extract<WriteOperation, { kind: 'modify' }>['changes'][number],
  valueBytesMax: number,
): WriteOperation {
  if (operationId !== null) throw new Refusal(400, 'If-Match: * takes no Idempotency-Key; name the version');
  return { kind: 'modify', key, operationId, expect: null, changes: [change], valueBytesMax };
}
