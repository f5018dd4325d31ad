/**
 * Handles misses of keys whose route still reads the legacy source, at the slot's first owner. Each key is fetched
 * once, however many callers ask, and the fetched value is first made part of the cluster. Callers get the outcome of
 * that fill, never the fetched bytes: a client's write or deletion may have come in between, and it wins. (PROTOCOL
 * R25)
 *
 * An absence reported by the legacy source is remembered for a while, so that keys which do not exist do not flood it;
 * so is a failure, to hold off callers that retry. Both are forgotten as soon as the key is written.
 */
import { unreachable } from '../base/assert.ts';
import { failure } from '../core/errors.ts';
import {
  FILL_BYTES_IN_FLIGHT_MAX,
  FLIGHT_WAITERS_MAX,
  LEGACY_ABSENT_COUNT_MAX,
  LEGACY_ABSENT_MS,
  LEGACY_ERROR_BACKOFF_MS,
  VALUE_BYTES_MAX,
} from '../core/limits.ts';
import type { Instruments } from '../core/observability/instruments.ts';
import type { ReadResult } from '../core/operation.ts';
import type { Clock } from '../ports/clock.ts';
import type { LegacyOutcome, LegacySource, LegacyValue } from '../ports/legacy-source.ts';
import type { Random } from '../ports/random.ts';

/**
 * Stores a fetched value if nothing native stands, and reports what stands then. Called once per value; must call
 * `done` exactly once, by a deadline of its own.
 */
export type Fill = (key: string, fetched: LegacyValue, done: (result: ReadResult) => void) => void;

export interface LegacyReaderParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly source: LegacySource;
  readonly instruments: Instruments;
  readonly fill: Fill;
  /** Milliseconds allowed for one fetch. */
  readonly fetchTimeoutMs: number;
}

type Done = (result: ReadResult) => void;

interface Flight {
  readonly key: string;
  readonly waiters: Done[];
  /** The key was written since the flight began, so the flight's outcome is outdated and must not be remembered. */
  overtaken: boolean;
}

interface Remembered {
  readonly result: ReadResult;
  /** Monotonic ms. */
  readonly until: number;
}

/** Callers waiting for all flights together: a few very popular keys must not use up the room of the others. */
const WAITERS_TOTAL_MAX = FLIGHT_WAITERS_MAX * 2;
/**
 * Fraction by which the lifetime of a remembered absence is randomly lengthened or shortened, so that they do not all
 * end at once.
 */
const ABSENT_JITTER = 0.2;
const ABSENT: ReadResult = { kind: 'absent' };

function overloaded(message: string): ReadResult {
  return { kind: 'failed', failure: failure('overloaded', message) };
}

const TOO_MANY_FILLS = overloaded('too many values of the legacy source wait to be stored');

export class LegacyReader {
  private readonly parts: LegacyReaderParts;
  private readonly flights = new Map<string, Flight>();
  private waiterCount = 0;
  /** Bytes of fetched values that are being stored. */
  private fillBytes = 0;
  private readonly absences = new Map<string, Remembered>();
  private readonly failures = new Map<string, Remembered>();
  private ready: { readonly done: Done; readonly result: ReadResult }[] = [];

  constructor(parts: LegacyReaderParts) {
    this.parts = parts;
  }

  /** Precondition: this node holds nothing for the key, and the key's route reads legacy. */
  read(key: string, done: Done): void {
    const remembered = this.recall(key);
    if (remembered !== undefined) return this.answerLater(done, remembered);
    const flight = this.flights.get(key);
    if (this.waiterCount >= WAITERS_TOTAL_MAX || (flight?.waiters.length ?? 0) >= FLIGHT_WAITERS_MAX) {
      return this.answerLater(done, overloaded('too many readers wait for the legacy source'));
    }
    // The value would find no room when it comes.
    if (flight === undefined && this.fillBytes + VALUE_BYTES_MAX > FILL_BYTES_IN_FLIGHT_MAX)
      return this.answerLater(done, TOO_MANY_FILLS);
    this.waiterCount += 1;
    if (flight === undefined) {
      this.begin(key, done);
    } else {
      flight.waiters.push(done);
      this.parts.instruments.legacyCoalesced += 1;
    }
  }

