/**
 * Lists the keys of a running cluster page by page, at one node after another: each page begins where the previous one
 * ended, or between any two keys. In the history a page is a read of each key in its range: of those that it contains,
 * and of those that it does not. So a page that misses a key which existed throughout, or contains one that was gone
 * before the request, is an answer that no order of reads and writes explains.
 */
import { Prng } from '../src/base/prng.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { ScanResult } from '../src/core/operation.ts';
import { cursorOf, placeOf, SCAN_START } from '../src/core/clients/scan-place.ts';
import type { ScanPlace } from '../src/core/clients/scan-place.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { recordOutcome } from './client-words.ts';
import type { HistoryOutcome } from './checkers/history.ts';
import type { SimClients } from './clients.ts';
import type { RunProfile } from './run-profile.ts';
import type { SimWorld } from './world.ts';

const LIMIT_MAX = 4;
const TIMEOUT_MS = 2_000;
/** Milliseconds after which a page is given up: its node has died, or hangs. */
const PATIENCE_MS = 3_000;
/** Not the name of any client. */
const CLIENT = 'lister';

/** Keys are listed all the time while slots move and nodes die, with several keys in one slot. */
export const LISTINGS: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 150,
    keys: [
      ...['key:0', 'count:1', '{a}1', '{a}2', '{a}3', '{b}1', '{b}2'],
      ...Array.from({ length: 7 }, (_, index) => `key:${index + 2}`),
    ],
    hotShare: 0.1,
    thinkMsMax: 100,
    timeoutMs: 3_000,
    conditionalShare: 0.3,
    readShare: 0.3,
    ttlShare: 0.1,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['join', 'leave', 'replace', 'kill', 'killAtStep', 'killAll', 'pause', 'slowPeer', 'isolate'],
    ...['cutOneWay', 'wipe', 'wallJump', 'databaseSlow'],
  ] as const,
  faultMsMean: 700,
  listMsMean: 25,
};

export class SimLister {
  private readonly world: SimWorld;
  private readonly clients: SimClients;
  private readonly prng: Prng;
  private readonly msMean: number;
  private readonly onPage: () => void;
  private after: string | null = null;

  constructor(world: SimWorld, clients: SimClients, msMean: number, onPage: () => void) {
    this.world = world;
    this.clients = clients;
    this.prng = new Prng(world.plan.idSeed ^ 0x115757);
    this.msMean = msMean;
    this.onPage = onPage;
    this.later();
  }

  private later(): void {
    this.world.scheduler.after(this.prng.between(0, 2 * this.msMean), () => this.next());
  }

  private next(): void {
    if (this.clients.finished) return;
    const { cluster, scheduler, wall } = this.world;
    const up = cluster.nodes.filter(({ node }) => node !== null);
    if (up.length === 0) return this.later();
    if (this.prng.chance(0.1)) this.after = this.anywhere();
    const { after } = this;
    const mark = wall.mark();
    const invokedAt = this.clients.now;
    let isOver = false;
    const end = (result: ScanResult | null): void => {
      if (isOver) return;
      isOver = true;
      scheduler.cancel(giveUp);
      if (result?.kind === 'page') {
        const read = { client: CLIENT, call: { kind: 'get' }, invokedAt, wall: wall.since(mark) } as const;
        const returnedAt = this.clients.now;
        for (const [key, outcome] of this.told(after, result))
          this.clients.history.push({ ...read, key, outcome, returnedAt });
        this.after = result.next;
        this.onPage();
      }
      this.later();
    };
    const giveUp = scheduler.after(PATIENCE_MS, () => end(null));
    const limit = 1 + this.prng.below(LIMIT_MAX);
    this.prng.pick(up).node!.scan(after, limit, TIMEOUT_MS, end);
  }

  private anywhere(): string | null {
    if (this.prng.chance(0.3)) return null;
    const key = this.prng.pick(this.world.plan.keys);
    return cursorOf({ slot: slotOf(key), afterKey: this.prng.chance(0.5) ? key : '' });
  }

  private told(
    after: string | null,
    page: Extract<ScanResult, { kind: 'page' }>,
  ): [string, HistoryOutcome][] {
    const from = after === null ? SCAN_START : placeOf(after)!;
    const to = page.next === null ? null : placeOf(page.next)!;
    const records = new Map(page.records.map((record) => [record.key, record]));
    return this.world.plan.keys.flatMap((key): [string, HistoryOutcome][] => {
      const place = { slot: slotOf(key), afterKey: key };
      const record = records.get(key);
      if (record !== undefined) return [[key, recordOutcome(record)]];
      const isPast = isBefore(from, place) && (to === null || !isBefore(to, place));
      return isPast && !page.incomplete ? [[key, { kind: 'value', value: null }]] : [];
    });
  }
}

function isBefore(a: ScanPlace, b: ScanPlace): boolean {
  return a.slot === b.slot ? compareUtf8(a.afterKey, b.afterKey) < 0 : a.slot < b.slot;
}
