/**
 * Keeps one link to one peer: dials, shakes hands, sends, detects failure, and dials again, for ever. A watchdog ends a
 * dial that hangs anywhere (name resolution, connecting, a stopped process behind an open socket).
 */
import type { ConnectionOptions } from 'node:tls';
import type { Random } from '../../ports/random.ts';
import type { PeerHello } from '../../ports/transport.ts';
import { encodeHello, parseAnswer, speaks } from '../../wire/handshake.ts';
import { encodeAlive, encodeText, FIELD_HELLO } from '../../wire/packet-codec.ts';
import type { Packet } from '../../wire/packet-codec.ts';
import { PeerLink } from './peer-link.ts';

/** In milliseconds, except for the counts. */
export interface LinkTiming {
  readonly backOffMsMin: number;
  readonly backOffMsMax: number;
  /** From the start of the dial to the answer. */
  readonly handshakeMsMax: number;
  /** How often signs of life are sent and checked. */
  readonly aliveEveryMs: number;
  /**
   * How many ticks may pass without a sign of life before a link counts as dead. Ticks rather than time: after a pause
   * of this process only one tick passes, and what arrived in the meantime is read before the next.
   */
  readonly silentTicksMax: number;
}

export const LINK_TIMING: LinkTiming = {
  backOffMsMin: 50,
  backOffMsMax: 1000,
  handshakeMsMax: 2000,
  aliveEveryMs: 500,
  silentTicksMax: 5,
};

/** How long (ms) a link must have stood before the back-off starts over. */
const STEADY_MS = 1000;

export interface DialerSetup {
  readonly name: string;
  readonly address: string;
  readonly hello: PeerHello;
  /** Distinguishes this process from all others that ever had its name. */
  readonly run: string;
  /** Numbers the dials of this process. */
  readonly nextAttempt: () => number;
  readonly tls: ConnectionOptions | null;
  readonly timing: LinkTiming;
  readonly queueBytesMax: number;
  readonly random: Random;
  readonly onUp: (protocol: number) => void;
  readonly onDown: (reason: string) => void;
  readonly onRefused: (reason: string) => void;
}

type DialState =
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  /** Connecting or waiting for the answer; `timer` is the watchdog over both. */
  | { readonly kind: 'dialling'; readonly link: PeerLink; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'up'; readonly link: PeerLink; readonly since: number }
  /** Queued frames are being sent; the state ends when the peer ends its side of the stream. */
  | { readonly kind: 'finishing'; readonly link: PeerLink }
  | { readonly kind: 'ended' };

export class PeerDialer {
  readonly address: string;
  private readonly setup: DialerSetup;
  private state: DialState;
  private backOffMs: number;
  private silentTicks = 0;

  constructor(setup: DialerSetup) {
    this.setup = setup;
    this.address = setup.address;
    this.backOffMs = setup.timing.backOffMsMin;
    this.state = { kind: 'waiting', timer: setTimeout(() => this.dial(), 0) };
  }

  get queuedBytes(): number {
    return this.state.kind === 'up' || this.state.kind === 'finishing' ? this.state.link.queuedBytes : 0;
  }

  /**
   * Returns false if the link is down, or if the frame does not fit into its queue; in the latter case the link is cut.
   */
  send(frame: Uint8Array): boolean {
    if (this.state.kind !== 'up') return false;
    const link = this.state.link;
    const queued = link.queuedBytes;
    if (queued > 0 && queued + frame.length > this.setup.queueBytesMax) {
      link.destroy();
      this.dialLater();
      // Not reported from within this call. The next dial is due later than this.
      setImmediate(() => this.reportDown('queue full'));
      return false;
    }
    link.writeFrame(frame);
    return true;
  }

  /** Called every `aliveEveryMs`: sends a sign of life and checks for the peer's. */
  tick(): void {
    if (this.state.kind !== 'up') return;
    const link = this.state.link;
    this.silentTicks += 1;
    if (this.silentTicks > this.setup.timing.silentTicksMax) {
      link.destroy();
      this.lose('the peer is silent');
    } else if (link.queuedBytes === 0) {
      link.writePacket(encodeAlive());
    }
  }

