/**
 * The simulated network: who reaches whom, how fast, and what goes wrong. Links behave like TCP: order is preserved, a
 * silent cut holds frames back until it heals or a side loses patience, and a reset loses what was under way.
 * Everything is drawn from one generator, so that a seed repeats a run.
 */
import { PEER_QUEUE_BYTES_MAX } from '../src/core/limits.ts';
import type { Prng } from '../src/base/prng.ts';
import type { Transport } from '../src/ports/transport.ts';
import { SimLink } from './network-link.ts';
import { SimTransport } from './network-transport.ts';
import type { Life, Scheduler } from './scheduler.ts';

/** silent: packets vanish, which is noticed only by their absence. reset: both sides are notified at once. */
export type CutManner = 'silent' | 'reset';

/** May be changed at any moment; in milliseconds, or shares of one. */
export interface NetworkWeather {
  delayMsMin: number;
  delayMsMax: number;
  /** Share of frames that take up to `spikeMsMax` longer, and delay those behind them. */
  spikeShare: number;
  spikeMsMax: number;
  /** Mean lifetime of a link before it breaks by itself; 0 means that links hold. */
  linkLifeMsMean: number;
  /** After this long without a sign of life, a side gives its link up. */
  silenceMs: number;
}

const FAIR_WEATHER: NetworkWeather = {
  delayMsMin: 0.1,
  delayMsMax: 1.5,
  spikeShare: 0,
  spikeMsMax: 0,
  linkLifeMsMean: 0,
  silenceMs: 2750,
};

export class SimNetwork {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly weather: NetworkWeather;
  private readonly byAddress = new Map<string, SimTransport>();
  private links: SimLink[] = [];
  /** By `directionOf`. */
  private readonly cuts = new Map<string, CutManner>();
  private readonly isolated = new Map<string, CutManner>();
  private readonly slowness = new Map<string, number>();
  /** By `directionOf`; independent of `slowness`. */
  private readonly lags = new Map<string, number>();

  constructor(scheduler: Scheduler, prng: Prng, weather: Partial<NetworkWeather> = {}) {
    this.scheduler = scheduler;
    this.prng = prng;
    this.weather = { ...FAIR_WEATHER, ...weather };
  }

  /** The transport of a process that starts; an earlier process of that name is gone. */
  attach(name: string, life: Life, address = name, queueBytesMax = PEER_QUEUE_BYTES_MAX): Transport {
    this.kill(name);
    const transport = new SimTransport(this, name, life, address, queueBytesMax);
    this.byAddress.set(address, transport);
    return transport;
  }

  /**
   * The process of that name has ended (its life must have, too). `silent`: its machine failed with it, so no operating
   * system is left to close its sockets.
   */
  kill(name: string, manner: CutManner = 'reset'): void {
    for (const transport of [...this.byAddress.values()]) {
      if (transport.name !== name) continue;
      const wasIsolated = this.isolated.get(name);
      if (manner === 'silent') this.isolated.set(name, 'silent');
      transport.die();
      if (wasIsolated === undefined) this.isolated.delete(name);
      else this.isolated.set(name, wasIsolated);
      this.detach(transport);
    }
  }

  /** Nothing passes between the two, in either direction. */
  cut(a: string, b: string, manner: CutManner = 'silent'): void {
    this.cutOneWay(a, b, manner);
    this.cutOneWay(b, a, manner);
  }

  cutOneWay(from: string, to: string, manner: CutManner = 'silent'): void {
    this.cuts.set(directionOf(from, to), manner);
    this.enforce(manner, (x, y) => x === from && y === to);
  }

  /** Nothing passes between this process and any other, including later ones. */
  isolate(name: string, manner: CutManner = 'silent'): void {
    this.isolated.set(name, manner);
    this.enforce(manner, (x, y) => x === name || y === name);
  }

  /** Heals the cuts between two processes, all cuts of one, or all cuts; in the last case also the lags. */
  heal(a?: string, b?: string): void {
    for (const direction of [...this.cuts.keys()]) {
      const ends = direction.split('\n');
      if ((a === undefined || ends.includes(a)) && (b === undefined || ends.includes(b)))
        this.cuts.delete(direction);
    }
    if (a === undefined) {
      this.isolated.clear();
      this.lags.clear();
    } else if (b === undefined) this.isolated.delete(a);
    for (const link of this.links) link.release();
  }

  /** Adds `ms` to every delay between the two, in both directions; 0 ends it. */
  slow(a: string, b: string, ms: number): void {
    this.slowness.set(directionOf(a, b), ms);
    this.slowness.set(directionOf(b, a), ms);
  }

  /** Adds `ms` to every delay from the one to the other; 0 ends it. */
  lag(from: string, to: string, ms: number): void {
    this.lags.set(directionOf(from, to), ms);
  }

