/**
 * Keys that an owner watches on behalf of a node that does not own them. Two nodes' rules are joined by a link that
 * keeps the order and may lose messages, in simulated time. Invariant: no outdated copy is kept for longer than an
 * owner's answer stays valid.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { WATCH_ASK_EVERY_MS, WATCH_TRUST_MS, WATCH_UNSURE_EVERY_MS } from './client-limits.ts';
import { KeyWatch } from './key-watch.ts';
import type { Mutations } from '../mutations.ts';
import type { SlotView } from '../replication/slot-view.ts';
import { WatchForPeers } from './watch-for-peers.ts';
import type { WatchMessage } from './watch-message.ts';

const EPOCH = 7;
const TICK_MS = 10;
const NO = (): boolean => false;

/** An epoch in which the owner (id 2) owns all slots, as node `selfId` sees it. */
function viewOf(selfId: number, epoch = EPOCH): SlotView {
  const row = { owns: selfId === 2, first: 2, owners: [2] };
  const members = [
    { id: 1, name: 'reader' },
    { id: 2, name: 'owner' },
  ];
  return { rows: [row], row: () => row, topology: { epoch, members }, selfId } as unknown as SlotView;
}

/** A reader that owns nothing, and the owner that watches keys for it. */
class Pair {
  readonly told: string[] = [];
  readonly reader: KeyWatch;
  readonly owner: KeyWatch;
  /** Messages on their way to the reader. */
  readonly onLink: WatchMessage[] = [];
  isCut = false;
  now = 0;

  constructor(mutations: Mutations = {}) {
    this.reader = new KeyWatch(mutations, {
      canAsk: () => true,
      send: (_peer, message) => this.owner.onMessage('reader', 1, message),
      sessionFirst: 1,
    });
    this.owner = new KeyWatch(mutations, {
      canAsk: () => true,
      send: (_peer, message) => this.onLink.push(message),
      sessionFirst: 100,
    });
    this.reader.listen({
      changed: (key) => this.told.push(key),
      allChanged: () => this.told.push('all'),
      settled: (key, version) => this.told.push(`settled ${key} ${version}`),
      unsure: () => this.told.push('unsure'),
    });
    this.reader.onEpoch(viewOf(1), true);
    this.owner.onEpoch(viewOf(2), true);
    this.run(TICK_MS);
    this.told.length = 0;
  }

  /** A client of the reader reads the key, and keeps a copy if the owner says that it watches the key. */
  keep(key: string): void {
    this.reader.watch(key);
    expect(this.reader.handsOver(key, 'owner', false)).toBe(true);
    const session = this.owner.forPeers.add(key, 'reader');
    this.reader.answered(key, 'owner', this.owner.forPeers.has(key, session) ? session : 0);
  }

  deliver(): void {
    for (const message of this.onLink.splice(0)) this.reader.onMessage('owner', 2, message);
  }

  /** Messages on the link are lost, and both sides know it at once. */
  breakLink(): void {
    this.onLink.length = 0;
    this.owner.onLink('reader');
  }

  run(ms: number): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now += TICK_MS;
      this.owner.tick(this.now, 0, NO);
      this.reader.tick(this.now, 0, NO);
      if (!this.isCut) this.deliver();
    }
  }

  news(): string[] {
    return this.told.splice(0);
  }
}

let pair: Pair;
beforeEach(() => {
  pair = new Pair();
});

describe('a key that an owner watches for a node without it', () => {
  test('is kept for as long as nothing changes, and told when it is written, once', () => {
    pair.keep('k');
    pair.run(10_000);
    expect(pair.news()).toEqual([]);
    pair.owner.adopted('k');
    pair.owner.adopted('k');
    pair.run(TICK_MS);
    expect(pair.news()).toEqual(['k']);
    expect([pair.owner.forPeers.keyCount, pair.reader.abroad.count]).toEqual([0, 0]);
  });

  test('is written while the read is under way: told, and the answer says that nobody watches it', () => {
    pair.reader.watch('k');
    pair.reader.handsOver('k', 'owner', false);
    const session = pair.owner.forPeers.add('k', 'reader');
    pair.owner.adopted('k');
    expect(pair.owner.forPeers.has('k', session)).toBe(false);
    pair.reader.answered('k', 'owner', 0);
    expect(pair.news()).toEqual(['k']);
  });

  test('whose owner forwards the read to another node: told', () => {
    pair.keep('k');
    pair.owner.handsOver('k', 'third', true);
    pair.run(TICK_MS);
    expect(pair.news()).toEqual(['k']);
  });

  test('is no more kept than the bound allows: the oldest is told', () => {
    const sent: WatchMessage[] = [];
    const owner = new WatchForPeers({
      sessionFirst: 1,
      send: (_peer, message) => sent.push(message),
      keysMax: 2,
    });
    for (const key of ['a', 'b', 'c']) owner.add(key, 'reader');
    expect(sent).toEqual([{ kind: 'watchTold', what: 'changed', key: 'a', version: 0 }]);
    expect(owner.keyCount).toBe(2);
  });
});

