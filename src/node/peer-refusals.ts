/**
 * Which peers and this process refuse each other for what both must have alike, as their last handshakes told. Nobody takes part
 * who differs; a process that has never been a member waits for ever then, and is better ended with the difference told.
 */
import { JOINERS_MAX } from '../core/limits.ts';
import type { Transport, TransportHandler } from '../ports/transport.ts';
import { isOfSettings } from '../wire/handshake.ts';
import type { PeerRefusal } from './status-parts.ts';

/** Milliseconds after which a refusal that was not repeated counts for nothing: peers dial every second. */
const KEPT_MS = 10_000;
/** Milliseconds for which nobody is linked, and somebody refuses: longer than peers that start together take to see each other. */
const HOPELESS_AFTER_MS = 5_000;

interface Told {
  readonly reason: string;
  readonly since: number;
  readonly at: number;
}

export class PeerRefusals {
  private readonly byPeer = new Map<string, Told>();
  private readonly linked = new Set<string>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The same transport, overheard. */
  watch(transport: Transport): Transport {
    return {
      start: (hello, handler) => transport.start(hello, this.overhearing(handler)),
      dial: (name, address) => transport.dial(name, address),
      forget: (name) => {
        this.linked.delete(name);
        this.byPeer.delete(name);
        transport.forget(name);
      },
      send: (name, frame) => transport.send(name, frame),
      queuedBytes: (name) => transport.queuedBytes(name),
      close: (done) => transport.close(done),
    };
  }

  list(): PeerRefusal[] {
    this.forgetOld();
    return [...this.byPeer].map(([peer, { reason }]) => ({ peer, reason }));
  }

  /** Why a process that is no member yet need not wait: who is there refuses it, and nobody has taken it. Null: it may be let in. */
  whyHopeless(): string | null {
    this.forgetOld();
    if (this.linked.size > 0 || this.byPeer.size === 0) return null;
    const { reason, since } = [...this.byPeer.values()].sort((one, other) => one.since - other.since)[0]!;
    if (this.now() - since < HOPELESS_AFTER_MS) return null;
    const peers = [...this.byPeer.keys()].sort().join(', ');
    return `it and ${peers} refuse each other: ${reason}; set it alike everywhere, then start again`;
  }

  private overhearing(handler: TransportHandler): TransportHandler {
    return {
      onLinkUp: (name, protocol) => {
        this.linked.add(name);
        this.byPeer.delete(name);
        handler.onLinkUp(name, protocol);
      },
      onLinkDown: (name, reason) => {
        this.linked.delete(name);
        handler.onLinkDown(name, reason);
      },
      onFrame: (name, frame) => handler.onFrame(name, frame),
      onPeerGone: (name) => handler.onPeerGone(name),
      onRefused: (name, reason) => {
        if (isOfSettings(reason)) this.note(name, reason);
        handler.onRefused(name, reason);
      },
    };
  }

  private note(name: string, reason: string): void {
    const now = this.now();
    const before = this.byPeer.get(name);
    if (before === undefined && this.byPeer.size >= JOINERS_MAX) return;
    this.byPeer.set(name, { reason, since: before?.since ?? now, at: now });
  }

  private forgetOld(): void {
    for (const [name, { at }] of this.byPeer) if (this.now() - at > KEPT_MS) this.byPeer.delete(name);
  }
}
