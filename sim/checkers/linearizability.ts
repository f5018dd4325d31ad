/**
 * Is there an order of the operations on a key, in accord with real time, that a single copy could have
 * followed? Just-in-time linearization (G. Lowe, "Testing for linearizability", 2017, after Wing and Gong):
 * the history is walked in order of time with the set of all places where a single copy could stand; an
 * operation is given its place only when its return forces that. The set stays small however long the
 * history is, the first return that empties it ends the shortest prefix without an order, and what stood in
 * the set just before is the story to tell. Keys are checked one by one: linearizability is local (Herlihy
 * and Wing, 1990).
 */
import {
  ConfigurationSet,
  countSpent,
  isPlaced,
  withoutPlaced,
  withoutSpent,
  withPlaced,
  withSpent,
  wordsFor,
  type Configuration,
} from './configurations.ts';
import { eventsOf, openCountMax } from './events.ts';
import { Frontier, type Reached } from './frontier.ts';
import { describeOperation, type HistoryOperation } from './history.ts';
import { countIncrements, IncrementSums } from './increment-sums.ts';
import { groupIndefinite, Witnesses, type IndefiniteGroup } from './indefinite.ts';
import { IMPOSSIBLE, isObservation, KeyModel } from './model.ts';
import { explain } from './story.ts';
import { Targets, wantedBy } from './targets.ts';
import { findDisorder, versionOf } from './version-order.ts';

export interface CheckOptions {
  /** What the key held before the history; null: it was absent. */
  readonly initialValue?: string | null;
  /** Placements tried before the answer is `undecided`. */
  readonly stepsMax?: number;
  /**
   * The versions told put the writes of a key in order. Contradictions to that order are violations too, and the
   * search becomes cheap. Only for histories in which every acknowledgement and every value names its version.
   */
  readonly versionsOrder?: boolean;
  /** Of one search after another, how many places each keeps at a return; the last leaves nothing out. */
  readonly widths?: readonly number[];
}

export type KeyVerdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'violation'; readonly operation: HistoryOperation; readonly explanation: string }
  | { readonly kind: 'undecided'; readonly explanation: string };

export type HistoryVerdict = KeyVerdict & { readonly key?: string };

const STEPS_MAX_DEFAULT = 5_000_000;
/**
 * How many places a search keeps at each return. One order is enough to accept a history, and nearly always one is found
 * among the places that spent least; only to say that there is none everything must be looked at.
 */
const WIDTHS_DEFAULT = [32, 512, Infinity];
/** Places looked at during one return, for each that is kept. */
const LOOKED_AT_MAX = 64;

/** The first violation among the keys; else the first key that could not be decided; else ok. */
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

/** All operations must be on one key. */
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
  /** Something was left out: only that there is an order is certain then. */
  readonly isCut: boolean;
}

