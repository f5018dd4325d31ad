/**
 * The checker against histories made from a real sequential object, and against a second checker that tries every
 * order: slow, short, written independently, and wrong in other ways if it is wrong.
 */
import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from './history.ts';
import { checkHistory, checkKey } from './linearizability.ts';
import { drawChanges, serveChanges } from './modifications-served.ts';

/** Narrow searches: what they leave out must be explored in the end. */
const NARROW = [1, 2, Infinity];

interface Shape {
  readonly clientCount: number;
  readonly operationCount: number;
  readonly indefiniteShare: number;
  /** With few values many operations collide, with many none do. */
  readonly valueCount: number;
  /** Share of reads; the rest are writes of all kinds. */
  readonly readShare: number;
}

/**
 * Versions in the order of the effects, as the nodes assign them. A write that overlaps the previous one may share its
 * version, as two operations of one round do. Absence has no version.
 */
class Versions {
  private readonly prng: Prng;
  private version = 1;
  private roundEnds = -Infinity;
  private isShared = false;

  constructor(prng: Prng) {
    this.prng = prng;
  }

  give(outcome: HistoryOutcome, invokedAt: number, returnedAt: number): HistoryOutcome {
    if (outcome.kind === 'done' || outcome.kind === 'modified') {
      if (this.isShared && invokedAt <= this.roundEnds && this.prng.chance(0.3)) {
        this.roundEnds = Math.min(this.roundEnds, returnedAt);
      } else {
        this.version += 2;
        this.roundEnds = returnedAt;
      }
      this.isShared = true;
      return { ...outcome, version: this.version };
    }
    // A value that was read can no longer be in the middle of a round.
    this.isShared = false;
    let present: string | null | undefined = null;
    if (outcome.kind === 'value') present = outcome.value;
    else if (outcome.kind === 'conditionFailed') present = outcome.current;
    else if (outcome.kind === 'unchanged') present = outcome.told[0]!.previous;
    return typeof present === 'string' ? ({ ...outcome, version: this.version } as HistoryOutcome) : outcome;
  }
}

/** Clients take turns at random; each operation takes effect somewhere between its invocation and its return. */
function makeHistory(prng: Prng, shape: Shape, versions: Versions | null = null): HistoryOperation[] {
  const freeAt = Array.from({ length: shape.clientCount }, () => prng.next());
  const planned = Array.from({ length: shape.operationCount }, () => {
    const client = prng.below(shape.clientCount);
    const invokedAt = freeAt[client]! + prng.next() * 0.2;
    const effectAt = invokedAt + prng.next();
    const returnedAt = effectAt + prng.next();
    freeAt[client] = returnedAt;
    const indefinite = prng.chance(shape.indefiniteShare);
    const lateBy = indefinite && prng.chance(0.3) ? prng.next() * 20 : 0;
    const happens = !indefinite || prng.chance(0.5);
    const call = drawCall(prng, shape);
    return { client, call, invokedAt, effectAt: effectAt + lateBy, returnedAt, indefinite, happens };
  });
  let state: string | null = null;
  const history: HistoryOperation[] = [];
  for (const plan of planned.sort((a, b) => a.effectAt - b.effectAt)) {
    const { client, call, invokedAt, returnedAt } = plan;
    let outcome: HistoryOutcome = { kind: 'indefinite' };
    if (plan.happens) {
      const result = serve(call, state);
      state = result.state;
      const given = versions?.give(result.outcome, invokedAt, plan.indefinite ? Infinity : returnedAt);
      if (!plan.indefinite) outcome = given ?? result.outcome;
    }
    history.push({ key: 'k', client, call, outcome, invokedAt, returnedAt });
  }
  return history;
}

function drawCall(prng: Prng, shape: Shape): HistoryCall {
  const value = String(prng.below(shape.valueCount));
  const expect = prng.chance(0.3)
    ? ({ kind: 'absent' } as const)
    : ({ kind: 'value', value: String(prng.below(shape.valueCount)) } as const);
  if (prng.chance(shape.readShare)) return { kind: 'get' };
  const kind = prng.pick([
    'put',
    'put',
    'put',
    'delete',
    'compareAndPut',
    'compareAndPut',
    'compareAndDelete',
    'increment',
    'modify',
  ]);
  if (kind === 'put') return { kind, value: prng.chance(0.1) ? `text${value}` : value };
  if (kind === 'compareAndPut') return { kind, expect, value };
  if (kind === 'compareAndDelete') return { kind, expect };
  if (kind === 'modify') return { kind, changes: drawChanges(prng, value) };
  return kind === 'increment' ? { kind, delta: BigInt(prng.below(3)) } : { kind: 'delete' };
}

