/**
 * The transport of one simulated process: dials like the real one (back-off, watchdog, handshake), over links on
 * virtual time. It ends with its process: the scheduler drops the events of an ended life.
 */
import { assert } from '../src/base/assert.ts';
import type { PeerHello, Transport, TransportHandler } from '../src/ports/transport.ts';
import { answerTo, speaks } from '../src/wire/handshake.ts';
import { SimLink } from './network-link.ts';
import type { SimNetwork } from './network.ts';
import type { Life } from './scheduler.ts';

const BACK_OFF_MS_MIN = 50;
const BACK_OFF_MS_MAX = 1000;
const HANDSHAKE_MS_MAX = 2000;
/** How long (ms) a link must have stood before the back-off starts over. */
const STEADY_MS = 1000;
/** How long (ms) what was sent may take to arrive when the transport is closed, and how often that is looked at. */
const CLOSE_MS_MAX = 300;
const CLOSE_POLL_MS = 10;

/** A peer that is dialled whenever its link is down. */
interface Dial {
  readonly name: string;
  readonly address: string;
  backOffMs: number;
  /** Counts dials: whatever belongs to an earlier one is void. */
  attempt: number;
  /** Nothing is under way until the back-off is over. */
  waiting: boolean;
  /** Created by the peer when it accepts; usable once its answer is here. */
  link: SimLink | null;
  up: boolean;
  upSince: number;
}

export class SimTransport implements Transport {
  readonly name: string;
  readonly life: Life;
  readonly address: string;
  private readonly network: SimNetwork;
  private readonly queueBytesMax: number;
  private hello: PeerHello | null = null;
  private handler: TransportHandler | null = null;
  private readonly dials = new Map<string, Dial>();
  private readonly incoming = new Map<string, SimLink>();
  private closed = false;

  constructor(network: SimNetwork, name: string, life: Life, address: string, queueBytesMax: number) {
    this.network = network;
    this.name = name;
    this.life = life;
    this.address = address;
    this.queueBytesMax = queueBytesMax;
  }

  start(hello: PeerHello, handler: TransportHandler): void {
    assert(this.hello === null, 'a transport is started once');
    this.hello = hello;
    this.handler = handler;
  }

  dial(name: string, address: string): void {
    assert(this.hello !== null, 'a transport dials after its start');
    if (this.closed || this.dials.get(name)?.address === address) return;
    this.forget(name);
    const dial: Dial = {
      name,
      address,
      backOffMs: BACK_OFF_MS_MIN,
      attempt: 0,
      waiting: true,
      link: null,
      up: false,
      upSince: 0,
    };
    this.dials.set(name, dial);
    this.inWhile(0, dial, () => this.attempt(dial));
  }

  forget(name: string): void {
    const dial = this.dials.get(name);
    this.dials.delete(name);
    dial?.link?.endByDialer(false);
  }

  send(name: string, frame: Uint8Array): boolean {
    const dial = this.dials.get(name);
    if (this.closed || dial === undefined || !dial.up || dial.link === null) return false;
    const queued = dial.link.queuedBytes;
    if (queued > 0 && queued + frame.length > this.queueBytesMax) {
      dial.link.endByDialer(false);
      this.dialLater(dial);
      this.network.scheduler.after(0, () => this.reportDown(dial, 'queue full'), this.life);
      return false;
    }
    dial.link.send(frame);
    return true;
  }

  queuedBytes(name: string): number {
    const dial = this.dials.get(name);
    return dial !== undefined && dial.up ? dial.link!.queuedBytes : 0;
  }

  /** What was sent arrives before the peers' own links to this process end. */
  close(done: () => void): void {
    this.closed = true;
    const { scheduler } = this.network;
    const leaving = [...this.dials.values()].flatMap(({ link }) => link ?? []);
    for (const link of leaving) link.endByDialer(true);
    this.dials.clear();
    const latest = scheduler.time + CLOSE_MS_MAX;
    const poll = (): void => {
      if (leaving.some((link) => !link.isOver) && scheduler.time < latest)
        return void scheduler.after(CLOSE_POLL_MS, poll, this.life);
      for (const link of [...this.incoming.values()]) link.endByReceiver('the peer is stopping');
      this.network.detach(this);
      done();
    };
    scheduler.after(CLOSE_POLL_MS, poll, this.life);
  }

  /** The process has ended: its peers find out. */
  die(): void {
    this.closed = true;
    for (const dial of this.dials.values()) dial.link?.endByDialer(false);
    this.dials.clear();
    for (const link of [...this.incoming.values()]) link.endByReceiver('the connection was reset');
  }

