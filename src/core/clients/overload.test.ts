/** The overload rule on a simulated server with a queue that serves a number of operations per millisecond. */
import { expect, test } from 'vitest';
import { OVERLOAD_CALM_MS, OVERLOAD_IN_FLIGHT_MIN, TICK_MS } from '../limits.ts';
import { Overload } from './overload.ts';

const QUEUED_MS = 500;

/** First come, first served. */
class Server {
  readonly rule = new Overload();
  now = 0;
  served = 0;
  /** Milliseconds taken by each operation served since `forget`. */
  took: number[] = [];
  lateMs = 0;
  /** The allowed queueing time passed to the rule. */
  queuedMs = QUEUED_MS;
  aloneMs = 0;
  private readonly queue: { at: number; mark: number }[] = [];
  private servedDue = 0;
  private comeDue = 0;

  /** Each millisecond some operations arrive and some can be served; none is served before `delayMs` have passed. */
  run(ms: number, comePerMs: number, servedPerMs: number, delayMs = 0): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now += 1;
      this.comeDue += comePerMs;
      for (; this.comeDue >= 1; this.comeDue -= 1) this.ask();
      this.servedDue = Math.min(this.servedDue + servedPerMs, servedPerMs + this.queue.length);
      for (; this.servedDue >= 1 && this.canServe(delayMs); this.servedDue -= 1) this.serve();
      if (this.now % TICK_MS === 0)
        this.rule.tick({
          now: this.now,
          lateMs: this.lateMs,
          aloneMs: this.aloneMs,
          queuedMs: this.queuedMs,
        });
    }
  }

  forget(): void {
    this.took = [];
    this.served = 0;
  }

  private ask(): void {
    if (this.rule.isFull) return this.rule.refuse();
    this.rule.begin();
    this.queue.push({ at: this.now, mark: this.rule.mark });
  }

  private canServe(delayMs: number): boolean {
    return this.queue.length > 0 && this.now - this.queue[0]!.at >= delayMs;
  }

  private serve(): void {
    const { at, mark } = this.queue.shift()!;
    this.rule.end(mark);
    this.served += 1;
    this.took.push(this.now - at);
  }
}

test('three times as many arrive as can be served: as many as possible are served, within the allowed time', () => {
  const server = new Server();
  server.run(2_000, 5, 10);
  expect(server.rule.refused).toBe(0);
  server.run(1_000, 30, 10);
  expect(server.rule.limit).toBeLessThan(Infinity);
  // What arrived before the queue was recognised is worked off.
  server.run(1_500, 30, 10);
  server.forget();
  server.run(5_000, 30, 10);
  expect(server.served).toBeGreaterThan(5_000 * 10 * 0.98);
  expect(Math.max(...server.took)).toBeLessThan(QUEUED_MS);
});

test('the load has fallen: within a second nothing is refused and nothing waits', () => {
  const server = new Server();
  server.run(5_000, 30, 10);
  server.run(1_000, 8, 10);
  const { refused } = server.rule;
  server.forget();
  server.run(3_000, 8, 10);
  expect(server.rule.refused).toBe(refused);
  expect(server.rule.limit).toBe(Infinity);
  expect(Math.max(...server.took)).toBeLessThan(100);
});

test('while some are refused the limit stays: a load a little too high does not come and go', () => {
  const server = new Server();
  server.run(10_000, 11, 10);
  expect(server.rule.limit).toBeLessThan(Infinity);
  server.forget();
  let liftedCount = 0;
  for (let looked = 0; looked < 100; looked += 1) {
    server.run(100, 11, 10);
    if (server.rule.limit === Infinity) liftedCount += 1;
  }
  expect(liftedCount).toBe(0);
  expect(server.served).toBeGreaterThan(10_000 * 10 * 0.98);
});

test('a burst that is worked off within what is allowed, and one that takes a moment longer: nothing is refused', () => {
  const server = new Server();
  server.run(1_000, 5, 10);
  server.run(50, 80, 10);
  server.run(1_000, 5, 10);
  server.run(70, 80, 10);
  server.run(2_000, 3, 10);
  expect(server.rule.refused).toBe(0);
});

test('everything stops for a second under load and goes on: nothing is refused, for it was no queue', () => {
  const server = new Server();
  server.run(2_000, 6, 10);
  server.run(1_000, 6, 0);
  server.run(3_000, 6, 10);
  expect(server.rule.refused).toBe(0);
});

test('few are in flight and slow: they are always let in', () => {
  const server = new Server();
  server.run(2_000, 0.5, 0.4);
  expect(server.rule.refused).toBe(0);
  server.run(20_000, 0.5, 0.4);
  expect(server.rule.inFlight).toBeGreaterThanOrEqual(OVERLOAD_IN_FLIGHT_MIN - 1);
  expect(server.rule.refused).toBeGreaterThan(0);
});

test('many wait for something of their own while others are served at once: no queue', () => {
  const server = new Server();
  for (let count = 0; count < 6_000; count += 1) server.rule.begin();
  server.run(5_000, 5, 10);
  expect(server.rule.refused).toBe(0);
});

test('operations take longer by themselves than is allowed, at any load: what is allowed must count that', () => {
  const server = new Server();
  server.aloneMs = 2 * 600;
  server.run(10_000, 5, 100, 600);
  expect(server.rule.refused).toBe(0);
});

test('answers come in batches, half a second apart: the queue between them is seen all the same', () => {
  const server = new Server();
  server.run(500, 1, 10);
  const batches = (count: number): void => {
    for (let batch = 0; batch < count; batch += 1) {
      server.run(490, 6, 0);
      server.run(10, 6, 100);
    }
  };
  batches(30);
  expect(server.rule.refused).toBeGreaterThan(0);
  server.forget();
  batches(20);
  expect(server.served).toBe(20 * 10 * 100);
  expect(Math.max(...server.took)).toBeLessThan(1_000 + QUEUED_MS);
});

test('the event loop itself is late again and again: fewer are let in', () => {
  const calm = new Server();
  calm.run(5_000, 30, 10);
  const late = new Server();
  late.lateMs = 250;
  late.run(5_000, 30, 10);
  expect(late.rule.limit).toBeLessThan(calm.rule.limit / 2);
});

test('the rule is switched off: nothing is refused, also where it was', () => {
  const server = new Server();
  server.run(5_000, 30, 10);
  expect(server.rule.limit).toBeLessThan(Infinity);
  server.queuedMs = 0;
  server.run(1_000, 30, 10);
  const { refused } = server.rule;
  server.run(1_000, 30, 10);
  expect(server.rule.refused).toBe(refused);
});

test('those that would be refused wait elsewhere, and none is refused: the limit stays as long as they ask', () => {
  const server = new Server();
  server.run(5_000, 30, 10);
  for (let looked = 0; looked < 100; looked += 1) {
    server.rule.turnAway();
    server.run(50, 9, 10);
    expect(server.rule.limit).toBeLessThan(Infinity);
  }
  const { refused } = server.rule;
  server.run(1_000, 9, 10);
  expect(server.rule.limit).toBe(Infinity);
  expect(server.rule.refused).toBe(refused);
});

test('the load falls to nothing while it is limited: limited no longer', () => {
  const server = new Server();
  server.run(5_000, 30, 10);
  server.run(600 + OVERLOAD_CALM_MS, 0, 10);
  expect(server.rule.inFlight).toBe(0);
  expect(server.rule.limit).toBe(Infinity);
});