/** The sequential object itself, as plainly as possible. */
function serve(call: HistoryCall, state: string | null): { state: string | null; outcome: HistoryOutcome } {
  if (call.kind === 'get') return { state, outcome: { kind: 'value', value: state } };
  if (call.kind === 'put') return { state: call.value, outcome: { kind: 'done' } };
  if (call.kind === 'delete') return { state: null, outcome: { kind: 'done' } };
  if (call.kind === 'increment') {
    if (state !== null && !/^\d+$/.test(state)) return { state, outcome: { kind: 'notAnInteger' } };
    const number = BigInt(state ?? '0') + call.delta;
    return { state: String(number), outcome: { kind: 'done', number } };
  }
  if (call.kind === 'modify') return serveChanges(call.changes, state);
  if (call.kind === 'fill' || call.kind === 'loss' || call.expect.kind === 'version')
    throw new Error('not drawn here');
  const holds = call.expect.kind === 'absent' ? state === null : state === call.expect.value;
  if (!holds) return { state, outcome: { kind: 'conditionFailed', current: state } };
  return { state: call.kind === 'compareAndPut' ? call.value : null, outcome: { kind: 'done' } };
}

function isWrite({ kind }: HistoryOutcome): boolean {
  return kind === 'done' || kind === 'modified';
}

function sameOutcome(a: HistoryOutcome, b: HistoryOutcome): boolean {
  const text = (outcome: HistoryOutcome): string =>
    JSON.stringify(outcome, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return text(a) === text(b);
}

/** Tries every order that real time allows, and every subset of the calls with unknown outcome. */
function bruteForce(history: readonly HistoryOperation[]): boolean {
  const lost = (operation: HistoryOperation): boolean => operation.outcome.kind === 'indefinite';
  const attempt = (left: readonly HistoryOperation[], state: string | null): boolean => {
    if (left.every(lost)) return true;
    for (const next of left) {
      const rest = left.filter((other) => other !== next);
      if (rest.some((other) => !lost(other) && other.returnedAt < next.invokedAt)) continue;
      const result = serve(next.call, state);
      if (!lost(next) && !sameOutcome(result.outcome, next.outcome)) continue;
      if (attempt(rest, result.state)) return true;
    }
    return false;
  };
  return attempt(history, null);
}

/** Changes what one client was told. */
function corrupt(prng: Prng, history: readonly HistoryOperation[], valueCount: number): HistoryOperation[] {
  const told = history.filter((operation) => operation.outcome.kind !== 'indefinite');
  if (told.length === 0) return [...history];
  const victim = prng.pick(told);
  const value = prng.chance(0.2) ? null : String(prng.below(valueCount + 1));
  return history.map((operation) => {
    if (operation !== victim) return operation;
    const { kind } = operation.call;
    let outcome: HistoryOutcome = { kind: 'done' };
    if (kind === 'get') outcome = { kind: 'value', value };
    else if (kind === 'increment') outcome = { kind: 'done', number: BigInt(prng.below(4)) };
    else if (kind === 'modify') outcome = serveChanges(operation.call.changes, value).outcome;
    else if (prng.chance(0.5) && (kind === 'compareAndPut' || kind === 'compareAndDelete')) {
      outcome = { kind: 'conditionFailed', current: value };
    }
    return { ...operation, outcome };
  });
}

test('histories of a real sequential object, with overlap and lost answers: are always accepted', () => {
  for (let seed = 1; seed <= 80; seed++) {
    const prng = new Prng(seed);
    const shape: Shape = {
      clientCount: 1 + prng.below(8),
      operationCount: 300,
      indefiniteShare: prng.pick([0, 0.02, 0.05]),
      valueCount: prng.pick([3, 20, 100_000]),
      readShare: prng.pick([0.2, 0.5, 0.8]),
    };
    expect(checkKey(makeHistory(prng, shape)), `seed ${seed}`).toEqual({ kind: 'ok' });
  }
});

test('short histories, whole and with one answer changed: judged as by trying every order', () => {
  let violations = 0;
  let accepted = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    const prng = new Prng(seed);
    const valueCount = prng.pick([2, 3, 5]);
    const shape: Shape = {
      clientCount: 1 + prng.below(4),
      operationCount: 3 + prng.below(5),
      indefiniteShare: prng.pick([0, 0.2, 0.4]),
      valueCount,
      readShare: 0.4,
    };
    const whole = makeHistory(prng, shape);
    expect(checkKey(whole).kind, `seed ${seed}`).toBe('ok');
    const changed = corrupt(prng, whole, valueCount);
    const verdict = checkKey(changed).kind;
    expect(verdict, `seed ${seed}`).toBe(bruteForce(changed) ? 'ok' : 'violation');
    // Whatever a narrow search leaves out, the last one does not.
    expect(checkKey(changed, { widths: NARROW }).kind, `seed ${seed}`).toBe(verdict);
    if (verdict === 'ok') accepted += 1;
    else violations += 1;
  }
  expect(violations).toBeGreaterThan(600);
  expect(accepted).toBeGreaterThan(600);
});

interface Served {
  readonly value: string | null;
  /** Null if nobody was told. */
  readonly version: number | null;
  readonly floor: number;
}

