/** `/v1/kv/{key}`: one key, with the value as the body and the version as the ETag. */
import { z } from 'zod';
import { CONTENT_TYPE_BYTES_MAX, KEY_BYTES_MAX } from '../../core/limits.ts';
import type { ReadResult, StaleResult, WriteOperation, WriteResult } from '../../core/operation.ts';
import { SINCE } from '../../core/membership/protocol-versions.ts';
import { ORIGIN_NAMES } from '../../core/record.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { NodeApi } from '../../node/api.ts';
import { read, write } from './asked.ts';
import { deleteOperation, judgeRead, putOperation, writeCondition, writeJudged } from './kv-condition.ts';
import type { Condition, Header, Writing } from './kv-condition.ts';
import {
  CONTENT_TYPE_UNTOLD,
  TTL_MS,
  VERSION,
  etagOf,
  operationIdOf,
  shownTime,
  ttlLeft,
  typeGiven,
} from './kv-record.ts';
import { Refusal, absent, conditionFailed, problemOf } from './problem.ts';
import type { Problem } from './problem.ts';
import { BYTES, flag, route, whole } from './route.ts';
import type { Call, Reply, Route } from './route.ts';

/** Enough for a small JSON body, such as an increment. */
const SMALL_BODY_BYTES_MAX = 1024;
const INT64_MAX = 2n ** 63n - 1n;

const KEY = z.string().min(1).describe(`1 to ${KEY_BYTES_MAX} bytes of UTF-8`);

const IDEMPOTENCY = {
  'Idempotency-Key':
    'a UUID of version 7: within 15 minutes the write may be repeated under it, takes effect once and is answered alike',
};
const CONDITION = {
  'If-Match': 'the ETags of which one must stand, or * for any value; else 412',
  'If-None-Match': 'the ETags of which none may stand, or * for only where there is no value; else 412',
};
const CHANGED = { ETag: 'the version that was written, in quotes' };

/** The same routes for a key in the path and for a key in the query. */
export function keyRoutes(api: NodeApi, valueBytesMax: number): Route[] {
  return [
    ...routesAt({ path: '/v1/kv/{key}', suffix: '', named: {} }, api, valueBytesMax),
    ...routesAt({ path: '/v1/key', suffix: 'Named', named: { key: KEY } }, api, valueBytesMax),
  ];
}

/** Where a group of routes takes its key from. */
interface KeyPlace {
  readonly path: string;
  /** Appended to the ids of the routes. */
  readonly suffix: string;
  /** The query parameters that name the key. */
  readonly named: Readonly<Record<string, z.ZodString>>;
}

function routesAt(place: KeyPlace, api: NodeApi, valueBytesMax: number): Route[] {
  return [
    getRoute(place, api),
    putRoute(place, api, valueBytesMax),
    deleteRoute(place, api, valueBytesMax),
    incrementRoute(place, api),
  ];
}

function getRoute({ path, suffix, named }: KeyPlace, api: NodeApi): Route {
  return route({
    method: 'GET',
    path,
    id: `get${suffix}`,
    summary: 'Read a value',
    query: {
      ...named,
      allow_stale: flag().describe('where no owner at hand may serve it, an old value that says so'),
    },
    requestHeaders: {
      'If-None-Match': 'ETags: 304 where one of them still stands',
      'If-Match': 'ETags: 412 where another stands',
    },
    answers: {
      200: {
        description: 'The value, of the type that it was put with.',
        isBytes: true,
        headers: {
          ETag: 'its version, in quotes',
          'Last-Modified': 'when this version was written',
          'Causeway-Origin': 'client, legacy or outside: who wrote it',
          'Causeway-Ttl-Ms': 'milliseconds that are left, where it is not kept for ever',
          'Causeway-Stale-Ms': 'only of an old value: it was the truth within the last so many milliseconds',
          Age: 'of an old value: the same in seconds',
        },
      },
      304: { description: 'It is as you have it.', headers: { ETag: 'its version, in quotes' } },
    },
    handle: async ({ key, query, header, timeoutMs }) => {
      const result = await read(api, key, timeoutMs(), query.allow_stale === true);
      return readReply(result, header);
    },
  });
}

