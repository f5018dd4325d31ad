/** SCAN and its relatives: a key that exists throughout is returned, whichever nodes are asked, and the scan ends. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { failure } from '../../core/errors.ts';
import { SCAN_PAGE_BYTES_MAX } from '../../core/limits.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import type { KeyRecord } from '../../core/record.ts';
import {
  RESP_REPLY_BYTES_MAX,
  RESP_SCAN_MS,
  RESP_SCAN_PAGES_MAX,
  RESP_SCAN_PLACES_MAX,
  RESP_SWEEPS_MAX,
} from '../../core/clients/redis-limits.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { ScanPlaces } from './scan-places.ts';

let doors: RespFixture[];
let lines: RespLine[];
/** Milliseconds; stands still unless a test advances it. */
let now: number;
beforeEach(async () => {
  now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  doors = await Promise.all([openRespDoor(), openRespDoor()]);
  for (const { api } of doors) api.scansBySlot = true;
  lines = await Promise.all(doors.map((door) => door.connect()));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(doors.map((door) => door.stop()));
});

/** Stores the keys at both nodes. */
function store(...keys: readonly string[]): void {
  const rest: Omit<KeyRecord, 'key'> = {
    ...{ version: 1, origin: ORIGIN_CLIENT, tombstone: false, value: Buffer.from('v') },
    ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
  };
  for (const { api } of doors) for (const key of keys) api.records.set(key, { ...rest, key });
}

async function page(
  line: RespLine,
  cursor: string,
  options: string,
): Promise<{ next: string; keys: string[] }> {
  expect(await line.ask(`SCAN ${cursor} ${options}`)).toBe('*2');
  const next = await line.reply();
  const keys: string[] = [];
  for (let left = Number((await line.reply()).slice(1)); left > 0; left -= 1) keys.push(await line.reply());
  return { next, keys };
}

/** Asks the two nodes for pages in turn. */
async function walk(options: string, callsMax: number): Promise<string[]> {
  const seen: string[] = [];
  let cursor = '0';
  for (let call = 0; call < callsMax; call += 1) {
    const { next, keys } = await page(lines[call % lines.length]!, cursor, options);
    seen.push(...keys);
    if (next === '0') return seen;
    cursor = next;
  }
  throw new Error(`no end after ${callsMax} calls`);
}

const tagged = (count: number, pad = ''): string[] =>
  Array.from({ length: count }, (_, at) => `{tag}${pad}${at}`);

