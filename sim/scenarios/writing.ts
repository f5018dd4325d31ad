/**
 * Scenarios of writers that meet: what becomes readable, what is aborted, what an epoch and PostgreSQL do to a write
 * under way. Each is run with the rules as they are, or with one of them broken; it returns 'ok', or what a client or
 * an owner saw that must not be. (PROTOCOL R1 to R7)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import { ORIGIN_OUTSIDE } from '../../src/core/record.ts';
import type { SealedRecord } from '../../src/core/record.ts';
import { COUNTER_JUMP_MAX, makeVersion, NODE_ID_OUTSIDE } from '../../src/core/version.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import type { HistoryOutcome } from '../checkers/history.ts';
import { KEY, KEY_BESIDE, Scenario, SLOT } from '../scenario.ts';
import type { Pending } from '../scenario.ts';

/**
 * R1's counterexample, word for word. A sets 100; B sets 200 above it; C has acknowledged only A's, and increments. B's
 * reaches A and C late. It was acknowledged and read, so the increment must count from it.
 */
export function setLostBetweenSetAndIncrement(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  const fromB = world.hold({ from: b, kind: 'invalidate' });
  world.put(a, '100');
  world.put(b, '200');
  world.release(toB);
  const fromC = world.hold({ from: c, to: b, kind: 'invalidate' });
  world.increment(c);
  world.release(fromB);
  world.read(b);
  world.release(fromC);
  world.pass(3_000);
  const last = world.nodes.map((node) => world.read(node).outcome);
  if (last.some((outcome) => outcome?.kind !== 'value' || outcome.value !== '201')) {
    return world.verdict() + `\nit ends with ${JSON.stringify(last)}`;
  }
  return world.verdict();
}

/** All others have a write of A's on their disks, and A has not: nobody is told that it is done. (R2) */
export function storedElsewhereFirst(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, 'before');
  world.pass(100);
  a.isDiskHeld = true;
  const before = world.onDisk(b);
  const put = world.put(a, 'after');
  if (world.onDisk(b) === before) return 'B has not heard of it, while the disk of A was slow';
  if (put.outcome !== null) return 'told before it was on the disk of who told it';
  const waiting = world.read(b);
  if (waiting.outcome !== null) return 'read before it was on every disk';
  a.isDiskHeld = false;
  a.completeDisk();
  world.settle();
  if (outcomeOf(put)?.kind !== 'done' || outcomeOf(waiting) === null) return 'it never ends';
  return world.verdict();
}

/**
 * A increments; B's plain write overtakes it everywhere and is valid before A's has reached B. A's is aborted,
 * definitely, and retried above B's. (R2, R3)
 */
export function incrementOvertaken(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, '10');
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  const increment = world.increment(a);
  world.put(b, '20');
  const between = world.read(b);
  world.release(toB);
  world.pass(200);
  world.read(a);
  if (between.outcome?.kind !== 'value' || between.outcome.value !== '20')
    return 'the plain write had to wait';
  if (increment.outcome?.kind !== 'done' || increment.outcome.number !== 21n)
    return `the increment came to ${increment.outcome?.kind ?? 'no end'}`;
  return world.verdict();
}

/**
 * The same after a restart: the counters that A had reserved lift none of its increments above a plain write that it
 * has not heard of. (R8)
 */
export function incrementOvertakenAfterRestart(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, '10');
  world.pass(100);
  for (const node of world.nodes) world.crash(node);
  for (const node of world.nodes) node.restart();
  world.epoch(world.nodes);
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  world.increment(a);
  world.put(b, '20');
  world.release(toB);
  world.pass(3_000);
  world.read(b);
  return world.verdict();
}

/**
 * C writes; B has it on its disk and says so; A is slow. B's disk is lost, and B comes back as a learner and copies
 * from A, which has not heard of the write. What B said in the old epoch no longer counts. (R4)
 */
