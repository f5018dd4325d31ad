/**
 * One walk over a key's history with the set of all points at which a single copy could be. Each point is a state, the
 * open operations that have taken effect, and the indefinite calls that were spent. (linearizability.ts)
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
import { openCountMax } from './events.ts';
import { Frontier, type Reached } from './frontier.ts';
import type { HistoryOperation } from './history.ts';
import { countIncrements, IncrementSums } from './increment-sums.ts';
import { groupIndefinite, Witnesses, type IndefiniteGroup } from './indefinite.ts';
import { IMPOSSIBLE, KeyModel } from './model.ts';
import { isBlind, OpenOperations, type OpenOperation } from './open-operations.ts';
import { Targets, wantedBy } from './targets.ts';

/** How many points are explored during one return, for each that is kept. */
const LOOKED_AT_MAX = 64;

export interface SearchOptions {
  /** What the key held before the history; null if it was absent. */
  readonly initialValue: string | null;
  readonly stepsMax: number;
  /** Versions order the operations that have one. */
  readonly isOrdered: boolean;
  /** How many points are kept at each return. */
  readonly width: number;
}

/** A group of which another effect may still explain something. */
interface LiveGroup {
  readonly index: number;
  readonly group: IndefiniteGroup;
  readonly isBlind: boolean;
  /** Its target states by source state; cached because each point asks for them. */
  readonly effects: Map<number, number>;
}

type Reach = (configuration: Configuration, unseen: boolean) => void;

export class Search {
  stepCount = 0;
  /** Some points were left out, because `width` were found, or a multiple of that was explored. */
  isCut = false;
  private readonly options: SearchOptions;
  private readonly model: KeyModel;
  /** Groups are known by their index; those that have become useless are null. */
  private readonly groups: (IndefiniteGroup | null)[];
  /** The remaining groups, by when the first call of each was invoked. */
  private live: readonly LiveGroup[];
  /** When the next of them becomes useless. */
  private retiresAt = -Infinity;
  private readonly witnesses: Witnesses;
  private readonly isOrdered: boolean;
  /**
   * Caches for one return: targets by the open operations that want something, and by the placed operations, which
   * determine those.
   */
  private readonly targets = new Map<string, Targets>();
  private readonly targetsByPlaced = new Map<number | string, Targets>();
  private readonly open: OpenOperations;
  private configurations = new ConfigurationSet();
  /** The highest that any wall clock may have shown when the present operation returns. */
  private wallHighest = Infinity;
  /** When the present operation returns. */
  private now = -Infinity;
  private sums: IncrementSums | null = null;
  /** All points at which a single copy could be during the last return; kept for the explanation. */
  private reached = new ConfigurationSet();

  constructor(history: readonly HistoryOperation[], options: SearchOptions) {
    this.options = options;
    this.isOrdered = options.isOrdered;
    this.model = new KeyModel(
      history.some((operation) => operation.call.kind === 'fill'),
      this.isOrdered,
    );
    this.open = new OpenOperations(history);
    this.witnesses = new Witnesses(history);
    this.groups = groupIndefinite(history, this.witnesses);
    this.live = this.groups.map((group, index) => liveGroup(group!, index));
    const placed = new Array<number>(wordsFor(openCountMax(history))).fill(0);
    this.configurations.add({ state: this.model.initial(options.initialValue), placed, spent: [] });
  }

  invoke(operation: HistoryOperation): void {
    const { isObservation } = this.open.begin(operation, (each) => this.witnesses.lastOf(each));
    if (isObservation) this.rebuild((configuration) => this.observe(configuration));
  }