describe('SCAN', () => {
  test('another node for each page, and slots with more keys than COUNT: every key is told, and it ends', async () => {
    const keys = [...tagged(50), ...Array.from({ length: 200 }, (_, at) => `key:${at}`)];
    store(...keys);
    const seen = await walk('COUNT 7', 2 * keys.length);
    expect([...new Set(seen)].sort()).toEqual([...keys].sort());
    const some = await walk('COUNT 7 MATCH {tag}*', 2 * keys.length);
    expect([...new Set(some)].sort()).toEqual(tagged(50).sort());
  });

  test('pages that end with the slots of one owner, most of them empty: an exchange tells of many, within bounds', async () => {
    const [door] = doors;
    const [line] = lines;
    let pages = 0;
    const stored: KeyRecord[] = [];
    door!.api.scan = (after, limit, _timeoutMs, done) => {
      pages += 1;
      const slot = after === null ? 0 : parseInt(after.slice(0, 4), 16);
      expect(limit).toBe(10);
      const records = slot === 10 ? stored : [];
      const next = slot === 199 ? null : (slot + 1).toString(16).padStart(4, '0');
      setImmediate(() => done({ kind: 'page', records, next, incomplete: false }));
    };
    const { next, keys } = await page(line!, '0', 'COUNT 10');
    expect([keys, pages]).toEqual([[], RESP_SCAN_PAGES_MAX]);
    let cursor = next;
    let calls = 1;
    for (; cursor !== '0'; calls += 1) cursor = (await page(line!, cursor, 'COUNT 10')).next;
    expect([pages, calls]).toEqual([200, Math.ceil(200 / RESP_SCAN_PAGES_MAX)]);
    store('a');
    // One page's worth of bytes is not read many times over for the sake of its keys.
    stored.push({ ...door!.api.records.get('a')!, value: Buffer.alloc(SCAN_PAGE_BYTES_MAX) });
    pages = 0;
    expect((await page(line!, '0', 'COUNT 10')).keys).toEqual(['a']);
    expect(pages).toBe(11);
  });

  test('pages that take long: no further one is begun, and the next call goes on there', async () => {
    const [door] = doors;
    const [line] = lines;
    const asked: (string | null)[] = [];
    door!.api.scan = (after, _limit, _timeoutMs, done) => {
      asked.push(after);
      const next = asked.length === 6 ? null : asked.length.toString(16).padStart(4, '0');
      setImmediate(() => {
        now += RESP_SCAN_MS / 2;
        done({ kind: 'page', records: [], next, incomplete: false });
      });
    };
    const { next } = await page(line!, '0', 'COUNT 10');
    expect(asked).toEqual([null, '0001']);
    expect((await page(line!, next, 'COUNT 10')).next).not.toBe('0');
    expect(asked.slice(2)).toEqual(['0002', '0003']);
  });

  test('a page fails behind others: what these told is told, and the next call goes on there', async () => {
    const [door] = doors;
    const [line] = lines;
    let failing = true;
    door!.api.scan = (after, _limit, _timeoutMs, done) => {
      if (after === '0002' && failing)
        return setImmediate(() => done({ kind: 'failed', failure: failure('read_timeout') }));
      const next = after === null ? '0001' : after === '0001' ? '0002' : null;
      setImmediate(() => done({ kind: 'page', records: [], next, incomplete: false }));
    };
    const { next } = await page(line!, '0', 'COUNT 10');
    expect(next).not.toBe('0');
    expect(await line!.ask(`SCAN ${next}`)).toMatch(/^-TRYAGAIN read_timeout/);
    failing = false;
    expect((await page(line!, next, 'COUNT 10')).next).toBe('0');
  });

  test('a slot that is more than one reply holds: told in parts, each key once where nothing is remembered', async () => {
    const keys = tagged(18_000, 'x'.repeat(1_000));
    store(...keys);
    // A cursor from a node that has forgotten it since.
    const places = new ScanPlaces();
    let cursor = String(places.cursorFor(`${slotOf('{tag}').toString(16).padStart(4, '0')}{tag}`));
    const seen: string[] = [];
    for (let call = 0; slotOf('{tag}') === Number(BigInt(cursor) % 16_384n); call += 1) {
      const { next, keys: told } = await page(lines[call % 2]!, cursor, 'COUNT 1');
      seen.push(...told);
      cursor = next;
    }
    expect(seen).toHaveLength(keys.length);
    expect(new Set(seen).size).toBe(keys.length);
    expect(seen.length * 1_000).toBeGreaterThan(RESP_REPLY_BYTES_MAX);
  });

  test('a cursor that was forgotten, or is another node’s: its whole slot at once, then the next one', () => {
    const places = new ScanPlaces();
    const first = places.cursorFor('01a2key');
    expect(places.placeFor(BigInt(first))).toEqual({ kind: 'place', after: '01a2key' });
    const forgotten = { kind: 'slot', slot: 0x1a2, partsTold: 0 };
    expect(new ScanPlaces().placeFor(BigInt(first))).toEqual(forgotten);
    for (let count = 0; count < RESP_SCAN_PLACES_MAX; count += 1) places.cursorFor('0000a');
    expect(places.placeFor(BigInt(first))).toEqual(forgotten);
    const boundary = places.cursorFor('01a3');
    expect(new ScanPlaces().placeFor(BigInt(boundary))).toEqual({ kind: 'place', after: '01a3' });
    expect(places.placeFor(0n)).toEqual({ kind: 'place', after: null });
    expect(places.placeFor(2n ** 64n - 1n)).toEqual({ kind: 'slot', slot: 16_383, partsTold: 0 });
  });
});

describe('commands over a slot, and to a random key', () => {
  test.each([
    ['CLUSTER COUNTKEYSINSLOT', `CLUSTER COUNTKEYSINSLOT ${slotOf('{tag}')}`, ':600'],
    ['CLUSTER GETKEYSINSLOT', `CLUSTER GETKEYSINSLOT ${slotOf('{tag}')} 1000`, '*600'],
  ])('%s of more than a page: one of the few sweeps of a node', async (_name, call, told) => {
    store(...tagged(600));
    const [door] = doors;
    const [line] = lines;
    door!.server.door.sweeps = RESP_SWEEPS_MAX;
    expect(await line!.ask(call)).toMatch(/^-TRYAGAIN overloaded: /);
    door!.server.door.sweeps = 0;
    expect(await line!.ask(call)).toBe(told);
    expect(door!.server.door.sweeps).toBe(0);
  });

  test('a random key of slots that tell nothing: as one of the sweeps, and none for a connection that is gone', async () => {
    const [door] = doors;
    const [line] = lines;
    const { api } = door!;
    let pages = 0;
    api.scan = (_after, _limit, _timeoutMs, done) => {
      pages += 1;
      if (pages === 5) line!.socket.resetAndDestroy();
      setImmediate(() => done({ kind: 'page', records: [], next: '0001', incomplete: false }));
    };
    door!.server.door.sweeps = RESP_SWEEPS_MAX;
    expect(await line!.ask('RANDOMKEY')).toMatch(/^-TRYAGAIN overloaded: /);
    door!.server.door.sweeps = 0;
    line!.send('RANDOMKEY');
    while (pages < 5 || door!.server.door.sweeps > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toBeLessThan(1_000);
  });
});

test('DBSIZE where a member of an earlier version cannot be asked: the keys are read', async () => {
  store(...tagged(600));
  const [door] = doors;
  door!.api.operate = (_order, _timeoutMs, done) =>
    setImmediate(() => done({ kind: 'failed', failure: failure('upgrade_unfinished') }));
  expect(await lines[0]!.ask('DBSIZE')).toBe(':600');
  expect(door!.server.door.sweeps).toBe(0);
});
