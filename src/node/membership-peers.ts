/**
 * What one node knows of the processes at the other ends of its links: whether a link is up, what the process
 * there said about itself, and whether it belongs to our cluster at all. A peer that
 * has not introduced itself, or belongs to another cluster, is not listened to. (PROTOCOL R11, R27)
 */
import type { Introduction, LifeName } from '../core/membership-message.ts';
import type { FrameHeader } from '../core/message.ts';
import { PROTOCOL_MIN } from '../core/protocol-versions.ts';
import { sameLife } from '../core/register.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CLUSTER_ID_DAMAGED } from './membership-disk.ts';
import type { Identity } from './membership-disk.ts';

/** Milliseconds between two sendings of the topology to a peer that lags behind. */
const NEWS_PAUSE_MS = 20;

export interface Peer {
  readonly name: string;
  linked: boolean;
  /** The version that our link to it has, as it came up last. */
  protocol: number;
  /** What the process said about itself; null once its link to us is gone. */
  introduction: Introduction | null;
  /** It introduced itself and is of our cluster, or of none. */
  trusted: boolean;
  newsNotBefore: number;
  skewWarnedAt: number;
  /** The last heartbeat of its process: in whose name, and when by that process's clock; null where there is none. */
  asked: { readonly header: FrameHeader; readonly sentAt: number } | null;
}

export class PeerTable {
  /** What those said about themselves who are listened to: asked for with every tick, so kept and not gathered. */
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

  /** The link to the peer stands, and by its own the peer has introduced itself. */
  isLinked(name: string): boolean {
    const peer = this.peers.get(name);
    return peer !== undefined && peer.linked && peer.introduction !== null;
  }

  linked(): Peer[] {
    return [...this.peers.values()].filter((peer) => peer.linked);
  }

  /** Its process is gone, or its link to us: what it said counts no more. */
  onGone(peer: Peer): void {
    peer.introduction = null;
    peer.asked = null;
    this.introductions.delete(peer.name);
  }

  /** A process of another cluster, or of another life of ours, is not listened to. */
  onIntroduction(peer: Peer, introduction: Introduction, own: Identity): void {
    const { clusterId, life } = introduction;
    const standing = peer.introduction;
    this.judge(peer, introduction, own);
    if (peer.trusted || standing?.incarnation === introduction.incarnation) return;
    this.telemetry.event('error', 'membership.foreign', { peer: peer.name, clusterId, life });
  }

  /** This disk belongs to another life than before: so who is listened to is judged anew. */
  onLife(own: Identity): void {
    for (const peer of this.peers.values()) {
      if (peer.introduction !== null) this.judge(peer, peer.introduction, own);
    }
  }

  /** False where nobody of that name is known. */
  onLinkUp(name: string, protocol: number): boolean {
    const peer = this.peers.get(name);
    if (peer === undefined) return false;
    peer.linked = true;
    peer.protocol = protocol;
    peer.newsNotBefore = 0;
    return true;
  }

  /** The link to the peer stands, and has an earlier version than this. */
  speaksLess(name: string, protocol: number): boolean {
    const peer = this.peers.get(name);
    return peer?.linked === true && peer.protocol < protocol;
  }

  /** Should the peer be told a topology of this epoch now? */
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
