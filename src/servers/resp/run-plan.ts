/**
 * Does what a plan says for one client: every step at once, a key at a time in the eyes of the cluster. Where all of it
 * is read and at hand, the reply is made within the call. One failure fails the command, and nothing more of it is begun;
 * where other keys were changed already the reply says so: it is then not true that nothing happened.
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
} from '../../core/redis-limits.ts';
import type { TraceContext } from '../../core/trace-context.ts';
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

/** What stands now does not count: others of its connection have the key, and are before it. */
export function runBehind(client: Client, plan: Plan): void {
  const run = new Run(client, plan);
  if (run.lineKey === null) run.start();
  else client.inFlight.stand(run.lineKey, run);
}

const TOO_MANY_BYTES = `ERR the values have more than ${RESP_REPLY_BYTES_MAX} bytes, which is what one answer holds`;
/** Of a command with many keys whose time is over. */
const NOT_BEGUN = `not all of its keys were begun within ${RESP_MANY_MS_MAX} ms`;
/** In the place of values that nobody asks for. */
const PRESENT: Standing = { value: EMPTY_VALUE, expiresAt: 0 };

/** Undefined: something has to be waited for. A text: there is no answer. */
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
  /** The one key of its one step, for which it stands in line; null: it has several, and is begun at once. */
  readonly lineKey: string | null;
  /** It changes something: it cannot be begun anew once it was asked for. */
  readonly writes: boolean;
  readonly byteCount: number;
  joins: JoinedKind | null;
  readonly trace: TraceContext | undefined;
  private readonly client: Client;
  private readonly plan: Plan;
  private readonly pending: Pending;
  private readonly tellsValue: boolean;
  private outcomes: Outcome[] = [];
  /** Milliseconds on the door's clock. */
  private until = 0;
  private next = 0;
  private underWay = 0;
  private changed = 0;
  private bytes = 0;
  /** There is no room for what it reads. */
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

  /** Of one that stands in line. */
  get step(): Step {
    return this.plan.steps[0]!;
  }

  /** `isResumed`: it was parked, and its turn has come. */
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

  /** Its one step was done together with others: this is what came of it. */
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
    // What is too much to tell is not kept until the last key has been read.
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

  /** Of what was read so far nothing is kept. */
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

  /** Nothing more is begun for a command that has failed, nor once its time is over. */
  private goesOn(): boolean {
    if (this.next >= this.plan.steps.length) return false;
    if (this.failure !== null || this.isGivenUp || this.bytes > RESP_REPLY_BYTES_MAX) return false;
    if (this.client.door.now < this.until) return true;
    this.note(failure('deadline_before_start', NOT_BEGUN));
    return false;
  }

  /** Of several the one is told that may have taken effect. */
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
 * A value that is set whatever stands asks nobody: it is the cheaper operation. It carries a time to live, which its
 * coordinator adds to its own clock; a point in time would come out a little later there.
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

/** The time to live of a value that is set whatever stands, 0 for ever; null: it is no such change. */
function ttlOfPut(change: Change, isPointInTime: boolean, valueBytesMax: number): number | null {
  if (change.kind !== 'set' || change.condition !== 'always' || change.tellPrevious || isPointInTime)
    return null;
  const { value, expiresAt } = change;
  // What is too large or too far away is refused in the words of a modification.
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
