/**
 * Virtual time. Everything that happens in a simulation is an event in one heap ordered by (time, sequence), so the
 * same seed gives the same run. A simulated node sees time through a `SimClock` of its own, which may drift and whose
 * wall clock may jump. Events of an ended process are dropped, those of a paused one wait.
 */
import type { Clock } from '../src/ports/clock.ts';
import { EventQueue } from './event-queue.ts';
import type { SimEvent } from './event-queue.ts';

/** One run of one simulated process, for everything that ends when it is killed. */
export interface Life {
  alive: boolean;
  /** Virtual time until which the process is paused (SIGSTOP); its events wait until then. */
  pausedUntil: number;
}

export class Scheduler {
  /** Milliseconds of virtual time since the start. */
  time = 0;
  eventCount = 0;
  private readonly events = new EventQueue();

  /** Runs at virtual time `at`, or now if that has passed, unless `owner` has ended by then. */
  at(at: number, run: () => void, owner: Life | null = null): SimEvent {
    return this.events.add(at, this.time, run, owner);
  }

  after(ms: number, run: () => void, owner: Life | null = null): SimEvent {
    return this.events.add(this.time + ms, this.time, run, owner);
  }

  cancel(event: SimEvent): void {
    this.events.cancel(event);
  }

  /** Runs the next event; returns false if there is none at or before `until`. */
  step(until: number): boolean {
    const next = this.events.next(until);
    if (next === undefined) return false;
    this.time = next.at;
    const { owner } = next;
    if (next.cancelled || (owner !== null && !owner.alive)) return true;
    if (owner !== null && owner.pausedUntil > this.time) {
      // Postponed events keep their order: they resume at one moment, in the order of their original times.
      this.events.postpone(next, owner.pausedUntil);
      return true;
    }
    this.eventCount += 1;
    next.run();
    return true;
  }

  /** Runs everything up to and including virtual time `until`. */
  runUntil(until: number): void {
    while (this.step(until));
    this.time = Math.max(this.time, until);
  }
}

export const WALL_START_MS = 1_700_000_000_000;

/** The clocks of one machine, which outlive its processes. */
export class MachineClocks {
  /** 1.01 runs one percent fast. */
  readonly rate: number;
  /** May be changed at any moment, like a wall clock that is set. */
  wallOffset = WALL_START_MS;
  private readonly scheduler: Scheduler;
  /** How many milliseconds the monotonic clock has stood still in total, and when the last of these pauses ended. */
  private suspendedMs = 0;
  private resumedAt = 0;

  constructor(scheduler: Scheduler, rate = 1) {
    this.scheduler = scheduler;
    this.rate = rate;
  }

  /** The machine sleeps for `ms`; its processes must be paused for as long. */
  suspend(ms: number): void {
    this.suspendedMs += ms;
    this.resumedAt = Math.max(this.resumedAt, this.scheduler.time) + ms;
  }

  monotonic(): number {
    return (Math.max(this.scheduler.time, this.resumedAt) - this.suspendedMs) * this.rate;
  }

  boot(): number {
    return this.scheduler.time * this.rate;
  }

  wall(): number {
    return Math.floor(this.boot() + this.wallOffset);
  }
}

/** The clocks of the machine and the timers of one process. */
export class SimClock implements Clock {
  readonly machine: MachineClocks;
  private readonly scheduler: Scheduler;
  private readonly life: Life;

  constructor(scheduler: Scheduler, life: Life, machine = new MachineClocks(scheduler)) {
    this.scheduler = scheduler;
    this.life = life;
    this.machine = machine;
  }

  now(): number {
    return this.machine.monotonic();
  }

  wallNow(): number {
    return this.machine.wall();
  }

  bootNow(): number {
    return this.machine.boot();
  }

  after(ms: number, run: () => void): () => void {
    const event = this.scheduler.after(ms / this.machine.rate, run, this.life);
    return () => this.scheduler.cancel(event);
  }

  defer(run: () => void): void {
    this.scheduler.after(0, run, this.life);
  }
}