  // Events of links. Never fired from within a call of the port, because links act only on events of their own.

  reportFrame(name: string, frame: Uint8Array): void {
    if (!this.closed) this.handler!.onFrame(name, frame);
  }

  reportGone(name: string): void {
    if (!this.closed) this.handler!.onPeerGone(name);
  }

  forgetIncoming(link: SimLink): void {
    if (this.incoming.get(link.from.name) === link) this.incoming.delete(link.from.name);
  }

  /** The link of one of our dials is gone. It is reported only if it had been up. */
  lose(link: SimLink, reason: string): void {
    const dial = this.dials.get(link.to.name);
    if (dial === undefined || dial.link !== link) return;
    const wasUp = dial.up;
    this.dialLater(dial);
    if (wasUp) this.reportDown(dial, reason);
  }

  private reportDown(dial: Dial, reason: string): void {
    if (!this.closed && this.dials.get(dial.name) === dial) this.handler!.onLinkDown(dial.name, reason);
  }

  private dialLater(dial: Dial): void {
    const { scheduler, prng } = this.network;
    if (dial.up && scheduler.time - dial.upSince >= STEADY_MS) dial.backOffMs = BACK_OFF_MS_MIN;
    dial.link = null;
    dial.up = false;
    dial.waiting = true;
    dial.attempt += 1;
    const delayMs = dial.backOffMs * prng.between(0.5, 1);
    dial.backOffMs = Math.min(dial.backOffMs * 2, BACK_OFF_MS_MAX);
    this.inWhile(delayMs, dial, () => this.attempt(dial));
  }

  /** The peer is alive, since it has just dialled us: skip the rest of the pause before the next dial. */
  private hurry(name: string): void {
    const dial = this.dials.get(name);
    if (dial === undefined || !dial.waiting) return;
    dial.attempt += 1;
    this.inWhile(0, dial, () => this.attempt(dial));
  }

  private attempt(dial: Dial): void {
    const { network } = this;
    dial.waiting = false;
    this.inWhile(HANDSHAKE_MS_MAX, dial, () => {
      if (dial.up) return;
      dial.link?.endByDialer(false);
      this.dialLater(dial);
    });
    const attempt = dial.attempt;
    network.carry(this, dial.address, {
      arrived: (peer) => {
        if (dial.attempt === attempt && this.dials.get(dial.name) === dial && this.life.alive) {
          peer.answer(this, dial);
        }
      },
      failed: () => this.inWhile(0, dial, () => this.dialLater(dial), attempt),
    });
  }

  /** A dial of `dialer` has reached this process. */
  private answer(dialer: SimTransport, dial: Dial): void {
    assert(dialer.hello !== null, 'a transport dials after its start');
    const { attempt } = dial;
    if (this.closed || this.hello === null) {
      this.network.carryBack(this, dialer, () =>
        dialer.inWhile(0, dial, () => dialer.dialLater(dial), attempt),
      );
      return;
    }
    const hello = { ...dialer.hello, to: dial.name, run: '', attempt };
    const { refusal, protocol } = answerTo(this.hello, hello);
    if (refusal !== null) {
      const refused = (): void => {
        dialer.dialLater(dial);
        dialer.handler!.onRefused(dial.name, refusal);
      };
      this.network.carryBack(this, dialer, () => dialer.inWhile(0, dial, refused, attempt));
      this.handler!.onRefused(dialer.name, refusal);
      return;
    }
    this.incoming.get(dialer.name)?.goneAtReceiver();
    const link = this.network.makeLink(dialer, this);
    dial.link = link;
    this.incoming.set(dialer.name, link);
    const accepted = (): void => {
      if (!speaks(dialer.hello!, protocol)) {
        link.endByDialer(false);
        dialer.dialLater(dial);
        return dialer.handler!.onRefused(dial.name, `protocol: version ${protocol} was chosen`);
      }
      dial.up = true;
      dial.upSince = this.network.scheduler.time;
      dialer.handler!.onLinkUp(dial.name, protocol);
    };
    this.network.carryBack(this, dialer, () => dialer.inWhile(0, dial, accepted, attempt));
    this.hurry(dialer.name);
  }

  /** Runs after `ms`, unless the dial was given up or has moved on by then. */
  private inWhile(ms: number, dial: Dial, run: () => void, attempt = dial.attempt): void {
    const unchanged = (): boolean =>
      !this.closed && dial.attempt === attempt && this.dials.get(dial.name) === dial;
    this.network.scheduler.after(ms, () => unchanged() && run(), this.life);
  }
}
