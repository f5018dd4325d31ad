/**
 * Conditional writes that are overtaken, while epochs pass before the higher version is valid: what their clients are
 * told. Each story is run with the rules as they are, or with one of them broken; it returns 'ok', or what a client saw
 * that must not be. (PROTOCOL R3, decision 67)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import { Scenario } from '../scenario.ts';
import { outcomeOf } from './writing.ts';

/**
 * An increment is overtaken, and an epoch passes before the higher version is valid. Its coordinator has been an owner
 * all the time, so nobody can have made its version valid meanwhile: it is aborted definitely, and retried. (R3)
 */
export function abortOverEpoch(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  const fromA = world.hold({ from: a, kind: 'invalidate' });
  const increment = world.increment(a);
  const toC = world.hold({ from: b, to: c, kind: 'invalidate' });
  world.put(b, '20');
  if (increment.outcome !== null) return 'told before the higher version was valid';
  world.epoch(world.nodes);
  world.release(fromA);
  world.release(toC);
  world.pass(3_000);
  world.read(c);
  const outcome = outcomeOf(increment);
  if (outcome?.kind !== 'done' || outcome.number !== 21n)
    return `the increment came to ${outcome?.kind ?? 'no end'}`;
  return world.verdict();
}

/**
 * All owners have the increment, and PostgreSQL is slow; B puts something above it, and an epoch passes. The increment
 * has taken effect before the put, and its client is told so. (R3)
 */
export function decidedAndOvertaken(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.record.isHeld = true;
  const increment = world.increment(a);
  const put = world.put(b, '20');
  world.epoch(world.nodes);
  if (increment.outcome !== null) return 'told before PostgreSQL had it';
  world.record.isHeld = false;
  world.record.execute();
  world.pass(3_000);
  world.read(c);
  const outcome = outcomeOf(increment);
  if (outcome?.kind !== 'done' || outcome.number !== 11n)
    return `the increment came to ${outcome?.kind ?? 'no end'}`;
  return outcomeOf(put)?.kind === 'done' ? world.verdict() : 'the put did not come to an end';
}

/**
 * The increment reaches C, and what overtakes it reaches only A; A is left out, and B loses it with its disk. C finishes
 * the increment without A, whose client must not be told that it never took effect. (R3, R13)
 */
export function abortedAndLeftOut(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.hold({ from: a, to: b, kind: 'invalidate' });
  const increment = world.increment(a);
  world.hold({ from: b, to: c, kind: 'invalidate' });
  world.put(b, '20');
  world.loseDisk(b);
  world.epoch([c], [c], [a, c]);
  b.restart();
  world.epoch([b, c], [c]);
  world.pass(200);
  if (!b.hasLearned) return 'the learner did not catch up';
  world.epoch([b, c]);
  world.pass(3_000);
  const read = world.read(c);
  if (read.outcome?.kind !== 'value' || read.outcome.value !== '11') return 'the increment was not finished';
  if (outcomeOf(increment)?.kind !== 'indefinite') return 'an abort without ownership was called definite';
  return world.verdict();
}
