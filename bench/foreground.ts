/**
 * What clients see while something else is going on: puts at a fixed rate over pipelines to nodes that stay, whether or
 * not earlier ones were answered; and a few clients that write a key of their own and read it back at each node in
 * turn. Every latency is kept with the moment of its answer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CausewayError, connect } from '../src/client/index.ts';
import type { CausewayClient } from '../src/client/index.ts';
import { benchValue } from './keys.ts';
import type { KeySpace } from '../verify/key-space.ts';
import { quantile } from './statistics.ts';

const TICK_MS = 5;
/** With this many unanswered puts, no more are sent; these count as held back, not as failed. */
const UNANSWERED_MAX = 4_000;
const PROBE_CLIENTS = 4;
const PROBE_REST_MS = 5;
const PROBE_TIMEOUT_MS = 10_000;

export interface Latencies {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class Foreground {
  failed = 0;
  /** Refused at once because of overload: nothing was begun. */
  refused = 0;
  stale = 0;
  /** The longest time in milliseconds without an acknowledged write. */
  stallMsMax = 0;
  heldBack = 0;
  /** The messages of the first few failures. */
  readonly told: string[] = [];
  private readonly keys: KeySpace;
  private readonly perSecond: number;
  private readonly clients: CausewayClient[] = [];
  private readonly endedAt: number[] = [];
  private readonly tookMs: number[] = [];
  private readonly probes: Promise<void>[] = [];
  private acknowledgedAt = 0;
  private underWay = 0;
  private isStopping = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(keys: KeySpace, perSecond: number) {
    this.keys = keys;
    this.perSecond = perSecond;
  }

  /** `stay`: addresses of nodes that are there to the end; `all`: also those of nodes that may leave. */
  async start(stay: readonly string[], all: readonly string[]): Promise<void> {
    const own = stay.map((address) => connect({ nodes: [address] }));
    this.clients.push(...own);
    const pipelines = await Promise.all(
      own.map((client) => client.pipeline({ unansweredMax: UNANSWERED_MAX })),
    );
    const startedAt = performance.now();
    this.acknowledgedAt = startedAt;
    let sent = 0;
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * this.perSecond);
      for (; sent < due; sent += 1) {
        if (this.underWay >= UNANSWERED_MAX) {
          this.heldBack += due - sent;
          sent = due;
          return;
        }
        const at = this.keys.drawn();
        void this.timed(
          this.keys.put(pipelines[sent % pipelines.length]!, at, benchValue()),
          this.keys.key(at),
        );
      }
    }, TICK_MS);
    for (let probe = 0; probe < PROBE_CLIENTS; probe += 1) {
      // Each client begins with another node, and then goes round.
      const client = connect({
        nodes: [...all.slice(probe % all.length), ...all.slice(0, probe % all.length)],
      });
      this.clients.push(client);
      this.probes.push(this.probe(client, `probe:${probe}`));
    }
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.timer !== null) clearInterval(this.timer);
    await Promise.all(this.probes);
    const giveUpAt = performance.now() + PROBE_TIMEOUT_MS;
    while (this.underWay > 0 && performance.now() < giveUpAt) await delay(TICK_MS);
    this.noteStall();
    for (const client of this.clients) client.close();
  }

  /** Latencies of the puts that were answered between these two moments on the clock of `performance`. */
  between(fromAt: number, toAt: number): Latencies {
    const took = this.tookMs.filter((_, at) => this.endedAt[at]! >= fromAt && this.endedAt[at]! < toAt);
    return { count: took.length, p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
  }

  private async timed(put: Promise<void>, key: string): Promise<void> {
    const beganAt = performance.now();
    this.underWay += 1;
    try {
      await put;
      const at = performance.now();
      this.endedAt.push(at);
      this.tookMs.push(at - beganAt);
      this.noteStall();
    } catch (error) {
      this.fail(key, error);
    } finally {
      this.underWay -= 1;
    }
  }

  private async probe(client: CausewayClient, key: string): Promise<void> {
    for (let number = 1; !this.isStopping; number += 1) {
      try {
        await client.set(key, String(number), { timeoutMs: PROBE_TIMEOUT_MS });
        const value = await client.get(key, { timeoutMs: PROBE_TIMEOUT_MS });
        const read = value === undefined ? 'nothing' : Buffer.from(value).toString();
        if (read !== String(number)) {
          this.stale += 1;
          this.tell(`${key}: ${number} was acknowledged, ${read} was read`);
        }
      } catch (error) {
        this.fail(key, error);
      }
      await delay(PROBE_REST_MS);
    }
  }

  private noteStall(): void {
    const now = performance.now();
    this.stallMsMax = Math.max(this.stallMsMax, now - this.acknowledgedAt);
    this.acknowledgedAt = now;
  }

  private fail(key: string, error: unknown): void {
    if (error instanceof CausewayError && error.code === 'overloaded') this.refused += 1;
    else this.failed += 1;
    this.tell(`${key}: ${String(error)}`);
  }

  private tell(what: string): void {
    if (this.told.length < 5) this.told.push(what);
  }
}