  return(operation: HistoryOperation): 'placed' | 'impossible' | 'exhausted' {
    this.retireGroups(operation.returnedAt);
    this.wallHighest = operation.wall?.highest ?? Infinity;
    this.now = operation.returnedAt;
    const { width, stepsMax } = this.options;
    const slot = this.open.placeOf(operation);
    const survivors = new ConfigurationSet();
    const open = new Frontier();
    this.reached = new ConfigurationSet();
    this.targets.clear();
    this.targetsByPlaced.clear();
    const reach: Reach = (configuration, unseen) => {
      const { state, placed, spent } = configuration;
      if (isPlaced(placed, slot)) survivors.add({ state, placed: withoutPlaced(placed, slot), spent });
      else if (this.reached.add(configuration)) open.push({ configuration, unseen });
    };
    for (const configuration of this.configurations) reach(configuration, false);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.stepCount > stepsMax) return 'exhausted';
      if (survivors.size >= width || this.reached.size >= width * LOOKED_AT_MAX) {
        this.isCut = true;
        break;
      }
      this.expand(next, operation.returnedAt, reach);
    }
    this.open.end(operation);
    this.configurations = survivors;
    return survivors.size > 0 ? 'placed' : 'impossible';
  }

  valuesPossible(): (string | null)[] {
    return [...new Set([...this.reached].map((configuration) => this.model.valueOf(configuration.state)))];
  }

  /** Reaches every point that is one write away, by an open or an indefinite operation. */
  private expand({ configuration: from, unseen }: Reached, now: number, reach: Reach): void {
    const next = this.isOrdered ? this.open.lowestVersion(from.placed, this.now) : Infinity;
    const { slots } = this.open;
    for (let slot = 0; slot < slots.length; slot++) {
      const open = slots[slot] ?? null;
      if (open === null || isPlaced(from.placed, slot)) continue;
      const version = this.isOrdered ? open.version : undefined;
      // An operation with a lower version comes first; after this one there is no place for it any more.
      if (version !== undefined && version > next) continue;
      if (open.isObservation) {
        if (version !== undefined) this.settleVersion(from, open.operation, version, reach);
        continue;
      }
      if (unseen && open.isBlind) continue;
      this.place(from, open, slot, now, reach);
    }
    this.expandIndefinite(from, unseen, now, next, reach);
  }

  /** A write with a known outcome takes effect. */
  private place(from: Configuration, open: OpenOperation, slot: number, now: number, reach: Reach): void {
    const { operation, version, isBlind: blind } = open;
    for (const view of this.viewsOf(operation, blind, from.state)) {
      this.stepCount += 1;
      const state = this.model.apply(operation, view);
      if (state === IMPOSSIBLE) continue;
      let placed = withPlaced(from.placed, slot);
      if (blind) placed = this.placeUnseen(placed, this.isOrdered ? version : undefined, now);
      reach(this.observed(state, placed, from.spent), false);
    }
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
    for (const each of this.live) {
      const { group, index } = each;
      if (group.invokedAt[0]! > now) break;
      if (unseen && each.isBlind) continue;
      const invokedAt = group.invokedAt[countSpent(from.spent, index)];
      if (invokedAt === undefined || invokedAt > now) continue;
      const targets = this.isOrdered ? (looked ??= this.targetsOf(from, lowest)) : null;
      // For absence any one such group will do, since each leaves nothing but absence.
      const isForAbsence = targets !== null && group.valueUsefulUntil < now;
      if (isForAbsence && hasAbsence) continue;
      if (isForAbsence)
        hasAbsence = this.worthOf(from.state, this.effectOf(each, from.state), targets, true) !== IMPOSSIBLE;
      for (const view of this.viewsOf(group.operation, each.isBlind, from.state)) {
        this.stepCount += 1;
        const state = this.effectOf(each, view);
        if (state === IMPOSSIBLE) continue;
        const worth = targets === null ? state : this.worthOf(from.state, state, targets, isForAbsence);
        // An effect that changes nothing might as well not have happened.
        if (worth === IMPOSSIBLE || worth === from.state) continue;
        const next = this.observed(worth, from.placed, withSpent(from.spent, index));
        reach(next, next.placed === from.placed);
      }
    }
  }

  private effectOf({ group, effects }: LiveGroup, state: number): number {
    let effect = effects.get(state);
    if (effect === undefined) effects.set(state, (effect = this.model.effect(group.operation, state)));
    return effect;
  }

  /**
   * Returns `state` if it is a useful target, or its absence once it has expired if that is useful, otherwise
   * IMPOSSIBLE. If `from` can already be called absent, absence needs no further effect.
   */
  private worthOf(from: number, state: number, targets: Targets, isForAbsence: boolean): number {
    const { model, wallHighest } = this;
    if (!isForAbsence && targets.isWorth(state, model)) return state;
    if (!targets.worth(null) || model.isOverBy(from, wallHighest)) return IMPOSSIBLE;
    if (!model.isOverBy(state, wallHighest)) return IMPOSSIBLE;
    return isForAbsence ? model.absenceAfter(state) : state;
  }

  /** A blind write leads to the same state from every view. */
  private viewsOf(operation: HistoryOperation, blind: boolean, state: number): readonly number[] {
    const views = this.model.views(operation, state);
    return views.length > 1 && blind ? views.slice(0, 1) : views;
  }

  /** An observation may reveal the version of the present state. That it does is one possibility, not the only one. */
  private settleVersion(
    from: Configuration,
    operation: HistoryOperation,
    version: number,
    reach: Reach,
  ): void {
    this.stepCount += 1;
    const state = this.model.known(operation, version, from.state);
    if (state !== IMPOSSIBLE) reach(this.observed(state, from.placed, from.spent), false);
  }

  /** Recomputed only if another increment was invoked meanwhile. */
  private sumsAt(): IncrementSums {
    if (this.sums?.count !== countIncrements(this.groups, this.now))
      this.sums = new IncrementSums(this.groups, this.now);
    return this.sums;
  }

  /** The targets of the open operations that are next by version, and of those without one. */
  private targetsOf({ placed }: Configuration, lowest: number): Targets {
    const key = placed.length === 1 ? placed[0]! : placed.join(':');
    let targets = this.targetsByPlaced.get(key);
    if (targets === undefined) this.targetsByPlaced.set(key, (targets = this.targetsFor(placed, lowest)));
    return targets;
  }

  private targetsFor(placed: readonly number[], lowest: number): Targets {
    const { slots } = this.open;
    const wanting: number[] = [];
    for (let slot = 0; slot < slots.length; slot++) {
      const open = slots[slot] ?? null;
      if (open === null || isPlaced(placed, slot)) continue;
      // A version below `lowest` belongs to an operation that may come before a loss, or after it.
      if (open.version === undefined || open.version <= lowest) wanting.push(slot);
    }
    const mark = wanting.join();
    let targets = this.targets.get(mark);
    if (targets === undefined) {
      const wanted = wanting.flatMap((slot) => wantedBy(slots[slot]!.operation));
      targets = new Targets(wanted, this.groups, this.sumsAt());
      this.targets.set(mark, targets);
    }
    return targets;
  }

  /**
   * Places every open observation that fits the state. Nothing is lost by that: an observation does not change the
   * state, and another chance to place it is worth nothing once it is placed.
   */
  private observed(state: number, placed: readonly number[], spent: readonly number[]): Configuration {
    return { state, placed: this.open.placeFitting(placed, state, this.model), spent };
  }

  private observe(configuration: Configuration): Configuration {
    const { state, placed, spent } = configuration;
    const observed = this.open.placeFitting(placed, state, this.model);
    return observed === placed ? configuration : { state, placed: observed, spent };
  }

  /**
   * When a blind write takes effect, every open blind write whose effect nobody can have seen is placed just before it:
   * it leaves no trace, and its client can be answered. This keeps many writers without readers cheap: only writes that
   * somebody saw are tried in different orders.
   */
  private placeUnseen(placed: number[], version: number | undefined, now: number): number[] {
    const { slots } = this.open;
    let result = placed;
    for (let slot = 0; slot < slots.length; slot++) {
      const open = slots[slot] ?? null;
      if (open === null || open.seenUntil >= now || isPlaced(result, slot)) continue;
      // An operation with a version has its place by that, and not anywhere before; those of one round share theirs.
      const own = this.isOrdered ? open.version : undefined;
      if (own !== undefined && own !== version) continue;
      result = withPlaced(result, slot);
    }
    return result;
  }

  /** What was spent of a group that can explain nothing more no longer distinguishes configurations. */
  private retireGroups(now: number): void {
    if (this.retiresAt >= now) return;
    this.retiresAt = Infinity;
    for (const { group, index } of this.live) {
      if (group.usefulUntil >= now) {
        this.retiresAt = Math.min(this.retiresAt, group.usefulUntil);
        continue;
      }
      this.groups[index] = null;
      this.rebuild(({ state, placed, spent }) => ({ state, placed, spent: withoutSpent(spent, index) }));
    }
    this.live = this.live.filter(({ index }) => this.groups[index] !== null);
  }

  private rebuild(change: (configuration: Configuration) => Configuration): void {
    const rebuilt = new ConfigurationSet();
    for (const configuration of this.configurations) rebuilt.add(change(configuration));
    this.configurations = rebuilt;
  }
}

function liveGroup(group: IndefiniteGroup, index: number): LiveGroup {
  return { index, group, isBlind: isBlind(group.operation), effects: new Map() };
}
