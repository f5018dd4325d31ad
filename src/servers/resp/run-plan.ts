/**
 * Carries out a plan for one client: all steps at once, each key separately as far as the cluster is concerned. If the
 * steps only read and everything is at hand, the reply is made synchronously. A failure fails the command, and no
 * further steps begin. If other keys were changed already, the reply says so, because then it is not true that nothing
 * happened.
 */
import { certaintyOf, failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { OPERATION_TIMEOUT_MS_DEFAULT, TTL_MS_MAX } from '../../core/limits.ts';
import { changeBytes } from '../../core/modify/change.ts';
import type { Change, ChangeResult } from '../../core/modify/change.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../../core/operation.ts';
import { EMPTY_VALUE } from '../../core/record.ts';
import {
  RESP_AT_HAND_MAX,
  RESP_MANY_IN_FLIGHT_MAX,
  RESP_MANY_MS_MAX,
  RESP_REPLY_BYTES_MAX,
  RESP_TELLING_MAX,
} from '../../core/clients/redis-limits.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import { WAIT } from '../../node/api.ts';
import type { Client } from './client.ts';
import { errorText, wordsFor } from './error-replies.ts';
import type { InLine, JoinedKind } from './keys-in-flight.ts';
import type { Outcome, Plan, Standing, Step } from './plan.ts';
import type { Pending } from './reply-queue.ts';

export function runPlan(client: Client, plan: Plan): void {
  const outcomes = readAtHand(client, plan);
  if (typeof outcomes === 'string') return client.out.error(outcomes);
  if (outcomes !== undefined) return plan.respond(client.out, outcomes);
  runBehind(client, plan);
}

/** Does not read what is at hand now: earlier commands of the same connection hold the key and come first. */
export function runBehind(client: Client, plan: Plan): void {
  const run = new Run(client, plan);
  if (run.lineKey === null) run.start();
  else client.inFlight.stand(run.lineKey, run);
}

const TOO_MANY_BYTES = `ERR the values have more than ${RESP_REPLY_BYTES_MAX} bytes, which is what one answer holds`;
/** The error of a command with many keys that has run out of time. */
const NOT_BEGUN = `not all of its keys were begun within ${RESP_MANY_MS_MAX} ms`;
/** Stands for a value that is present but not needed. */
const PRESENT: Standing = { value: EMPTY_VALUE, expiresAt: 0 };

/** Returns the outcomes, or undefined if something has to be waited for, or the text of an error. */
function readAtHand(client: Client, plan: Plan): readonly Outcome[] | string | undefined {
  const { steps, tellsPresence = false } = plan;
  if (steps.length > RESP_AT_HAND_MAX) return undefined;
  const outcomes: Outcome[] = [];
  let bytes = 0;
  for (const { key, change } of steps) {
    if (change !== null) return undefined;
    const record = client.api.tryGet(key);
    if (record === WAIT) return undefined;
    client.door.onRead(record !== undefined);
    const standing = tellsPresence && record !== undefined ? PRESENT : record;
    bytes += standing?.value.length ?? 0;
    if (bytes > RESP_REPLY_BYTES_MAX) return TOO_MANY_BYTES;
    outcomes.push({ kind: 'read', standing });
  }
  return outcomes;
}

export class Run implements InLine {
  /** The key that the command waits in line for; null for a command with several keys, which begins at once. */
  readonly lineKey: string | null;
  /** Whether the command changes anything; such a command cannot begin again once it was sent. */
  readonly writes: boolean;
  readonly byteCount: number;
  joins: JoinedKind | null;
  readonly trace: TraceContext | undefined;
  private readonly client: Client;
  private readonly plan: Plan;
  private readonly pending: Pending;
  private readonly tellsValue: boolean;
  private outcomes: Outcome[] = [];
  /** Deadline in milliseconds on the door's clock. */
  private until = 0;
  private next = 0;
  private underWay = 0;
  private changed = 0;
  private bytes = 0;
  /** There was no room for the values, so they were dropped. */
  private isGivenUp = false;
  private failure: Failure | null = null;

  constructor(client: Client, plan: Plan) {
    const { steps } = plan;
    this.client = client;
    this.plan = plan;
    this.trace = client.trace;
    this.tellsValue = steps.some(({ change }) => change !== null && tellsPrevious(change));
    const { inFlight, queue } = client;
    this.lineKey = steps.length === 1 ? steps[0]!.key : null;
    this.writes = steps.some(({ change }) => change !== null);
    this.joins = this.tellsValue ? null : joinedKindOf(steps, client.door.valueBytesMax);
    this.byteCount = steps.length === 1 && this.writes ? changeBytes(steps[0]!.change!) : 0;
    if (this.lineKey === null) for (const { key, change } of steps) inFlight.add(key, change !== null);
    this.pending = queue.begin();
    if (plan.cells !== undefined) queue.isBarred = true;
    this.pending.release = () => {
      for (const { key, change } of steps) inFlight.remove(key, change !== null);
    };
  }

  /** The only step of a command that waits in line. */
  get step(): Step {
    return this.plan.steps[0]!;
  }

  /** `isResumed`: the command was parked, and its turn has come. */
  start(isResumed = false): void {
    const { queue, door } = this.client;
    if (this.tellsValue) {
      if ((queue.parked > 0 && !isResumed) || queue.telling >= RESP_TELLING_MAX)
        return queue.park(this.pending, () => this.start(true));
      queue.telling += 1;
    }
    this.until = door.now + RESP_MANY_MS_MAX;
    this.outcomes = new Array<Outcome>(this.plan.steps.length);
    const count = Math.min(this.plan.steps.length, RESP_MANY_IN_FLIGHT_MAX);
    for (let begun = 0; begun < count; begun += 1) this.beginNext();
  }

  /** Its only step was carried out together with others; `result` is its part of the outcome. */
  wasDone(result: WriteResult): void {
    this.next = 1;
    this.underWay = 1;
    this.onWrite(0, result);
  }

  private beginNext(): void {
    const at = this.next;
    this.next += 1;
    this.underWay += 1;
    const { client } = this;
    const timeoutMs = Math.max(1, Math.min(OPERATION_TIMEOUT_MS_DEFAULT, this.until - client.door.now));
    if (this.trace === undefined) this.ask(at, timeoutMs);
    else client.under(this.trace, () => this.ask(at, timeoutMs));
  }

  private ask(at: number, timeoutMs: number): void {
    const { client } = this;
    const step = this.plan.steps[at]!;
    const { change } = step;
    if (change === null) return client.get(step.key, (result) => this.onRead(at, result), timeoutMs);
    const operation = operationOf(step, change, client.door.valueBytesMax);
    client.write(operation, (result) => this.onWrite(at, result), timeoutMs);
  }

  private onRead(at: number, result: ReadResult): void {
    if (result.kind === 'failed') return this.onEnd(result.failure);
    const record = result.kind === 'value' ? result.record : undefined;
    this.client.door.onRead(record !== undefined);
    const standing = this.plan.tellsPresence === true && record !== undefined ? PRESENT : record;
    this.gather(standing?.value.length ?? 0);
    if (this.isGivenUp) return this.onEnd(null);
    // The reply is too large already, so keep no values until the last key has been read.
    if (this.bytes > RESP_REPLY_BYTES_MAX) this.outcomes.length = 0;
    else this.outcomes[at] = { kind: 'read', standing };
    this.onEnd(null);
  }

  private gather(bytes: number): void {
    const { queue } = this.client;
    if (this.isGivenUp || bytes === 0) return;
    this.bytes += bytes;
    queue.gathered += bytes;
    if (!this.writes && !queue.isFirst(this.pending) && !queue.hasRoom(this.pending)) this.giveUp();
  }

  private giveUp(): void {
    const { queue } = this.client;
    queue.saw(this.bytes);
    this.isGivenUp = true;
    this.outcomes = [];
  }

  /** Drops everything read so far and waits to begin again. */
  private beginAnew(): void {
    const { queue } = this.client;
    queue.gathered -= this.bytes;
    this.bytes = 0;
    this.next = 0;
    this.isGivenUp = false;
    queue.park(this.pending, () => this.start());
  }

  private onWrite(at: number, result: WriteResult): void {
    const told = changeResultOf(this.plan.steps[at]!, result);
    if ('code' in told) return this.onEnd(told);
    this.outcomes[at] = { kind: 'changed', result: told };
    if (told.failure === null) this.changed += 1;
    this.onEnd(told.failure);
  }

  private onEnd(failure: Failure | null): void {
    this.underWay -= 1;
    if (failure !== null) this.note(failure);
    if (this.goesOn()) this.beginNext();
    if (this.underWay > 0) return;
    const { queue, door } = this.client;
    const { turns } = door;
    const isWanted = this.failure === null && this.bytes > 0 && this.bytes <= RESP_REPLY_BYTES_MAX;
    if (isWanted && !this.writes && !queue.hasRoom(this.pending)) this.giveUp();
    if (this.isGivenUp && this.failure === null) return this.beginAnew();
    if (this.plan.cells === undefined) return this.end();
    turns.atEnd(() => {
      turns.spend(false);
      this.end();
    });
  }

  /** No further steps begin after a failure, nor once the time is over. */
  private goesOn(): boolean {
    if (this.next >= this.plan.steps.length) return false;
    if (this.failure !== null || this.isGivenUp || this.bytes > RESP_REPLY_BYTES_MAX) return false;
    if (this.client.door.now < this.until) return true;
    this.note(failure('deadline_before_start', NOT_BEGUN));
    return false;
  }

  /** Of several failures an indefinite one is reported. */
  private note(failure: Failure): void {
    if (this.failure === null || certaintyOf(failure.code) === 'indefinite') this.failure = failure;
  }

  private end(): void {
    const { queue } = this.client;
    queue.gathered -= this.bytes;
    if (this.tellsValue) queue.telling -= 1;
    this.pending.end((out) => {
      if (this.failure !== null) out.error(this.failureText(this.failure));
      else if (this.bytes > RESP_REPLY_BYTES_MAX) out.error(TOO_MANY_BYTES);
      else this.plan.respond(out, this.outcomes);
    });
  }

  private failureText(failure: Failure): string {
    const { length } = this.plan.steps;
    if (length === 1 || this.changed === 0) return errorText(failure);
    return `INDEFINITE ${failure.code}: ${this.changed} of ${length} keys were changed: ${wordsFor(failure)}`;
  }
}

function joinedKindOf([step, ...others]: readonly Step[], valueBytesMax: number): JoinedKind | null {
  if (step === undefined || step.change === null || others.length > 0) return null;
  return ttlOfPut(step.change, step.isPointInTime === true, valueBytesMax) === null ? 'modify' : 'put';
}

function tellsPrevious(change: Change): boolean {
  return 'tellPrevious' in change && change.tellPrevious;
}

/**
 * An unconditional set becomes a put, the cheaper operation, because it need not know the present value. A put carries
 * a time to live, which the coordinator adds to its own clock, so it cannot express an exact point in time.
 */
export function operationOf(
  { key, isPointInTime = false }: Step,
  change: Change,
  valueBytesMax: number,
): WriteOperation {
  const ttlMs = ttlOfPut(change, isPointInTime, valueBytesMax);
  if (ttlMs !== null && change.kind === 'set')
    return { kind: 'put', key, operationId: null, value: change.value, ttlMs };
  return { kind: 'modify', key, operationId: null, expect: null, changes: [change], valueBytesMax };
}

/** The time to live in milliseconds (0: never expires) if the change is an unconditional set; null if it is not. */
function ttlOfPut(change: Change, isPointInTime: boolean, valueBytesMax: number): number | null {
  if (change.kind !== 'set' || change.condition !== 'always' || change.tellPrevious || isPointInTime)
    return null;
  const { value, expiresAt } = change;
  // A value that is too large or an expiry too far away is left to `modify`, whose error message fits.
  if (value.length > valueBytesMax || expiresAt === 'keep') return null;
  if (expiresAt === 0) return 0;
  const ttlMs = expiresAt - Date.now();
  return ttlMs > 0 && ttlMs <= TTL_MS_MAX ? ttlMs : null;
}

function changeResultOf({ change }: Step, result: WriteResult): ChangeResult | Failure {
  if (result.kind === 'failed') return result.failure;
  if (result.kind === 'modified' || result.kind === 'unchanged') return result.results[0]!;
  const length = change?.kind === 'set' ? change.value.length : 0;
  const nothing = { existed: false, previous: null, expiresAt: 0, text: null, failure: null };
  return { applied: result.kind === 'done', length, ...nothing };
}
