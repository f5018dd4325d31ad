/**
 * What one node knows of the processes at the other ends of its links: whether a link is up, what the process has said
 * about itself, and whether it belongs to our cluster at all. A peer that has not introduced itself, or belongs to
 * another cluster, is ignored. (PROTOCOL R11, R27)
 */
import type { Introduction, LifeName } from '../../core/membership/membership-message.ts';
import type { FrameHeader } from '../../core/message.ts';
import { PROTOCOL_MIN } from '../../core/membership/protocol-versions.ts';
import { sameLife } from '../../core/membership/register.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { CLUSTER_ID_DAMAGED } from './disk.ts';
import type { Identity } from './disk.ts';

/** Milliseconds between two messages with the topology to a peer that lags behind. */
const NEWS_PAUSE_MS = 20;

export interface Peer {
  readonly name: string;
  linked: boolean;
  /** The protocol version of our link to the peer, as of its last connection. */
  protocol: number;
  /** What the process has said about itself; null once its link to us is gone. */
  introduction: Introduction | null;
  /** The peer has introduced itself, and belongs to our cluster or to none. */
  trusted: boolean;
  newsNotBefore: number;
  skewWarnedAt: number;
  /** The last heartbeat of its process: its frame header, and the sender's clock; null if there is none. */
  asked: { readonly header: FrameHeader; readonly sentAt: number } | null;
}

export class PeerTable {
  /** Introductions of all trusted peers. Kept up to date, because they are needed on every tick. */
  readonly introductions = new Map<string, Introduction>();
  private readonly peers = new Map<string, Peer>();
  private readonly telemetry: Telemetry;

  constructor(names: readonly string[], telemetry: Telemetry) {
    this.telemetry = telemetry;
    for (const name of names) this.add(name);
  }

  add(name: string): void {
    if (this.peers.has(name)) return;
    this.peers.set(name, {
      name,
      linked: false,
      protocol: PROTOCOL_MIN,
      introduction: null,
      trusted: false,
      newsNotBefore: 0,
      skewWarnedAt: -Infinity,
      asked: null,
    });
  }

  remove(name: string): void {
    this.peers.delete(name);
    this.introductions.delete(name);
  }

  get(name: string): Peer | undefined {
    return this.peers.get(name);
  }

  /** True if our link to the peer is up, and the peer has introduced itself on its own link. */
  isLinked(name: string): boolean {
    const peer = this.peers.get(name);
    return peer !== undefined && peer.linked && peer.introduction !== null;
  }

  linked(): Peer[] {
    return [...this.peers.values()].filter((peer) => peer.linked);
  }

  /** The peer's process, or its link to us, is gone: what it said no longer counts. */
  onGone(peer: Peer): void {
    peer.introduction = null;
    peer.asked = null;
    this.introductions.delete(peer.name);
  }

  /** A process of another cluster, or of another life of ours, is ignored. */
  onIntroduction(peer: Peer, introduction: Introduction, own: Identity): void {
    const { clusterId, life } = introduction;
    const standing = peer.introduction;
    this.judge(peer, introduction, own);
    if (peer.trusted || standing?.incarnation === introduction.incarnation) return;
    this.telemetry.event('error', 'membership.foreign', { peer: peer.name, clusterId, life });
  }

  /** This disk now belongs to another life, so trust in each peer is judged again. */
  onLife(own: Identity): void {
    for (const peer of this.peers.values()) {
      if (peer.introduction !== null) this.judge(peer, peer.introduction, own);
    }
  }

  /** Returns false if no peer of that name is known. */
  onLinkUp(name: string, protocol: number): boolean {
    const peer = this.peers.get(name);
    if (peer === undefined) return false;
    peer.linked = true;
    peer.protocol = protocol;
    peer.newsNotBefore = 0;
    return true;
  }

  /** True if the link to the peer is up and has an earlier protocol version than this. */
  speaksLess(name: string, protocol: number): boolean {
    const peer = this.peers.get(name);
    return peer?.linked === true && peer.protocol < protocol;
  }

  /** True if the peer's process has sent a heartbeat in this epoch or a later one. */
  actsIn(name: string, epoch: number): boolean {
    const asked = this.peers.get(name)?.asked;
    return asked !== undefined && asked !== null && asked.header.epoch >= epoch;
  }

  /** True if the peer should be sent a topology of this epoch now. */
  wantsNews(peer: Peer, header: FrameHeader, epoch: number, now: number): boolean {
    if (header.epoch >= epoch || !peer.linked || now < peer.newsNotBefore) return false;
    peer.newsNotBefore = now + NEWS_PAUSE_MS;
    return true;
  }

  private judge(peer: Peer, introduction: Introduction, own: Identity): void {
    peer.introduction = introduction;
    peer.trusted = areOne(introduction, own);
    if (peer.trusted) this.introductions.set(peer.name, introduction);
    else this.introductions.delete(peer.name);
  }
}

function areOne(a: LifeName, b: LifeName): boolean {
  if (!belongsSomewhere(a.clusterId) || !belongsSomewhere(b.clusterId)) return true;
  return sameLife(a, b);
}

export function belongsSomewhere(clusterId: string): boolean {
  return clusterId !== '' && clusterId !== CLUSTER_ID_DAMAGED;
}
