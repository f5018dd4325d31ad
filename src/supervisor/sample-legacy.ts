/**
 * A sample of the legacy REST API that a cluster reads through to: a few named records, a thousand generated ones, a
 * paged list of keys, and counters that show a test how often it was called.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export const LEGACY_HOST = '127.0.0.1';
export const LEGACY_PORT_DEFAULT = 8001;

const MADE_RECORD_COUNT = 1_000;
const PAGE_KEYS_DEFAULT = 100;
const PAGE_KEYS_MAX = 1_000;
/** This many keys are counted individually; calls for further ones count in the total only. */
const COUNTED_KEYS_MAX = 10_000;
const DATA_PATH = '/legacy/data/';

/** `legacy:0001` to `legacy:1000`, and the records that the first system's documents mention. */
function sampleRecords(): ReadonlyMap<string, string> {
  const records = new Map([
    ['user:1001', 'Dr. Heisenberg'],
    ['user:1002', 'Jesse Pinkman'],
    ['config:legacy_mode', 'TRUE'],
  ]);
  for (let number = 1; number <= MADE_RECORD_COUNT; number += 1) {
    const digits = String(number).padStart(4, '0');
    records.set(`legacy:${digits}`, `Legacy record ${digits}`);
  }
  return records;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * `GET /legacy/data/{key}`: 200 `{key, value}` or 404; the key is one percent-decoded path segment. `GET
 * /legacy/keys?after=KEY&limit=N`: `{keys, next}` in order of code units; `next` is null on the last page. `GET
 * /legacy/stats`: `{calls, keys: {KEY: calls}}`, counting the data path only.
 */
export function createSampleLegacy(records: ReadonlyMap<string, string> = sampleRecords()): Server {
  const sortedKeys = [...records.keys()].sort();
  const callsByKey = new Map<string, number>();
  let calls = 0;

  const data = (segment: string): Answer => {
    calls += 1;
    const key = decoded(segment);
    if (key === undefined) return refusal(400, 'bad_key', 'the key must be one percent-encoded path segment');
    if (callsByKey.has(key) || callsByKey.size < COUNTED_KEYS_MAX) {
      callsByKey.set(key, (callsByKey.get(key) ?? 0) + 1);
    }
    const value = records.get(key);
    if (value === undefined) return refusal(404, 'not_found', `no record has the key ${key}`);
    return { status: 200, body: { key, value } };
  };

  const keys = (query: URLSearchParams): Answer => {
    const limit = Number(query.get('limit') ?? PAGE_KEYS_DEFAULT);
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_KEYS_MAX) {
      return refusal(400, 'bad_limit', `limit must be a whole number from 1 to ${PAGE_KEYS_MAX}`);
    }
    const after = query.get('after');
    const rest = after === null ? sortedKeys : sortedKeys.filter((key) => key > after);
    const page = rest.slice(0, limit);
    return { status: 200, body: { keys: page, next: rest.length > limit ? page.at(-1) : null } };
  };

  const answer = (method: string, path: string, query: URLSearchParams): Answer => {
    if (method !== 'GET') return refusal(405, 'method_not_allowed', 'only GET is answered');
    if (path.startsWith(DATA_PATH)) return data(path.slice(DATA_PATH.length));
    if (path === '/legacy/keys') return keys(query);
    if (path === '/legacy/stats')
      return { status: 200, body: { calls, keys: Object.fromEntries(callsByKey) } };
    return refusal(404, 'no_such_path', `there is nothing at ${path}`);
  };

  return createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    // Split by hand: a URL object would resolve `..` and alter what a key may contain.
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    send(response, answer(request.method ?? '', path, new URLSearchParams(query)));
  });
}

/** Resolves when it listens; rejects if the port is taken. */
export function listenSampleLegacy(server: Server, port: number, host = LEGACY_HOST): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The key in one path segment; undefined if it is empty, has several segments, or is not percent-encoded. */
function decoded(segment: string): string | undefined {
  if (segment === '' || segment.includes('/')) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function refusal(status: number, error: string, message: string): Answer {
  return { status, body: { error, message } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(body)}\n`);
}
