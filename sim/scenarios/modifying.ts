/**
 * Scenarios of modifications, and of many writes that wait on one key: what they are judged on, that their changes take
 * effect together, and that waiting writes share a round. (PROTOCOL R2, R5)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import type { HistoryOutcome } from '../checkers/history.ts';
import type { HistoryChange } from '../checkers/modifications.ts';
import { KEY_BESIDE, Scenario } from '../scenario.ts';
import type { Pending } from '../scenario.ts';

const READ: HistoryChange = { kind: 'read' };
const ADD_ONE: HistoryChange = { kind: 'increment', delta: 1n };

/**
 * A writes 20 over 10, and B does not hear of it before it adds one to what it holds. A's write was acknowledged, so
 * the sum must count from it.
 */
export function modificationBesidePut(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  world.put(a, '20');
  world.modify(b, [READ, ADD_ONE]);
  world.release(toB);
  world.pass(3_000);
  world.read(c);
  return world.verdict();
}

/** A sets and appends at once: every reader finds both. */
export function setAndAppended(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  const set = { kind: 'set', value: 'x', condition: 'always', expiresAt: 0 } as const;
  world.modify(a, [set, { kind: 'append', value: 'y' }]);
  world.read(b);
  return world.verdict();
}

/**
 * A hundred increments wait on one key while its first round is under way, some of them as modifications; the key is
 * read elsewhere, and another key is written.
 */
export function hundredWait(): {
  readonly totals: (bigint | null)[];
  readonly rounds: number;
  readonly verdict: string;
} {
  const world = new Scenario({});
  const [a, b] = world.abc;
  const held = world.hold({
    from: a,
    kind: 'invalidate',
    only: (message) => message.kind === 'invalidate' && message.sealed.record.key !== KEY_BESIDE,
  });
  const waiting = Array.from({ length: 100 }, (_, index) =>
    index % 10 === 9 ? world.modify(a, [ADD_ONE]) : world.increment(a),
  );
  const read = world.read(b);
  const beside = world.put(a, 'other', KEY_BESIDE);
  if (beside.outcome?.kind !== 'done') return { totals: [], rounds: 0, verdict: 'another key had to wait' };
  world.release(held);
  if (read.outcome?.kind !== 'value')
    return { totals: [], rounds: 0, verdict: 'a reader had to wait for more' };
  const totals = waiting.map(({ outcome }) => totalOf(outcome));
  world.read(b);
  return { totals, rounds: roundsOf(waiting), verdict: world.verdict() };
}

/** Forty writes wait that together are much work; returns how many rounds they take. */
export function muchWorkWaits(): { readonly rounds: number; readonly verdict: string } {
  const world = new Scenario({});
  const [a] = world.abc;
  const held = world.hold({ from: a, kind: 'invalidate' });
  const changes = [READ, ...Array.from({ length: 255 }, () => ADD_ONE)];
  const waiting = Array.from({ length: 40 }, () => world.modify(a, changes));
  world.release(held);
  world.pass(100);
  return { rounds: roundsOf(waiting), verdict: world.verdict() };
}

/** A round takes one version. */
function roundsOf(all: readonly Pending[]): number {
  return new Set(all.map(({ outcome }) => (outcome === null ? null : versionTold(outcome)))).size;
}

function totalOf(outcome: HistoryOutcome | null): bigint | null {
  if (outcome?.kind === 'modified') return outcome.told[0]!.number;
  return outcome?.kind === 'done' ? (outcome.number ?? null) : null;
}

function versionTold(outcome: HistoryOutcome): number | null {
  return 'version' in outcome ? (outcome.version ?? null) : null;
}