  /** The peer is alive, since it has just dialled us: skip the rest of the pause before the next dial. */
  hurry(): void {
    if (this.state.kind !== 'waiting') return;
    this.setState({ kind: 'waiting', timer: setTimeout(() => this.dial(), 0) });
  }

  /** Drops the link at once; no event follows. */
  end(): void {
    if (this.state.kind === 'ended') return;
    if (this.state.kind !== 'waiting') this.state.link.destroy();
    this.setState({ kind: 'ended' });
  }

  /** Sends what is queued, then lets the link end. The caller ends it for good after a while. */
  finish(): void {
    if (this.state.kind !== 'up') {
      this.end();
      return;
    }
    this.state.link.finish();
    this.setState({ kind: 'finishing', link: this.state.link });
  }

  get isEnded(): boolean {
    return this.state.kind === 'ended';
  }

  /** The only way to change state: a timer never outlives its state. */
  private setState(state: DialState): void {
    if (this.state.kind === 'waiting' || this.state.kind === 'dialling') clearTimeout(this.state.timer);
    this.state = state;
  }

  private dial(): void {
    const { address, hello, name, run, nextAttempt, timing, tls } = this.setup;
    const events = {
      onPacket: (packet: Packet) => this.receive(packet),
      onClosed: (reason: string) => this.lose(reason),
    };
    let link: PeerLink;
    try {
      link = new PeerLink(address, tls, events);
    } catch (error) {
      this.setup.onRefused(`the address cannot be dialled: ${(error as Error).message}`);
      if (this.state.kind !== 'ended') this.dialLater();
      return;
    }
    const timer = setTimeout(() => {
      link.destroy();
      this.dialLater();
    }, timing.handshakeMsMax);
    this.setState({ kind: 'dialling', link, timer });
    link.writePacket(
      encodeText(FIELD_HELLO, encodeHello({ ...hello, to: name, run, attempt: nextAttempt() })),
    );
  }

  private receive(packet: Packet): void {
    this.silentTicks = 0;
    if (packet.kind === 'alive' || this.state.kind === 'finishing') return;
    if (this.state.kind !== 'dialling' || packet.kind !== 'answer') {
      this.drop(packet.kind === 'fault' ? packet.fault : `an unexpected packet: ${packet.kind}`);
      return;
    }
    const answer = parseAnswer(packet.text);
    if (answer === undefined) this.refuse('the answer is not understood');
    else if (answer.refusal !== null) this.refuse(answer.refusal);
    else if (answer.name !== this.setup.name) this.refuse(`name: '${answer.name}' answered`);
    else if (!speaks(this.setup.hello, answer.protocol))
      this.refuse(`protocol: version ${answer.protocol} was chosen`);
    else {
      this.setState({ kind: 'up', link: this.state.link, since: performance.now() });
      this.setup.onUp(answer.protocol);
    }
  }

  private refuse(reason: string): void {
    if (this.state.kind === 'dialling') this.state.link.destroy();
    this.dialLater();
    this.setup.onRefused(reason);
  }

  private drop(reason: string): void {
    if (this.state.kind === 'up' || this.state.kind === 'dialling') this.state.link.destroy();
    this.lose(reason);
  }

  /** The present link is gone. It is reported only if it had been up. */
  private lose(reason: string): void {
    if (this.state.kind === 'finishing') this.end();
    if (this.state.kind === 'ended') return;
    const wasUp = this.state.kind === 'up';
    this.dialLater();
    if (wasUp) this.reportDown(reason);
  }

  private reportDown(reason: string): void {
    if (this.state.kind !== 'ended') this.setup.onDown(reason);
  }

  private dialLater(): void {
    const { timing, random } = this.setup;
    const steady = this.state.kind === 'up' && performance.now() - this.state.since >= STEADY_MS;
    if (steady) this.backOffMs = timing.backOffMsMin;
    const delayMs = this.backOffMs * (0.5 + random.next() / 2);
    this.backOffMs = Math.min(this.backOffMs * 2, timing.backOffMsMax);
    this.silentTicks = 0;
    this.setState({ kind: 'waiting', timer: setTimeout(() => this.dial(), delayMs) });
  }
}