function walk(history: readonly HistoryOperation[], options: CheckOptions, width: number): Walked {
  const search = new Search(history, options, width);
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

type Reach = (configuration: Configuration, unseen: boolean) => void;

class Search {
  stepCount = 0;
  /** Some places were left out, for `width` were found or many times that looked at. */
  isCut = false;
  private readonly width: number;
  private readonly stepsMax: number;
  private readonly model: KeyModel;
  /** Groups are known by their index; those whose use is over are null. */
  private readonly groups: (IndefiniteGroup | null)[];
  /** When the use of the next of them is over. */
  private retiresAt = -Infinity;
  private readonly witnesses: Witnesses;
  private readonly isOrdered: boolean;
  /** Kept within one return, by what is wanted. */
  private readonly targets = new Map<string, Targets>();
  private readonly slots: (HistoryOperation | null)[] = [];
  /**
   * By slot: until when it matters whether the effect of the open blind write was ever seen; else
   * Infinity.
   */
  private readonly seenUntil: number[] = [];
  private readonly slotOf = new Map<HistoryOperation, number>();
  private configurations = new ConfigurationSet();
  /** By no clock more time than this has passed when the operation at hand returns. */
  private wallHighest = Infinity;
  /** When the operation at hand returns. */
  private now = -Infinity;
  private sums: IncrementSums | null = null;
  /** Everywhere a single copy could stand during the last return; kept for the explanation. */
  private reached = new ConfigurationSet();

  constructor(history: readonly HistoryOperation[], options: CheckOptions, width: number) {
    this.width = width;
    this.stepsMax = options.stepsMax ?? STEPS_MAX_DEFAULT;
    this.isOrdered = options.versionsOrder === true;
    this.model = new KeyModel(
      history.some((operation) => operation.call.kind === 'fill'),
      this.isOrdered,
    );
    this.witnesses = new Witnesses(history);
    this.groups = groupIndefinite(history, this.witnesses);
    const placed = new Array<number>(wordsFor(openCountMax(history))).fill(0);
    this.configurations.add({ state: this.model.initial(options.initialValue ?? null), placed, spent: [] });
  }

  invoke(operation: HistoryOperation): void {
    const free = this.slots.indexOf(null);
    const slot = free === -1 ? this.slots.length : free;
    this.slots[slot] = operation;
    this.seenUntil[slot] = isBlind(operation) ? this.witnesses.lastOf(operation) : Infinity;
    this.slotOf.set(operation, slot);
    if (isObservation(operation)) this.rebuild((configuration) => this.observe(configuration));
  }

  return(operation: HistoryOperation): 'placed' | 'impossible' | 'exhausted' {
    this.retireGroups(operation.returnedAt);
    this.wallHighest = operation.wall?.highest ?? Infinity;
    this.now = operation.returnedAt;
    const slot = this.slotOf.get(operation)!;
    const survivors = new ConfigurationSet();
    const open = new Frontier();
    this.reached = new ConfigurationSet();
    this.targets.clear();
    const reach: Reach = (configuration, unseen) => {
      if (isPlaced(configuration.placed, slot)) {
        survivors.add({ ...configuration, placed: withoutPlaced(configuration.placed, slot) });
      } else if (this.reached.add(configuration)) {
        open.push({ configuration, unseen });
      }
    };
    for (const configuration of this.configurations) reach(configuration, false);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.stepCount > this.stepsMax) return 'exhausted';
      if (survivors.size >= this.width || this.reached.size >= this.width * LOOKED_AT_MAX) {
        this.isCut = true;
        break;
      }
      this.expand(next, operation.returnedAt, reach);
    }
    this.slots[slot] = null;
    this.slotOf.delete(operation);
    this.configurations = survivors;
    return survivors.size > 0 ? 'placed' : 'impossible';
  }

  valuesPossible(): (string | null)[] {
    return [...new Set([...this.reached].map((configuration) => this.model.valueOf(configuration.state)))];
  }

  /** Every single next write that could take effect, open or indefinite. */
  private expand({ configuration: from, unseen }: Reached, now: number, reach: Reach): void {
    const next = this.isOrdered ? this.lowestVersion(from) : Infinity;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const operation = this.slots[slot] ?? null;
      if (operation === null || isPlaced(from.placed, slot)) continue;
      const version = this.isOrdered ? versionOf(operation) : undefined;
      // Whoever has a lower version has its place before; later there is none for it any more.
      if (version !== undefined && version > next) continue;
      if (isObservation(operation)) {
        if (version !== undefined) this.settleVersion(from, operation, version, reach);
        continue;
      }
      if (unseen && isBlind(operation)) continue;
      for (const view of this.viewsOf(operation, from.state)) {
        this.stepCount += 1;
        const state = this.model.apply(operation, view);
        if (state === IMPOSSIBLE) continue;
        let placed = withPlaced(from.placed, slot);
        if (isBlind(operation)) placed = this.placeUnseen(placed, version, now);
        reach(this.observe({ state, placed, spent: from.spent }), false);
      }
    }
    this.expandIndefinite(from, unseen, now, next, reach);
  }

  private expandIndefinite(
    from: Configuration,
    unseen: boolean,
    now: number,
    lowest: number,
    reach: Reach,
  ): void {
    let looked: Targets | null = null;
    let hasAbsence = false;
    for (let index = 0; index < this.groups.length; index++) {
      const group = this.groups[index] ?? null;
      if (group === null || (unseen && isBlind(group.operation))) continue;
      const invokedAt = group.invokedAt[countSpent(from.spent, index)];
      if (invokedAt === undefined || invokedAt > now) continue;
      const targets = this.isOrdered ? (looked ??= this.targetsOf(from, lowest)) : null;
      // Whichever of those serves: what is left of each is absence.
      const isForAbsence = targets !== null && group.valueUsefulUntil < now;
      if (isForAbsence && hasAbsence) continue;
      if (isForAbsence) {
        const state = this.model.effect(group.operation, from.state);
        hasAbsence = this.worthOf(from.state, state, targets, true) !== IMPOSSIBLE;
      }
      for (const view of this.viewsOf(group.operation, from.state)) {
        this.stepCount += 1;
        const state = this.model.effect(group.operation, view);
        if (state === IMPOSSIBLE) continue;
        const worth = targets === null ? state : this.worthOf(from.state, state, targets, isForAbsence);
        // One that changes nothing might as well not have happened.
        if (worth === IMPOSSIBLE || worth === from.state) continue;
        const next = this.observe({ state: worth, placed: from.placed, spent: withSpent(from.spent, index) });
        reach(next, next.placed === from.placed);
      }
    }
  }

  /**
   * The state, or the absence that is left of it once its time is over, or IMPOSSIBLE where neither helps: what can
   * be called absent as it stands needs nothing for that.
   */
  private worthOf(from: number, state: number, targets: Targets, isForAbsence: boolean): number {
    const { model, wallHighest } = this;
    if (!isForAbsence && targets.worth(model.valueOf(state))) return state;
    if (!targets.worth(null) || model.isOverBy(from, wallHighest)) return IMPOSSIBLE;
    if (!model.isOverBy(state, wallHighest)) return IMPOSSIBLE;
    return isForAbsence ? model.absenceAfter(state) : state;
  }

  /** A blind write leads to the same from every view. */
  private viewsOf(operation: HistoryOperation, state: number): readonly number[] {
    const views = this.model.views(operation, state);
    return views.length > 1 && isBlind(operation) ? views.slice(0, 1) : views;
  }

  /** An observation may tell the version of what stands: that it does is one possibility, not the only one. */
  private settleVersion(
    from: Configuration,
    operation: HistoryOperation,
    version: number,
    reach: Reach,
  ): void {
    this.stepCount += 1;
    const state = this.model.known(operation, version, from.state);
    if (state !== IMPOSSIBLE) reach(this.observe({ ...from, state }), false);
  }

  private lowestVersion(from: Configuration): number {
    let lowest = Infinity;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const operation = this.slots[slot] ?? null;
      if (operation === null || isPlaced(from.placed, slot)) continue;
      lowest = Math.min(lowest, versionOf(operation) ?? Infinity);
    }
    return lowest;
  }

  /** Made anew only when another increment was invoked meanwhile. */
  private sumsAt(): IncrementSums {
    if (this.sums?.count !== countIncrements(this.groups, this.now))
      this.sums = new IncrementSums(this.groups, this.now);
    return this.sums;
  }

  /** What the next operations by version, and those without one, need to find. */
  private targetsOf(from: Configuration, lowest: number): Targets {
    const wanting: number[] = [];
    for (let slot = 0; slot < this.slots.length; slot++) {
      const operation = this.slots[slot] ?? null;
      if (operation === null || isPlaced(from.placed, slot)) continue;
      const version = versionOf(operation);
      if (version === undefined || version === lowest) wanting.push(slot);
    }
    const mark = wanting.join();
    let targets = this.targets.get(mark);
    if (targets === undefined) {
      const wanted = wanting.flatMap((slot) => wantedBy(this.slots[slot]!));
      targets = new Targets(wanted, this.groups, this.sumsAt());
      this.targets.set(mark, targets);
    }
    return targets;
  }

  /**
   * Places every open observation that fits the state. Nothing is lost by it: it changes no state, and
   * another chance to place it is worth nothing once it has its place.
   */
  private observe(configuration: Configuration): Configuration {
    let placed = configuration.placed;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const operation = this.slots[slot] ?? null;
      if (operation === null || !isObservation(operation) || isPlaced(placed, slot)) continue;
      if (this.model.fits(operation, configuration.state)) placed = withPlaced(placed, slot);
    }
    return placed === configuration.placed ? configuration : { ...configuration, placed };
  }

  /**
   * When a blind write takes effect, every open blind write whose effect nobody can have seen has its place
   * just before it: it leaves no trace, and its client can be answered. This is what keeps writers apart
   * from readers cheap: only writes that somebody saw are tried in different orders.
   */
  private placeUnseen(placed: number[], version: number | undefined, now: number): number[] {
    let result = placed;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const operation = this.slots[slot] ?? null;
      if (operation === null || this.seenUntil[slot]! >= now || isPlaced(result, slot)) continue;
      // What has a version has its place by that, and not just anywhere before; those of one round share theirs.
      const own = this.isOrdered ? versionOf(operation) : undefined;
      if (own !== undefined && own !== version) continue;
      result = withPlaced(result, slot);
    }
    return result;
  }

  /** What was spent of a group that can explain nothing more no longer tells configurations apart. */
  private retireGroups(now: number): void {
    if (this.retiresAt >= now) return;
    this.retiresAt = Infinity;
    for (let index = 0; index < this.groups.length; index++) {
      const group = this.groups[index] ?? null;
      if (group === null) continue;
      if (group.usefulUntil >= now) {
        this.retiresAt = Math.min(this.retiresAt, group.usefulUntil);
        continue;
      }
      this.groups[index] = null;
      this.rebuild((configuration) => ({
        ...configuration,
        spent: withoutSpent(configuration.spent, index),
      }));
    }
  }

  private rebuild(change: (configuration: Configuration) => Configuration): void {
    const rebuilt = new ConfigurationSet();
    for (const configuration of this.configurations) rebuilt.add(change(configuration));
    this.configurations = rebuilt;
  }
}

/** Takes effect in any state, and leaves nothing of it. */
function isBlind(operation: HistoryOperation): boolean {
  return operation.call.kind === 'put' || operation.call.kind === 'delete';
}