  /** Adds `ms` to every delay from and to this process; 0 ends it. */
  slowPeer(name: string, ms: number): void {
    this.slowness.set(name, ms);
  }

  /** Breaks the links between the two at once; they may be dialled again. */
  breakLinks(a: string, b: string): void {
    for (const link of [...this.links]) {
      const { from, to } = link;
      if ((from.name === a && to.name === b) || (from.name === b && to.name === a))
        link.break('the connection was reset');
    }
  }

  isCut(from: string, to: string): boolean {
    return this.mannerOf(from, to) !== undefined;
  }

  // For the links and transports of this network.

  delayMs(from: SimTransport, to: SimTransport): number {
    const { weather, prng } = this;
    let ms = prng.between(weather.delayMsMin, weather.delayMsMax);
    if (weather.spikeShare > 0 && prng.chance(weather.spikeShare)) ms += prng.between(0, weather.spikeMsMax);
    if (this.lags.size > 0) ms += this.lags.get(directionOf(from.name, to.name)) ?? 0;
    if (this.slowness.size === 0) return ms;
    ms += this.slowness.get(directionOf(from.name, to.name)) ?? 0;
    return ms + (this.slowness.get(from.name) ?? 0) + (this.slowness.get(to.name) ?? 0);
  }

  /** How long `to` needs to find out that `from` has ended their link. */
  noticeMs(from: SimTransport, to: SimTransport): number {
    const silent = this.mannerOf(from.name, to.name) === 'silent';
    return silent ? this.weather.silenceMs * this.prng.between(0.8, 1.2) : this.delayMs(from, to);
  }

  makeLink(from: SimTransport, to: SimTransport): SimLink {
    const link = new SimLink(this, from, to);
    if (this.links.length > 64) this.links = this.links.filter((other) => !other.isOver);
    this.links.push(link);
    const mean = this.weather.linkLifeMsMean;
    if (mean > 0) {
      const lifeMs = -Math.log(1 - this.prng.next()) * mean;
      this.scheduler.after(
        lifeMs,
        () => this.weather.linkLifeMsMean > 0 && link.break('the connection was reset'),
      );
    }
    return link;
  }

  /** Brings a dial to the process that listens at the address when it arrives. */
  carry(
    from: SimTransport,
    address: string,
    dial: { readonly arrived: (peer: SimTransport) => void; readonly failed: () => void },
  ): void {
    this.scheduler.after(this.delayMs(from, this.byAddress.get(address) ?? from), () => {
      const peer = this.byAddress.get(address);
      // A connection opens only if packets pass in both directions.
      const manner = peer && (this.mannerOf(from.name, peer.name) ?? this.mannerOf(peer.name, from.name));
      if (manner === 'silent') return;
      if (peer === undefined || manner === 'reset') dial.failed();
      else this.scheduler.after(0, () => dial.arrived(peer), peer.life);
    });
  }

  /** Brings an answer back, or loses it in a cut: the dialler's watchdog then ends the wait. */
  carryBack(from: SimTransport, to: SimTransport, run: () => void): void {
    this.scheduler.after(this.delayMs(from, to), () => {
      if (!this.isCut(from.name, to.name)) run();
    });
  }

  detach(transport: SimTransport): void {
    if (this.byAddress.get(transport.address) === transport) this.byAddress.delete(transport.address);
  }

  private mannerOf(from: string, to: string): CutManner | undefined {
    if (this.cuts.size === 0 && this.isolated.size === 0) return undefined;
    return this.cuts.get(directionOf(from, to)) ?? this.isolated.get(from) ?? this.isolated.get(to);
  }

  /** A cut of some directions begins: the links over them end now, or when a side loses patience. */
  private enforce(manner: CutManner, isMeant: (from: string, to: string) => boolean): void {
    const meant = this.links.filter(
      ({ from, to }) => isMeant(from.name, to.name) || isMeant(to.name, from.name),
    );
    for (const link of meant) {
      if (manner === 'reset') link.break('the connection was reset');
      else this.awaitSilence(link);
    }
  }

  /**
   * A side that hears nothing gives the link up. Whether the cut lasted all the time is not checked: one that healed
   * and came back counts as one that stayed, since links are sometimes given up for no reason anyway.
   */
  private awaitSilence(link: SimLink): void {
    const { from, to } = link;
    const patienceMs = (): number => this.weather.silenceMs * this.prng.between(0.8, 1.2);
    const isSilent = (x: SimTransport, y: SimTransport): boolean => this.isCut(x.name, y.name);
    this.scheduler.after(patienceMs(), () => isSilent(from, to) && link.goneAtReceiver(), to.life);
    this.scheduler.after(
      patienceMs(),
      () => isSilent(to, from) && link.downAtDialer('the peer is silent'),
      from.life,
    );
  }
}

function directionOf(from: string, to: string): string {
  return `${from}\n${to}`;
}
