/**
 * Clients that do not wait for one another's answers, like many users together: a fixed number of puts per second,
 * whatever becomes of earlier ones. How many the cluster can handle is measured first, with clients that do wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CausewayError, connect, type CausewayClient } from '../src/client/index.ts';

export interface FloodFigures {
  readonly capacityPerSecond: number;
  readonly askedPerSecond: number;
  /** During the flood, without its first second: puts done, and puts refused definitely. */
  readonly donePerSecond: number;
  readonly refusedPerSecond: number;
  /** Milliseconds of those that were done, and of the refusals; a client retries some of these after a pause. */
  readonly doneP50Ms: number;
  readonly doneP99Ms: number;
  readonly refusedP50Ms: number;
  readonly refusedP99Ms: number;
  /** Milliseconds from the drop to half of the capacity until the last refusal. */
  readonly recoveredMs: number;
  /** In total: puts neither done nor refused for overload; and puts not even sent because this side could not keep up. */
  readonly failed: number;
  readonly unsent: number;
  /** Acknowledged keys that were looked up afterwards at every node, and how many of them were not found. */
  readonly lookedUp: number;
  readonly lost: number;
}

/** The calls at one node. */
interface Lane {
  readonly client: CausewayClient;
  outstanding: number;
}

interface Told {
  readonly askedAt: number;
  readonly tookMs: number;
  readonly as: 'done' | 'refused' | 'failed';
}

/** While the capacity is measured: puts at one node that wait for their answers. */
const WAITING_EACH = 64;
/** Open calls at one node: this side cannot handle more. */
const OUTSTANDING_MAX = 4_000;
const STEP_MS = 10;
const WARM_MS = 500;
const FIRST_MS = 1_000;
const TIMEOUT_MS = 10_000;
const KEPT_MAX = 500;
const VALUE = 'v'.repeat(100);

export class Flood {
  private readonly clients: CausewayClient[];
  private readonly lanes: readonly Lane[];
  private readonly prefix: string;
  private readonly kept: string[] = [];
  private told: Told[] = [];
  private asked = 0;
  private unsent = 0;

  constructor(addresses: readonly string[], prefix: string) {
    this.prefix = prefix;
    this.clients = addresses.map((address) => connect({ nodes: [address], timeoutMs: TIMEOUT_MS }));
    this.lanes = this.clients.map((client) => ({ client, outstanding: 0 }));
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  /** Measures the puts per second that the cluster can handle, with clients each of which waits for its answer. */
  async capacity(forMs: number, hold: (ms: number) => Promise<void>): Promise<number> {
    let isOver = false;
    const loop = async (lane: Lane): Promise<void> => {
      while (!isOver) await this.put(lane);
    };
    const loops = this.lanes.flatMap((lane) => Array.from({ length: WAITING_EACH }, () => loop(lane)));
    try {
      await hold(WARM_MS);
      const from = performance.now();
      const before = this.doneCount();
      await hold(forMs);
      return ((this.doneCount() - before) / (performance.now() - from)) * 1_000;
    } finally {
      isOver = true;
      await Promise.all(loops);
      this.told = [];
    }
  }

  /** Sends this many per second, and half of the capacity after that. */
  async run(
    capacity: number,
    askedPerSecond: number,
    lastsMs: number,
    hold: (ms: number) => Promise<void>,
  ): Promise<FloodFigures> {
    const from = performance.now();
    await this.ask(askedPerSecond, lastsMs, hold);
    const to = performance.now();
    await this.ask(capacity / 2, lastsMs / 2, hold);
    while (this.lanes.some(({ outstanding }) => outstanding > 0)) await delay(STEP_MS);
    const lost = await this.lookUp();
    return { ...this.figures(from + FIRST_MS, to), capacityPerSecond: capacity, askedPerSecond, ...lost };
  }

  private async ask(perSecond: number, forMs: number, hold: (ms: number) => Promise<void>): Promise<void> {
    const from = performance.now();
    let count = 0;
    for (let passedMs = 0; passedMs < forMs; passedMs = performance.now() - from) {
      for (; count < (passedMs / 1_000) * perSecond; count += 1) {
        const lane = this.lanes[count % this.lanes.length]!;
        if (lane.outstanding >= OUTSTANDING_MAX) this.unsent += 1;
        else void this.put(lane);
      }
      await hold(STEP_MS);
    }
  }

  private async put(lane: Lane): Promise<void> {
    const askedAt = performance.now();
    const key = `${this.prefix}${(this.asked += 1)}`;
    lane.outstanding += 1;
    let as: Told['as'] = 'done';
    try {
      await lane.client.set(key, VALUE);
      if (this.kept.length < KEPT_MAX) this.kept.push(key);
      else if (Math.random() < 0.01) this.kept[Math.floor(Math.random() * KEPT_MAX)] = key;
    } catch (error) {
      as = error instanceof CausewayError && error.code === 'overloaded' ? 'refused' : 'failed';
    }
    lane.outstanding -= 1;
    this.told.push({ askedAt, tookMs: performance.now() - askedAt, as });
  }

  private async lookUp(): Promise<{ lookedUp: number; lost: number }> {
    let lost = 0;
    for (const client of this.clients) {
      const found = await client.getMany(this.kept);
      lost += found.filter((each) => each.ok && each.result === undefined).length;
    }
    return { lookedUp: this.kept.length, lost };
  }

  private doneCount(): number {
    return this.told.reduce((count, { as }) => count + (as === 'done' ? 1 : 0), 0);
  }

  private figures(
    from: number,
    to: number,
  ): Omit<FloodFigures, 'capacityPerSecond' | 'askedPerSecond' | 'lookedUp' | 'lost'> {
    const told = this.told;
    const seconds = Math.max(1, to - from) / 1_000;
    const endedIn = (as: Told['as']): Told[] =>
      told.filter((each) => each.as === as && isBetween(each.askedAt + each.tookMs, from, to));
    const took = (as: Told['as']): number[] =>
      told.filter((each) => each.as === as && isBetween(each.askedAt, from, to)).map(({ tookMs }) => tookMs);
    const refusedLate = told.filter(({ as, askedAt }) => as === 'refused' && askedAt > to);
    return {
      donePerSecond: endedIn('done').length / seconds,
      refusedPerSecond: endedIn('refused').length / seconds,
      doneP50Ms: quantile(took('done'), 0.5),
      doneP99Ms: quantile(took('done'), 0.99),
      refusedP50Ms: quantile(took('refused'), 0.5),
      refusedP99Ms: quantile(took('refused'), 0.99),
      recoveredMs: refusedLate.reduce((most, { askedAt }) => Math.max(most, askedAt - to), 0),
      failed: told.filter(({ as }) => as === 'failed').length,
      unsent: this.unsent,
    };
  }
}

function isBetween(at: number, from: number, to: number): boolean {
  return at >= from && at < to;
}

/** 0 if there are none. */
function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * share)] ?? 0;
}