  private begin(key: string, done: Done): void {
    const flight: Flight = { key, waiters: [done], overtaken: false };
    this.flights.set(key, flight);
    const { clock, instruments } = this.parts;
    const askedAt = clock.now();
    this.parts.source.fetch(key, this.parts.fetchTimeoutMs, (outcome) => {
      instruments.legacyOutcomes[outcome.kind] += 1;
      instruments.time(instruments.legacyFetch, clock.now() - askedAt);
      this.onOutcome(flight, outcome);
    });
  }

  private onOutcome(flight: Flight, outcome: LegacyOutcome): void {
    switch (outcome.kind) {
      case 'value':
        this.store(flight, outcome);
        return;
      case 'absent':
        if (!flight.overtaken) this.rememberAbsence(flight.key);
        this.end(flight, ABSENT);
        return;
      case 'unavailable':
        this.end(flight, {
          kind: 'failed',
          failure: failure('source_unavailable', `legacy: ${outcome.reason}`),
        });
        return;
      case 'unaddressable':
        this.end(flight, { kind: 'failed', failure: failure('key_unaddressable', outcome.reason) });
        return;
      default:
        unreachable(outcome);
    }
  }

  private store(flight: Flight, fetched: LegacyValue): void {
    const { length } = fetched.value;
    if (this.fillBytes + length > FILL_BYTES_IN_FLIGHT_MAX) return this.end(flight, TOO_MANY_FILLS);
    this.fillBytes += length;
    this.parts.fill(flight.key, fetched, (result) => {
      this.fillBytes -= length;
      this.end(flight, result);
    });
  }

  private end(flight: Flight, result: ReadResult): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key);
    this.waiterCount -= flight.waiters.length;
    // A failed fill is remembered like a failed fetch, or the next caller would fetch the key again.
    if (result.kind === 'failed' && !flight.overtaken && result.failure.code !== 'key_unaddressable') {
      this.remember(this.failures, flight.key, result, LEGACY_ERROR_BACKOFF_MS);
    }
    for (const done of flight.waiters) done(result);
  }

  /**
   * This node is storing a record for the key. Call it in the turn in which that becomes visible to readers here,
   * before anybody can be told of the write: later callers then see the record, or start a flight of their own.
   */
  forget(key: string): void {
    this.absences.delete(key);
    this.failures.delete(key);
    const flight = this.flights.get(key);
    if (flight === undefined) return;
    flight.overtaken = true;
    this.flights.delete(key);
  }

  /** For a change of owners or routes: meanwhile others may have written keys without this node being told. */
  forgetAll(): void {
    this.absences.clear();
    this.failures.clear();
    for (const flight of this.flights.values()) flight.overtaken = true;
    this.flights.clear();
  }

  private rememberAbsence(key: string): void {
    const jitter = 1 + ABSENT_JITTER * (2 * this.parts.random.next() - 1);
    this.remember(this.absences, key, ABSENT, LEGACY_ABSENT_MS * jitter);
  }

  private remember(memory: Map<string, Remembered>, key: string, result: ReadResult, ms: number): void {
    memory.delete(key);
    memory.set(key, { result, until: this.parts.clock.now() + ms });
    if (memory.size <= LEGACY_ABSENT_COUNT_MAX) return;
    const [oldest] = memory.keys();
    memory.delete(oldest!);
  }

  private recall(key: string): ReadResult | undefined {
    const now = this.parts.clock.now();
    for (const memory of [this.absences, this.failures]) {
      const remembered = memory.get(key);
      if (remembered === undefined) continue;
      if (now < remembered.until) return remembered.result;
      memory.delete(key);
    }
    return undefined;
  }

  /** Answers never within the call, and all together once per turn. */
  private answerLater(done: Done, result: ReadResult): void {
    this.ready.push({ done, result });
    if (this.ready.length > 1) return;
    this.parts.clock.defer(() => {
      const ready = this.ready;
      this.ready = [];
      for (const answer of ready) answer.done(answer.result);
    });
  }
}