describe('what is not heard any more is not kept', () => {
  test('the notice of a change is lost with the link: all keys watched over it are told as changed', () => {
    pair.keep('k');
    pair.run(WATCH_ASK_EVERY_MS * 2);
    pair.owner.adopted('k');
    pair.breakLink();
    pair.run(WATCH_ASK_EVERY_MS * 2);
    expect(pair.news()).toEqual(['k']);
  });

  test('the owner does not answer: told once its last answer is no longer valid, and not before', () => {
    pair.keep('k');
    pair.run(WATCH_ASK_EVERY_MS * 5);
    pair.isCut = true;
    pair.run(WATCH_TRUST_MS / 2);
    expect(pair.news()).toEqual([]);
    pair.owner.adopted('k');
    pair.run(WATCH_TRUST_MS / 2 + WATCH_ASK_EVERY_MS);
    expect(pair.news()).toEqual(['k']);
  });

  test('the owner is another process of that name: told', () => {
    pair.keep('k');
    pair.run(WATCH_ASK_EVERY_MS * 2);
    pair.reader.onMessage('owner', 2, {
      kind: 'watchHeard',
      askedAt: pair.now,
      session: 7_000,
      epoch: EPOCH,
      all: false,
    });
    expect(pair.news()).toEqual(['k']);
  });

  test('the link from it is gone: told at once', () => {
    pair.keep('k');
    pair.reader.abroad.lose('owner');
    expect(pair.news()).toEqual(['k']);
  });

  test('the owner may be deaf, or gives the slots up: told', () => {
    pair.keep('k');
    pair.owner.tick(pair.now, Infinity, NO);
    pair.deliver();
    expect(pair.news()).toEqual(['k']);
    pair.owner.tick(pair.now, 0, NO);
    pair.keep('k');
    pair.owner.onEpoch(viewOf(1, EPOCH + 1), true);
    pair.deliver();
    expect(pair.news()).toEqual(['k']);
  });

  test('without these rules a change is never heard of: seen to fail', () => {
    const trusting = new Pair({ watchUnanswered: true });
    trusting.keep('k');
    trusting.run(WATCH_ASK_EVERY_MS * 2);
    trusting.owner.adopted('k');
    trusting.breakLink();
    trusting.run(10 * WATCH_TRUST_MS);
    expect(trusting.news()).toEqual([]);
  });
});

describe('all changes, at a node that does not own all slots', () => {
  beforeEach(() => {
    pair.reader.watchAll(true);
    pair.run(WATCH_ASK_EVERY_MS * 2);
    // When all changes begin to be heard, earlier ones may have been missed: announced once.
    expect(pair.news().at(-1)).toBe('unsure');
  });

  test('each is told by who comes first in its slot, and nothing else is said', () => {
    pair.run(10_000);
    expect(pair.news()).toEqual([]);
    pair.owner.adopted('k');
    pair.owner.settled('k', 5);
    pair.run(TICK_MS);
    expect(pair.news()).toEqual(['settled k 5']);
  });

  test('a version that outranks another in flight is told without its number, and the next one with it', () => {
    pair.owner.adopted('k');
    pair.owner.adopted('k');
    pair.owner.settled('k', 5);
    pair.owner.adopted('k');
    pair.owner.settled('k', 6);
    pair.run(TICK_MS);
    expect(pair.news()).toEqual(['settled k 0', 'settled k 6']);
  });

  test('the link breaks: that anything may have changed, and then each change again', () => {
    pair.owner.settled('k', 5);
    pair.breakLink();
    pair.run(WATCH_ASK_EVERY_MS * 2);
    expect(pair.news()).toContain('unsure');
    pair.run(2 * WATCH_UNSURE_EVERY_MS);
    pair.news();
    pair.owner.settled('k', 5);
    pair.run(TICK_MS);
    expect(pair.news()).toEqual(['settled k 5']);
  });

  test('the owner is not heard, or acts in another epoch: once a second that anything may have changed', () => {
    pair.isCut = true;
    pair.run(WATCH_TRUST_MS + 3 * WATCH_UNSURE_EVERY_MS);
    expect(pair.news().length).toBeGreaterThanOrEqual(3);
    pair.isCut = false;
    pair.run(WATCH_ASK_EVERY_MS * 2);
    pair.news();
    pair.owner.onEpoch(viewOf(2, EPOCH + 1), true);
    pair.run(3 * WATCH_UNSURE_EVERY_MS);
    expect(pair.news().filter((each) => each === 'unsure').length).toBeGreaterThanOrEqual(2);
  });

  test('nobody listens any more: the owner tells nothing any more', () => {
    pair.reader.watchAll(false);
    pair.run(WATCH_ASK_EVERY_MS * 2);
    expect(pair.owner.forPeers.tellsAll).toBe(false);
  });
});