export function acknowledgementOfLostDisk(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(c, 'before');
  const toA = world.hold({ from: c, to: a, kind: 'invalidate' });
  world.put(c, 'after');
  world.loseDisk(b);
  world.epoch([a, c]);
  b.restart();
  world.epoch(world.nodes, [a, c]);
  world.pass(200);
  if (!b.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  world.release(toA);
  world.pass(1_000);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * A finishes a write of C's, which is gone. B's disk is slow with it when A goes, too; A comes back as a new process,
 * complete again, before B is done. B's answer then belongs to the question of the old process: it counts for none of
 * the new one's writes. (R4, R11)
 */
export function acknowledgementOfEarlierProcess(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  const fromC = world.hold({ from: c, to: b, kind: 'invalidate' });
  world.put(c, 'of a third', KEY_BESIDE);
  world.crash(c);
  world.drop(fromC);
  world.release(fromC);
  b.isDiskHeld = true;
  world.epoch([a, b], [a, b], [b, a]);
  world.crash(a);
  world.epoch([b]);
  a.restart();
  world.epoch([a, b], [b]);
  world.pass(500);
  if (!a.hasLearned) return 'the learner did not catch up';
  world.epoch([a, b]);
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  const put = world.put(a, 'of the new process');
  b.isDiskHeld = false;
  b.completeDisk();
  world.settle();
  if (put.outcome !== null) return `told ${put.outcome.kind}, and B has never heard of it`;
  world.release(toB);
  world.pass(1_000);
  for (const node of [a, b]) world.read(node);
  return world.verdict();
}

/** A's disk is slow: nobody hears of the write before it is there, and an acknowledgement says that it is. */
export function acknowledgedAndLost(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  b.isDiskHeld = true;
  c.isDiskHeld = true;
  const put = world.put(a, 'after');
  const told = put.outcome?.kind ?? 'nothing';
  for (const node of world.nodes) world.crash(node);
  a.wipeDisk();
  world.record.rows.clear();
  for (const node of [b, c]) node.restart();
  world.epoch([b, c]);
  world.pass(3_000);
  world.read(b);
  const verdict = world.verdict();
  return verdict === 'ok' ? verdict : `${verdict}\nits writer was told ${told}`;
}

/**
 * The members go on without A, which does not know it yet: a learner enters, whom A would never ask. What A says in its
 * old epoch is ignored, so that its write completes only with the learner in it. (R4, R20)
 */
export function writeBesideTheEpoch(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.crash(c);
  world.epoch([a, b]);
  c.restart();
  world.epoch(world.nodes, [a, b], [b, c]);
  world.pass(6_000);
  const put = world.put(a, 'after');
  const early = put.outcome;
  // A node in another epoch cannot say that C may be complete; if that is overlooked, C becomes complete.
  if (c.hasLearned) {
    world.epoch(world.nodes, world.nodes, [b, c]);
    world.read(c);
  }
  world.hear(a);
  world.pass(6_000);
  if (early === null && !c.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  world.pass(3_000);
  for (const node of world.nodes) world.read(node);
  if (put.outcome?.kind !== 'done') return 'the write did not come to an end';
  return early === null ? world.verdict() : `${world.verdict()}\nwritten in an epoch that was over`;
}

/** The coordinator has all acknowledgements; PostgreSQL is slow, and then everything dies before it has the row. */
export function readBeforeRecorded(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, 'before');
  world.record.isHeld = true;
  world.put(a, 'after');
  const read = world.read(b);
  if (read.outcome?.kind === 'value' && (read.outcome.version ?? 0) > world.record.versionOf(KEY))
    return 'a value was read that PostgreSQL does not have';
  world.record.isHeld = false;
  world.record.execute();
  world.settle();
  return read.outcome?.kind === 'value' ? world.verdict() : 'the read did not come to an end';
}

/**
 * PostgreSQL holds a row that no owner knows. An increment is not written over it, but is carried out above it, on its
 * value; a plain write also goes above it. (R6)
 */
export function unknownRowAbove(mutations: Mutations, kind: 'increment' | 'put'): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  const outside = makeVersion(100, NODE_ID_OUTSIDE);
  world.record.putFromOutside(rowFromOutside('41', outside), SLOT);
  const write = kind === 'put' ? world.put(b, '50') : world.increment(b);
  world.pass(500);
  if (write.outcome?.kind !== 'done' || (write.outcome.version ?? 0) <= outside)
    return 'the write was told done below a row that stands';
  const expected = kind === 'put' ? '50' : '42';
  const seen = [a, b, c].map((node) => world.read(node).outcome);
  const isRight = seen.every((each) => each?.kind === 'value' && each.value === expected);
  if (world.record.versionOf(KEY) !== write.outcome.version) return 'PostgreSQL has another version';
  return isRight ? 'ok' : `it ends with ${JSON.stringify(seen)}`;
}

/** PostgreSQL's reply is lost after the commit: the row is read, and nothing is done twice. (R6) */
export function replyLost(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.record.isHeld = true;
  const increment = world.increment(a);
  world.record.execute('A', true);
  world.settle();
  if (increment.outcome !== null) return 'called done although nobody knows';
  world.record.isHeld = false;
  world.pass(500);
  world.read(b);
  return increment.outcome === null ? 'the increment did not come to an end' : world.verdict();
}

/** Fewer owners than required: new writes are refused definitely, and writes under way stay under way. (R7) */
export function tooFewOwners(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const others = [b, c];
  for (const node of others) world.crash(node);
  world.epoch([a]);
  const refused = world.put(a, 'refused');
  if (refused.outcome?.kind !== 'definiteFailure') return `told ${refused.outcome?.kind ?? 'nothing'}`;
  for (const node of others) node.restart();
  world.epoch(world.nodes);
  world.hold({ from: a, kind: 'invalidate' });
  const underWay = world.put(a, 'under way');
  for (const node of others) world.crash(node);
  world.epoch([a]);
  world.pass(1_000);
  if (underWay.outcome !== null) return 'completed with one owner';
  underWay.expire();
  world.settle();
  const told: HistoryOutcome | null = outcomeOf(underWay);
  if (told?.kind !== 'indefinite') return `its client was told ${told?.kind ?? 'nothing'}`;
  for (const node of others) node.restart();
  world.epoch(world.nodes);
  world.pass(1_000);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/** A faulty member names a version far above all that were ever seen: nobody stores it. (R8) */
export function counterJump(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, 'before');
  const before = world.onDisk(a);
  const send = (counter: number): void => {
    const sealed = rowFromOutside('x', makeVersion(counter, b.id));
    const coordinator = { id: b.id, incarnation: b.incarnation };
    const rest = { conditional: false, recorded: true, coordinator, base: 0, operations: null };
    a.receive(b.id, SLOT, { kind: 'invalidate', round: 77, sealed, ...rest, routeEpoch: 0 });
    world.settle();
  };
  send(COUNTER_JUMP_MAX + 100);
  if (world.onDisk(a) !== before) return 'it was stored';
  send(COUNTER_JUMP_MAX - 100);
  return world.onDisk(a) > before ? 'ok' : 'a version within the bound was refused';
}

/** A function, because the world has changed since the last look. */
/** What a client was told; not narrowed by an earlier look. */
export function outcomeOf(pending: Pending): HistoryOutcome | null {
  return pending.outcome;
}

/** A row of the scenario's key, as somebody else may have inserted it into PostgreSQL. */
export function rowFromOutside(value: string, version: number): SealedRecord {
  return sealRecord({
    key: KEY,
    version,
    origin: ORIGIN_OUTSIDE,
    tombstone: false,
    value: Buffer.from(value),
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  });
}

/**
 * PostgreSQL hangs; C's put and then B's, which outranks it, are everywhere. An epoch that spools reaches all, C last:
 * its put is answered only when C's own disk has the mark of what it holds. (R34)
 */
export function outrankedBeforeSpooling(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.record.isHeld = true;
  const outranked = world.put(c, 'outranked');
  world.put(b, 'outranks it');
  world.spool();
  const fromB = world.hold({ from: b, to: c, kind: 'invalidate' });
  for (const node of [a, b]) world.hear(node);
  c.isDiskHeld = true;
  world.hear(c);
  if (isDone(outranked)) return 'answered while its own disk has no mark';
  c.isDiskHeld = false;
  c.completeDisk();
  world.release(fromB);
  world.pass(1_000);
  if (!isDone(outranked)) return 'the put came to no end';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

function isDone(asked: Pending): boolean {
  return asked.outcome?.kind === 'done';
}