/** Value and content type come from clients: no browser may run them, or give other origins access to them. */
const UNTRUSTED = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** Caches may keep the response, but must revalidate it on every use. */
const ASKED_EACH_TIME = { 'Cache-Control': 'no-cache' };

function readReply(result: ReadResult | StaleResult, header: Header): Reply {
  if (result.kind === 'failed') return { problem: problemOf(result.failure) };
  const record = result.kind === 'absent' ? undefined : result.record;
  const stale = result.kind === 'stale' ? staleHeaders(result.staleMs) : {};
  if (record === undefined) {
    const isFailed = judgeRead(header, null) === 'failed';
    return { problem: isFailed ? conditionFailed(null) : absent(), headers: stale };
  }
  const ETag = etagOf(record.version);
  const judged = judgeRead(header, ETag);
  if (judged === 'failed') return { problem: conditionFailed(record.version), headers: { ETag, ...stale } };
  const headers = { ETag, ...ASKED_EACH_TIME, ...recordHeaders(record), ...stale };
  if (judged === 'notModified' && result.kind !== 'stale') return { status: 304, headers };
  const type = { 'Content-Type': record.contentType ?? CONTENT_TYPE_UNTOLD };
  return { status: 200, bytes: record.value, headers: { ...headers, ...type, ...UNTRUSTED } };
}

function staleHeaders(staleMs: number): Record<string, string> {
  return { 'Causeway-Stale-Ms': String(staleMs), Age: String(Math.ceil(staleMs / 1000)) };
}

function recordHeaders(record: KeyRecord): Record<string, string> {
  return {
    'Last-Modified': shownTime(record.updatedAt).toUTCString(),
    'Causeway-Origin': ORIGIN_NAMES[record.origin],
    ...(record.expiresAt === 0 ? {} : { 'Causeway-Ttl-Ms': String(ttlLeft(record)) }),
  };
}

function putRoute({ path, suffix, named }: KeyPlace, api: NodeApi, valueBytesMax: number): Route {
  return route({
    method: 'PUT',
    path,
    id: `put${suffix}`,
    summary: 'Write a value',
    description: `The body is the value, byte for byte. Its Content-Type is kept with it: a media type of at most ${CONTENT_TYPE_BYTES_MAX} bytes.`,
    query: { ...named, ttl_ms: whole(TTL_MS).default(0).describe(TTL_MS.description!) },
    requestHeaders: { ...CONDITION, ...IDEMPOTENCY },
    body: BYTES,
    bodyBytesMax: valueBytesMax,
    answers: {
      201: { description: 'Written; with If-None-Match: * there was none before.', headers: CHANGED },
      204: { description: 'Written.', headers: CHANGED },
    },
    handle: async (call) => {
      const { query, body, header } = call;
      const condition = writeCondition(header);
      const contentType = typeGiven(header('content-type'), () => typesAreKept(api));
      const value = { value: body, ttlMs: query.ttl_ms, contentType };
      const result = await writeUnder(api, call, (writing) => putOperation(writing, value, valueBytesMax));
      return writeReply(result, condition?.kind === 'absent' ? 201 : 204);
    },
  });
}

function typesAreKept(api: NodeApi): boolean {
  return api.status().protocol.inForce >= SINCE.contentType;
}

function deleteRoute({ path, suffix, named }: KeyPlace, api: NodeApi, valueBytesMax: number): Route {
  return route({
    method: 'DELETE',
    path,
    id: `delete${suffix}`,
    summary: 'Delete a key',
    description: 'Without a condition nobody is asked whether there was a value.',
    query: named,
    requestHeaders: { ...CONDITION, ...IDEMPOTENCY },
    answers: {
      204: { description: 'Deleted: there is no value.', headers: { ETag: 'the deletion’s version' } },
    },
    handle: async (call) => {
      const result = await writeUnder(api, call, (writing) => deleteOperation(writing, valueBytesMax));
      return writeReply(result, 204);
    },
  });
}