/** Like `bruteForce`; in addition, no version may be lower than one that was told earlier in the order. */
function bruteForceVersions(history: readonly HistoryOperation[]): boolean {
  const lost = (operation: HistoryOperation): boolean => operation.outcome.kind === 'indefinite';
  const told = (operation: HistoryOperation): number | undefined =>
    'version' in operation.outcome ? operation.outcome.version : undefined;
  for (const a of history) {
    for (const b of history) {
      const [first, then] = [told(a), told(b)];
      if (first === undefined || first !== then) continue;
      if (a.returnedAt < b.invokedAt && isWrite(b.outcome)) return false;
      if (a.outcome.kind === 'value' && b.outcome.kind === 'value' && a.outcome.value !== b.outcome.value)
        return false;
    }
  }
  const attempt = (left: readonly HistoryOperation[], state: Served): boolean => {
    if (left.every(lost)) return true;
    for (const next of left) {
      const rest = left.filter((other) => other !== next);
      if (rest.some((other) => !lost(other) && other.returnedAt < next.invokedAt)) continue;
      const result = serve(next.call, state.value);
      const version = told(next);
      const { version: _version, ...outcome } = { version: 0, ...next.outcome };
      if (!lost(next) && !sameOutcome(result.outcome, outcome)) continue;
      if (version !== undefined && version < state.floor) continue;
      let after: Served = { ...state, value: result.state };
      if (version !== undefined && !isWrite(next.outcome)) {
        if (state.version !== null && state.version !== version) continue;
        after = { ...after, version, floor: version };
      } else if (version !== undefined) after = { ...after, version, floor: version };
      else if (isWrite(result.outcome)) after = { ...after, version: null };
      if (attempt(rest, after)) return true;
    }
    return false;
  };
  return attempt(history, { value: null, version: null, floor: 0 });
}

/** Changes what one client was told, or the version it was told. */
function corruptVersion(
  prng: Prng,
  history: readonly HistoryOperation[],
  valueCount: number,
): HistoryOperation[] {
  const told = history.filter(({ outcome }) => 'version' in outcome && outcome.version !== undefined);
  if (told.length === 0) return corrupt(prng, history, valueCount);
  const victim = prng.pick(told);
  const version = 1 + prng.below(2 * history.length + 2);
  return history.map((operation) =>
    operation === victim
      ? { ...operation, outcome: { ...operation.outcome, version } as HistoryOutcome }
      : operation,
  );
}

test('histories of a real sequential object with their versions: are always accepted, however many answers were lost', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const prng = new Prng(seed);
    const shape: Shape = {
      clientCount: 1 + prng.below(8),
      operationCount: 300,
      indefiniteShare: prng.pick([0, 0.05, 0.15]),
      valueCount: prng.pick([20, 100_000]),
      readShare: prng.pick([0.2, 0.5, 0.8]),
    };
    const history = makeHistory(prng, shape, new Versions(prng));
    expect(checkKey(history, { versionsOrder: true }), `seed ${seed}`).toEqual({ kind: 'ok' });
  }
});

test('short histories with versions, whole, with one answer and with one version changed: judged as by trying every order', () => {
  const counts = { ok: 0, violation: 0, undecided: 0 };
  for (let seed = 1; seed <= 6000; seed++) {
    const prng = new Prng(seed);
    const valueCount = prng.pick([2, 3, 5]);
    const shape: Shape = {
      clientCount: 1 + prng.below(4),
      operationCount: 3 + prng.below(5),
      indefiniteShare: prng.pick([0, 0.2, 0.4]),
      valueCount,
      readShare: 0.4,
    };
    const whole = makeHistory(prng, shape, new Versions(prng));
    expect(checkKey(whole, { versionsOrder: true }).kind, `seed ${seed}`).toBe('ok');
    const changed = prng.chance(0.3)
      ? corrupt(prng, whole, valueCount)
      : corruptVersion(prng, whole, valueCount);
    const verdict = checkKey(changed, { versionsOrder: true }).kind;
    expect(verdict, `seed ${seed}`).toBe(bruteForceVersions(changed) ? 'ok' : 'violation');
    expect(checkKey(changed, { versionsOrder: true, widths: NARROW }).kind, `seed ${seed}`).toBe(verdict);
    counts[verdict] += 1;
  }
  expect(counts.violation).toBeGreaterThan(900);
  expect(counts.ok).toBeGreaterThan(900);
});

test('a hot key of eight clients and a long quiet one: are decided within the steps', () => {
  const hot = {
    clientCount: 8,
    operationCount: 1000,
    indefiniteShare: 0.05,
    valueCount: 1e6,
    readShare: 0.5,
  };
  const long = {
    clientCount: 3,
    operationCount: 10_000,
    indefiniteShare: 0.002,
    valueCount: 1e6,
    readShare: 0.5,
  };
  expect(checkHistory(makeHistory(new Prng(1), hot)).kind).toBe('ok');
  const history = makeHistory(new Prng(2), long);
  expect(checkHistory(history).kind).toBe('ok');
  const reads = history.filter(
    (operation) => operation.call.kind === 'get' && operation.outcome.kind === 'value',
  );
  const last = reads.at(-1)!;
  const stale = history.map((operation) =>
    operation === last
      ? { ...operation, outcome: { kind: 'value', value: 'never written' } as const }
      : operation,
  );
  expect(checkHistory(stale)).toMatchObject({ kind: 'violation', operation: { invokedAt: last.invokedAt } });
});
