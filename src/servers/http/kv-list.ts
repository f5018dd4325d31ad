/**
 * `GET /v1/kv`: lists the keys of the whole cluster, page by page, in a stable order (by slot, then by key). There is
 * no order by key across slots, so a prefix is looked for among all keys: a page with few or no matches may be followed
 * by more.
 */
import { z } from 'zod';
import { HTTP_LIST_PAGES_MAX, HTTP_LIST_RECORDS_MAX } from '../../core/clients/http-limits.ts';
import { KEY_BYTES_MAX, SCAN_PAGE_BYTES_MAX, SCAN_PAGE_RECORDS_MAX } from '../../core/limits.ts';
import type { KeyRecord } from '../../core/record.ts';
import { cursorOf } from '../../core/clients/scan-place.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { NodeApi } from '../../node/api.ts';
import { scan } from './asked.ts';
import { RECORD_META, VALUE, recordMeta, shownRecord } from './kv-record.ts';
import { problemOf } from './problem.ts';
import type { Room } from './room.ts';
import { flag, route, whole } from './route.ts';
import type { Reply, Route } from './route.ts';
import type { RequestTrace } from './traced-requests.ts';

const LIMIT_DEFAULT = 100;

const LISTING = z.strictObject({
  entries: z.array(z.strictObject({ key: z.string(), ...RECORD_META, ...VALUE })),
  next: z.string().nullable().describe('to be given as after; null: there are no more'),
  incomplete: z
    .boolean()
    .describe('PostgreSQL has rows that the cluster has not loaded yet, and that may be missing here'),
});

interface Asked {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  readonly hasValues: boolean;
  readonly timeoutMs: () => number;
  readonly trace: RequestTrace;
}

export function listRoute(api: NodeApi, room: Room): Route {
  return route({
    method: 'GET',
    path: '/v1/kv',
    id: 'list',
    summary: 'List keys',
    description:
      'By slot, then by key. What is written meanwhile may be in it or not. A page may be empty although more follow: go on until next is null.',
    query: {
      prefix: z.string().max(KEY_BYTES_MAX).default('').describe('what the keys begin with'),
      after: z.string().min(1).optional().describe('next of the page before'),
      limit: whole(z.int().min(1).max(HTTP_LIST_RECORDS_MAX))
        .default(LIMIT_DEFAULT)
        .describe('keys on a page'),
      values: flag().describe('with their values'),
    },
    answers: { 200: { description: 'A page.', schema: LISTING } },
    handle: ({ query, timeoutMs, trace }) => {
      const { prefix, after, limit, values } = query;
      const asked = { prefix, after, limit, hasValues: values === true, timeoutMs, trace };
      return room.list(() => page(api, asked));
    },
  });
}

async function page(api: NodeApi, asked: Asked): Promise<Reply> {
  const { prefix, limit, hasValues } = asked;
  const found: KeyRecord[] = [];
  let bytes = 0;
  let next = asked.after ?? null;
  let incomplete = false;
  for (let pages = 0; pages < HTTP_LIST_PAGES_MAX; pages += 1) {
    const size = prefix === '' ? limit - found.length : SCAN_PAGE_RECORDS_MAX;
    const after = next;
    const result = await asked.trace.within(() => scan(api, after, size, asked.timeoutMs()));
    // The keys found so far make up a page, too.
    if (result.kind === 'failed' && found.length > 0) break;
    if (result.kind === 'failed') return { problem: problemOf(result.failure) };
    ({ next } = result);
    incomplete ||= result.incomplete;
    for (const record of result.records) {
      if (!record.key.startsWith(prefix)) continue;
      if (found.length === limit) {
        const { key } = found.at(-1)!;
        next = cursorOf({ slot: slotOf(key), afterKey: key });
        break;
      }
      found.push(record);
      bytes += record.value.length;
    }
    if (next === null || found.length === limit || bytes >= SCAN_PAGE_BYTES_MAX) break;
  }
  const entries = found.map((record) => ({
    key: record.key,
    ...(hasValues ? shownRecord(record) : recordMeta(record)),
  }));
  return { status: 200, json: { entries, next, incomplete } };
}