/** Writes under the preconditions of the request. */
function writeUnder(
  api: NodeApi,
  { key, header, timeoutMs, trace }: Pick<Call<never, never>, 'key' | 'header' | 'timeoutMs' | 'trace'>,
  operationOf: (writing: Writing) => WriteOperation,
): WriteResult | Promise<WriteResult> {
  const condition = writeCondition(header);
  const operationId = operationIdOf(header('idempotency-key'));
  const operationAt = (at: Condition): WriteOperation => operationOf({ key, condition: at, operationId });
  if (condition?.kind !== 'judged') return write(api, operationAt(condition), timeoutMs());
  return writeJudged(api, condition, key, operationAt, { timeoutMs, trace });
}

function incrementRoute({ path, suffix, named }: KeyPlace, api: NodeApi): Route {
  return route({
    method: 'POST',
    path,
    id: `increment${suffix}`,
    summary: 'Add to a number',
    description: 'The value is decimal text of 64 bits, as Redis has it; a key without a value counts as 0.',
    query: named,
    requestHeaders: IDEMPOTENCY,
    body: z.strictObject({ increment: INTEGER }),
    bodyBytesMax: SMALL_BODY_BYTES_MAX,
    answers: {
      200: {
        description: 'The new number.',
        schema: z.strictObject({ number: z.string().regex(/^-?\d+$/), version: VERSION }),
        headers: CHANGED,
      },
    },
    handle: async ({ key, body, header, timeoutMs }) => {
      const operationId = operationIdOf(header('idempotency-key'));
      const delta = deltaOf(body.increment);
      const result = await write(api, { kind: 'increment', key, operationId, delta }, timeoutMs());
      if (result.kind !== 'done' || result.number === null) return writeReply(result, 200);
      const { number, version } = result;
      return { status: 200, json: { number: String(number), version }, headers: { ETag: etagOf(version) } };
    },
  });
}

/** JSON numbers are exact only up to 2^53. */
const WHOLE = 'a whole number of 64 bits, as text where it is beyond 2^53';
export const INTEGER = z
  .union([z.int(), z.string().regex(/^-?\d{1,19}$/)], { error: `must be ${WHOLE}` })
  .describe(WHOLE);

export function deltaOf(given: number | string): bigint {
  const delta = BigInt(given);
  if (delta <= INT64_MAX && delta >= -INT64_MAX - 1n) return delta;
  throw new Refusal(400, 'the increment does not fit 64 bits');
}

function writeReply(result: WriteResult, status: number): Reply {
  const outcome = outcomeOf(result);
  if ('problem' in outcome) {
    const { currentVersion } = outcome.problem;
    return typeof currentVersion === 'number'
      ? { ...outcome, headers: { ETag: etagOf(currentVersion) } }
      : outcome;
  }
  return { status, headers: { ETag: etagOf(outcome.version) } };
}

/** The outcome of a single write on any route; `number` only for an increment. */
export function outcomeOf(
  result: WriteResult,
): { readonly version: number; readonly number?: string } | { readonly problem: Problem } {
  switch (result.kind) {
    case 'done': {
      const { version, number } = result;
      return number === null ? { version } : { version, number: String(number) };
    }
    case 'failed':
      return { problem: problemOf(result.failure) };
    case 'conditionFailed':
      return { problem: conditionFailed(result.current?.version ?? null) };
    // The door only ever sends a list of one change, on the condition that the key has a value.
    case 'modified':
    case 'unchanged': {
      const [only] = result.results;
      if (only!.failure !== null) return { problem: problemOf(only!.failure) };
      return only!.applied ? { version: result.version } : { problem: conditionFailed(null) };
    }
  }
}
