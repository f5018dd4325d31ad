/**
 * Does what a plan says for one client: every step at once, a key at a time in the eyes of the cluster. Where all of it
 * is read and at hand, the reply is made within the call. One failure fails the command, and where other keys were
 * changed already the reply says so: it is then not true that nothing happened.
 */
import { certaintyOf } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { RESP_MANY_IN_FLIGHT_MAX, TTL_MS_MAX } from '../../core/limits.ts';
import type { ChangeResult } from '../../core/modify/change.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../../core/operation.ts';
import { WAIT } from '../../node/api.ts';
import type { Client } from './client.ts';
import { errorText } from './error-replies.ts';
import type { Outcome, Plan, Step } from './plan.ts';
import type { Pending } from './reply-queue.ts';

export function runPlan(client: Client, plan: Plan): void {
  const outcomes = readAtHand(client, plan.steps);
  if (outcomes !== undefined) return plan.respond(client.out, outcomes);
  new Run(client, plan).start();
}

/** Undefined: something has to be waited for. */
function readAtHand(client: Client, steps: readonly Step[]): readonly Outcome[] | undefined {
  const outcomes: Outcome[] = [];
  for (const { key, change } of steps) {
    if (change !== null) return undefined;
    const record = client.api.tryGet(key);
    if (record === WAIT) return undefined;
    outcomes.push({ kind: 'read', standing: record });
  }
  return outcomes;
}

class Run {
  private readonly client: Client;
  private readonly plan: Plan;
  private readonly pending: Pending;
  private readonly outcomes: Outcome[];
  private next = 0;
  private left: number;
  private changed = 0;
  private failure: Failure | null = null;

  constructor(client: Client, plan: Plan) {
    const { steps } = plan;
    this.client = client;
    this.plan = plan;
    this.outcomes = new Array<Outcome>(steps.length);
    this.left = steps.length;
    for (const { key, change } of steps) client.inFlight.add(key, change !== null);
    this.pending = client.queue.begin();
    this.pending.release = () => {
      for (const { key, change } of steps) client.inFlight.remove(key, change !== null);
    };
  }

  start(): void {
    const count = Math.min(this.plan.steps.length, RESP_MANY_IN_FLIGHT_MAX);
    for (let begun = 0; begun < count; begun += 1) this.beginNext();
  }

  private beginNext(): void {
    const at = this.next;
    this.next += 1;
    const { key, change, isPointInTime = false } = this.plan.steps[at]!;
    if (change === null) return this.client.get(key, (result) => this.onRead(at, result));
    const { valueBytesMax } = this.client.door;
    this.client.write(operationOf({ key, change, isPointInTime }, valueBytesMax), (result) =>
      this.onWrite(at, result),
    );
  }

  private onRead(at: number, result: ReadResult): void {
    if (result.kind === 'failed') return this.onEnd(result.failure);
    const standing = result.kind === 'value' ? result.record : undefined;
    this.outcomes[at] = { kind: 'read', standing };
    this.onEnd(null);
  }

  private onWrite(at: number, result: WriteResult): void {
    const told = changeResultOf(this.plan.steps[at]!, result);
    if ('code' in told) return this.onEnd(told);
    this.outcomes[at] = { kind: 'changed', result: told };
    if (told.failure === null) this.changed += 1;
    this.onEnd(told.failure);
  }

  private onEnd(failure: Failure | null): void {
    // Of several the one is told that may have taken effect.
    if (failure !== null && (this.failure === null || certaintyOf(failure.code) === 'indefinite'))
      this.failure = failure;
    this.left -= 1;
    if (this.next < this.plan.steps.length) this.beginNext();
    if (this.left > 0) return;
    this.pending.end((out) => {
      if (this.failure === null) this.plan.respond(out, this.outcomes);
      else out.error(this.failureText(this.failure));
    });
  }

  private failureText(failure: Failure): string {
    const { length } = this.plan.steps;
    if (length === 1 || this.changed === 0) return errorText(failure);
    return `INDEFINITE ${failure.code}: ${this.changed} of ${length} keys were changed: ${failure.message}`;
  }
}

/**
 * A value that is set whatever stands asks nobody: it is the cheaper operation. It carries a time to live, which its
 * coordinator adds to its own clock; a point in time would come out a little later there.
 */
export function operationOf(
  { key, change, isPointInTime }: Step & { change: object },
  valueBytesMax: number,
): WriteOperation {
  if (change.kind === 'set' && change.condition === 'always' && !change.tellPrevious && !isPointInTime) {
    const { value, expiresAt } = change;
    const ttlMs = expiresAt === 'keep' ? -1 : expiresAt === 0 ? 0 : expiresAt - Date.now();
    const isWithinLimits = value.length <= valueBytesMax && ttlMs <= TTL_MS_MAX;
    // What is too large or too far away is refused in the words of a modification.
    if (isWithinLimits && (expiresAt === 0 || ttlMs > 0))
      return { kind: 'put', key, operationId: null, value, ttlMs };
  }
  return { kind: 'modify', key, operationId: null, expect: null, changes: [change], valueBytesMax };
}

function changeResultOf({ change }: Step, result: WriteResult): ChangeResult | Failure {
  if (result.kind === 'failed') return result.failure;
  if (result.kind === 'modified' || result.kind === 'unchanged') return result.results[0]!;
  const length = change?.kind === 'set' ? change.value.length : 0;
  const nothing = { existed: false, previous: null, expiresAt: 0, text: null, failure: null };
  return { applied: result.kind === 'done', length, ...nothing };
}
