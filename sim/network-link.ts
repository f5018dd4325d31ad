/**
 * One link between two simulated processes, like a TCP connection: frames arrive in order, each after a random delay,
 * and each side learns at its own time that the link has ended. Between the end and its discovery the dialler may keep
 * sending into the void.
 */
import { Fifo } from './fifo.ts';
import type { SimNetwork } from './network.ts';
import type { SimTransport } from './network-transport.ts';

export class SimLink {
  readonly from: SimTransport;
  readonly to: SimTransport;
  /** Bytes accepted that have not arrived yet. */
  queuedBytes = 0;
  private readonly network: SimNetwork;
  /** What each side believes. */
  private dialerUp = true;
  private receiverUp = true;
  /** Nothing sent from now on arrives. */
  private broken = false;
  private readonly frames = new Fifo<Uint8Array>();
  /** Arrivals blocked by a silent cut; they take place when it heals. */
  private heldCount = 0;
  private lastArrival = 0;

  constructor(network: SimNetwork, from: SimTransport, to: SimTransport) {
    this.network = network;
    this.from = from;
    this.to = to;
  }

  get isOver(): boolean {
    return !this.dialerUp && !this.receiverUp;
  }

  send(frame: Uint8Array): void {
    this.queuedBytes += frame.length;
    if (this.broken) return;
    this.frames.push(frame);
    this.scheduleArrival();
  }

  /** A silent cut between the two has healed: blocked frames continue. */
  release(): void {
    const count = this.heldCount;
    this.heldCount = 0;
    for (let index = 0; index < count; index++) this.scheduleArrival();
  }

  /** The connection breaks: only the first few frames under way arrive, and both sides find out later. */
  break(reason: string): void {
    if (this.broken) return;
    this.broken = true;
    this.frames.cut(this.network.prng.below(this.frames.length + 1));
    this.tellDialer(reason, this.network.noticeMs(this.to, this.from));
    this.tellReceiver(this.network.noticeMs(this.from, this.to));
  }

  /** The dialler ends the link, orderly (what was sent arrives) or not. Its own side is not notified. */
  endByDialer(orderly: boolean): void {
    this.dialerUp = false;
    if (orderly) this.tellReceiver(this.network.noticeMs(this.from, this.to));
    else this.break('');
    this.broken = true;
  }

  /** The receiving side ends the link, and is not notified. */
  endByReceiver(reason: string): void {
    this.receiverUp = false;
    this.to.forgetIncoming(this);
    this.break(reason);
  }

  /** The receiver finds out. What has not arrived by now never will. */
  goneAtReceiver(): void {
    if (!this.receiverUp) return;
    this.receiverUp = false;
    this.to.forgetIncoming(this);
    this.break('the peer ended the link');
    this.to.reportGone(this.from.name);
  }

  downAtDialer(reason: string): void {
    if (!this.dialerUp) return;
    this.dialerUp = false;
    this.break('');
    this.from.lose(this, reason);
  }

  private scheduleArrival(): void {
    const arrival = this.network.scheduler.time + this.network.delayMs(this.from, this.to);
    this.lastArrival = Math.max(this.lastArrival, arrival);
    this.network.scheduler.at(this.lastArrival, this.arrive, this.to.life);
  }

  /** Every arrival event delivers the first frame under way, so the order of frames does not depend on the events. */
  private readonly arrive = (): void => {
    if (!this.receiverUp || this.frames.length === 0) return;
    if (this.network.isCut(this.from.name, this.to.name)) {
      this.heldCount += 1;
      return;
    }
    const frame = this.frames.shift()!;
    this.queuedBytes -= frame.length;
    this.to.reportFrame(this.from.name, frame);
  };

  private tellDialer(reason: string, afterMs: number): void {
    if (!this.dialerUp) return;
    this.network.scheduler.after(afterMs, () => this.downAtDialer(reason), this.from.life);
  }

  /** After the frames that still arrive. */
  private tellReceiver(afterMs: number): void {
    if (!this.receiverUp) return;
    const at = Math.max(this.network.scheduler.time + afterMs, this.lastArrival);
    this.network.scheduler.at(at, () => this.goneAtReceiver(), this.to.life);
  }
}
