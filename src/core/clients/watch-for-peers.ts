/**
 * The counterpart of watch-abroad.ts: keys that this node, an owner, watches on behalf of nodes that do not own them,
 * and peers that want to hear of all changes in the slots of which it is the first owner. Keys watched for one peer
 * belong to a session, whose number is never used again: once a message to the peer may be lost, the session is over,
 * and the next answer to the peer says so. (decision 23)
 */
import { WATCHED_FOR_PEERS_MAX } from './client-limits.ts';
import type { SlotView } from '../replication/slot-view.ts';
import { slotOf } from '../placement/slots.ts';
import { TrackingTable } from './tracking-table.ts';
import type { WatchAsk, WatchMessage } from './watch-message.ts';

export interface WatchForPeersParts {
  /** A random number, so that no other process of this name uses the same sessions. */
  readonly sessionFirst: number;
  readonly send: (peer: string, message: WatchMessage) => void;
  readonly keysMax?: number;
}

interface Session {
  readonly number: number;
  /** The peer's member id if it hears of all changes, otherwise 0. */
  allAs: number;
}

export class WatchForPeers {
  private readonly parts: WatchForPeersParts;
  private readonly keysMax: number;
  /** Keys by the session under which they are watched. */
  private readonly table = new TrackingTable();
  private readonly sessions = new Map<string, Session>();
  private readonly peers = new Map<number, string>();
  private next: number;
  /** Peers that hear of all changes. */
  private allCount = 0;

  constructor(parts: WatchForPeersParts) {
    this.parts = parts;
    this.next = parts.sessionFirst;
    this.keysMax = parts.keysMax ?? WATCHED_FOR_PEERS_MAX;
  }

  get keyCount(): number {
    return this.table.keyCount;
  }

  get tellsAll(): boolean {
    return this.allCount > 0;
  }

  /** Call before the read starts. Returns the session. */
  add(key: string, peer: string): number {
    const { number } = this.sessionOf(peer);
    this.table.add(key, number);
    while (this.table.itemCount > this.keysMax) this.changed(this.table.oldest()!);
    return number;
  }

  /** True if the key is still watched under that session. */
  has(key: string, session: number): boolean {
    return this.table.has(key, session);
  }

  changed(key: string): void {
    for (const session of this.table.take(key)) {
      const peer = this.peers.get(session);
      if (peer !== undefined) this.parts.send(peer, { kind: 'watchTold', what: 'changed', key, version: 0 });
    }
  }

  allChanged(): void {
    if (this.table.keyCount === 0) return;
    this.table.takeAll();
    for (const peer of this.sessions.keys()) this.parts.send(peer, { kind: 'watchAllTold' });
  }

  /** Drops keys in slots that this node did not own in both epochs: it may not hear of their changes. */
  changedWhere(isMeant: (slot: number) => boolean): void {
    for (const key of this.table.keys()) if (isMeant(slotOf(key))) this.changed(key);
  }

  /** A new version of the key can be read; 0 if it is unknown which. */
  settled(key: string, version: number, view: SlotView | null): void {
    const row = view?.row(slotOf(key));
    if (view === null || row?.first !== view.selfId) return;
    for (const [peer, { allAs }] of this.sessions) {
      // An owner of the slot hears of the change by itself.
      if (allAs === 0 || row.owners.includes(allAs)) continue;
      this.parts.send(peer, { kind: 'watchTold', what: 'settled', key, version });
    }
  }

  /** `from`: the asker's member id. `epoch`: the epoch in which this node hears of all writes; 0 if there is none. */
  asked(peer: string, from: number, { askedAt, all }: WatchAsk, epoch: number): void {
    const session = this.sessionOf(peer);
    this.setAll(session, all ? from : 0);
    const { number, allAs } = session;
    this.parts.send(peer, { kind: 'watchHeard', askedAt, session: number, epoch, all: allAs !== 0 });
  }

  /** A message to this peer may be lost, or was. */
  onLinkLost(peer: string): void {
    const session = this.sessions.get(peer);
    if (session === undefined) return;
    this.setAll(session, 0);
    this.sessions.delete(peer);
    this.peers.delete(session.number);
  }

  private setAll(session: Session, allAs: number): void {
    this.allCount += (allAs === 0 ? 0 : 1) - (session.allAs === 0 ? 0 : 1);
    session.allAs = allAs;
  }

  private sessionOf(peer: string): Session {
    let session = this.sessions.get(peer);
    if (session === undefined) {
      session = { number: this.next, allAs: 0 };
      this.next += 1;
      this.sessions.set(peer, session);
      this.peers.set(session.number, peer);
    }
    return session;
  }
}
