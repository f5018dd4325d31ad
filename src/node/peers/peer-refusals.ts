/**
 * Peers that this process refuses, or that refuse it, because of settings that all must share or a name used by two
 * processes, as their last handshakes showed. A process that differs cannot take part; one that was never a member
 * would then wait forever, and should rather end and report the difference.
 */
import { JOINERS_MAX } from '../../core/limits.ts';
import type { Transport, TransportHandler } from '../../ports/transport.ts';
import { isForPerson, isNameTaken } from '../../wire/handshake.ts';
import type { PeerRefusal } from '../status.ts';

/** Milliseconds after which a refusal that was not repeated is ignored: peers dial every second. */
const KEPT_MS = 10_000;
/**
 * Milliseconds during which no peer is linked and some peer refuses: longer than peers that start together need to see
 * each other.
 */
const HOPELESS_AFTER_MS = 5_000;

interface Told {
  readonly reason: string;
  readonly since: number;
  readonly at: number;
}

export class PeerRefusals {
  private readonly byPeer = new Map<string, Told>();
  private readonly linked = new Set<string>();
  /**
   * Peers that this process dials. Other processes dial this one too, but a leftover node of another cluster decides
   * nothing here.
   */
  private readonly dialled = new Set<string>();
  private readonly now: () => number;
  private aloneSince: number;

  constructor(now: () => number) {
    this.now = now;
    this.aloneSince = now();
  }

  /** Wraps the transport to observe its refusals. */
  watch(transport: Transport): Transport {
    return {
      start: (hello, handler) => transport.start(hello, this.overhearing(handler)),
      dial: (name, address) => {
        this.dialled.add(name);
        transport.dial(name, address);
      },
      forget: (name) => {
        this.dialled.delete(name);
        this.unlink(name);
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

  /**
   * Why a process that is not a member yet need not wait any longer: most of the peers that it dials refuse it, and
   * none has accepted it. Null if it may still be admitted. If one refuses and others have not come yet, the one that
   * refuses may be wrong.
   */
  whyHopeless(): string | null {
    this.forgetOld();
    const refusing = [...this.byPeer].filter(([name]) => this.dialled.has(name));
    if (this.linked.size > 0 || refusing.length * 2 <= this.dialled.size) return null;
    const { reason, since } = refusing
      .map(([, told]) => told)
      .sort((one, other) => one.since - other.since)[0]!;
    if (this.now() - Math.max(since, this.aloneSince) < HOPELESS_AFTER_MS) return null;
    const peers = refusing
      .map(([name]) => name)
      .sort()
      .join(', ');
    if (isNameTaken(reason)) return `refused by ${peers}: ${reason}`;
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
        this.unlink(name);
        handler.onLinkDown(name, reason);
      },
      onFrame: (name, frame) => handler.onFrame(name, frame),
      onPeerGone: (name) => handler.onPeerGone(name),
      onRefused: (name, reason) => {
        if (isForPerson(reason)) this.note(name, reason);
        handler.onRefused(name, reason);
      },
    };
  }

  private unlink(name: string): void {
    if (this.linked.delete(name) && this.linked.size === 0) this.aloneSince = this.now();
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
