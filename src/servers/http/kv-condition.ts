/**
 * What a request says of the version that it has seen (RFC 9110, 13.1). On a read it is compared with what was read; on a write
 * it becomes the condition under which the cluster writes, judged there and not here.
 */
import type { Expectation, WriteOperation } from '../../core/operation.ts';
import { isVersion } from '../../core/version.ts';
import { Refusal } from './problem.ts';

export type Header = (name: string) => string | undefined;

/** Of a write; present: there is a value, whichever. */
export type Condition =
  Extract<Expectation, { kind: 'version' | 'absent' }> | { readonly kind: 'present' } | null;

export function writeCondition(header: Header): Condition {
  const match = header('if-match')?.trim();
  const noneMatch = header('if-none-match')?.trim();
  if (header('if-unmodified-since') !== undefined)
    throw new Refusal(400, 'seconds do not tell versions apart: use If-Match');
  if (match !== undefined && noneMatch !== undefined)
    throw new Refusal(400, 'If-Match and If-None-Match exclude each other');
  if (noneMatch !== undefined) {
    if (noneMatch === '*') return { kind: 'absent' };
    throw new Refusal(400, 'on a write If-None-Match can only be *');
  }
  if (match === undefined) return null;
  if (match === '*') return { kind: 'present' };
  const version = Number(/^"(\d{1,16})"$/.exec(match)?.[1]);
  if (!isVersion(version) || version === 0)
    throw new Refusal(400, 'If-Match must be * or one ETag as this door gave it: "version", with its quotes');
  return { kind: 'version', version };
}

/** What a read comes to where the key stands at `etag`, or is absent. */
export function judgeRead(header: Header, etag: string | null): 'send' | 'notModified' | 'failed' {
  const match = header('if-match');
  if (match !== undefined && !isNamed(match, etag, false)) return 'failed';
  const noneMatch = header('if-none-match');
  return noneMatch !== undefined && isNamed(noneMatch, etag, true) ? 'notModified' : 'send';
}

function isNamed(list: string, etag: string | null, mayBeWeak: boolean): boolean {
  if (etag === null) return false;
  if (list.trim() === '*') return true;
  const tags = list.split(',').map((tag) => tag.trim());
  return tags.some((tag) => tag === etag || (mayBeWeak && tag === `W/${etag}`));
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
