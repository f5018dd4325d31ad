/**
 * Is there an order of the operations on a key, consistent with real time, that a single copy could have followed?
 * Just-in-time linearization (G. Lowe, "Testing for linearizability", 2017, after Wing and Gong): the search walks the
 * history in order of time with the set of all points at which a single copy could be; an operation is placed only when
 * its return forces that. The set stays small however long the history is. The first return that empties it ends the
 * shortest prefix without an order, and the set just before it is the explanation. Keys are checked one by one, because
 * linearizability is local (Herlihy and Wing, 1990).
 */
import { eventsOf } from './events.ts';
import { describeOperation, type HistoryOperation } from './history.ts';
import { Search } from './search.ts';
import { explain } from './story.ts';
import { findDisorder } from './version-order.ts';

export interface CheckOptions {
  /** What the key held before the history; null if it was absent. */
  readonly initialValue?: string | null;
  /** Number of steps after which the answer is `undecided`. */
  readonly stepsMax?: number;
  /**
   * The reported versions order the writes of a key. Contradictions to that order are violations too, and the search
   * becomes cheap. Only for histories in which every acknowledgement and every value reports its version.
   */
  readonly versionsOrder?: boolean;
  /** How many points each of several consecutive searches keeps at a return; the last one must leave nothing out. */
  readonly widths?: readonly number[];
}

export type KeyVerdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'violation'; readonly operation: HistoryOperation; readonly explanation: string }
  | { readonly kind: 'undecided'; readonly explanation: string };

export type HistoryVerdict = KeyVerdict & { readonly key?: string };

const STEPS_MAX_DEFAULT = 5_000_000;
/**
 * How many points a search keeps at each return. A single order is enough to accept a history, and nearly always one is
 * found among the points that spent least; only to show that there is none must everything be explored.
 */
const WIDTHS_DEFAULT = [32, 512, Infinity];

/** The first violation among the keys, else the first key that could not be decided, else ok. */
export function checkHistory(
  history: readonly HistoryOperation[],
  options: CheckOptions = {},
): HistoryVerdict {
  const byKey = new Map<string, HistoryOperation[]>();
  for (const operation of history) {
    const operations = byKey.get(operation.key);
    if (operations === undefined) byKey.set(operation.key, [operation]);
    else operations.push(operation);
  }
  let undecided: HistoryVerdict | null = null;
  for (const [key, operations] of byKey) {
    const verdict = checkKey(operations, options);
    if (verdict.kind === 'violation') return { ...verdict, key };
    if (verdict.kind === 'undecided') undecided ??= { ...verdict, key };
  }
  return undecided ?? { kind: 'ok' };
}

/** All operations must be on the same key. */
export function checkKey(history: readonly HistoryOperation[], options: CheckOptions = {}): KeyVerdict {
  const disorder = options.versionsOrder === true ? findDisorder(history) : null;
  if (disorder !== null) {
    const { operation, reason } = disorder;
    return { kind: 'violation', operation, explanation: `${describeOperation(operation)}: ${reason}` };
  }
  for (const width of options.widths ?? WIDTHS_DEFAULT) {
    const { verdict, isCut } = walk(history, options, width);
    if (verdict.kind === 'ok' || !isCut) return verdict;
  }
  throw new Error('a search that leaves nothing out has a verdict');
}

interface Walked {
  readonly verdict: KeyVerdict;
  /** Something was left out, so only the existence of an order would be certain. */
  readonly isCut: boolean;
}

function walk(history: readonly HistoryOperation[], options: CheckOptions, width: number): Walked {
  const search = new Search(history, {
    initialValue: options.initialValue ?? null,
    stepsMax: options.stepsMax ?? STEPS_MAX_DEFAULT,
    isOrdered: options.versionsOrder === true,
    width,
  });
  for (const event of eventsOf(history)) {
    if (!event.returns) {
      search.invoke(event.operation);
      continue;
    }
    const outcome = search.return(event.operation);
    if (outcome === 'placed') continue;
    const { isCut } = search;
    if (outcome === 'exhausted') {
      const explanation = `not decided within ${search.stepCount} steps, at ${describeOperation(event.operation)}`;
      return { isCut, verdict: { kind: 'undecided', explanation } };
    }
    const explanation = explain(history, event.operation, search.valuesPossible());
    return { isCut, verdict: { kind: 'violation', operation: event.operation, explanation } };
  }
  return { isCut: false, verdict: { kind: 'ok' } };
}
