/**
 * What a fault gets when it strikes: the world, its own random draws, and ways to report what it does and to wait. The
 * wait ends early when the run is stopped, and the fault then undoes whatever it has done.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Prng } from '../../src/base/prng.ts';
import type { FloodFigures } from '../flood.ts';
import type { Rig, World } from '../world.ts';
import type { NodeCount, Range, Shape } from './fault-spec.ts';
import type { Change, UnreadFigures } from './run-lines.ts';
import { DATABASE, type Way, type Wires } from './wires.ts';

export interface SceneParts {
  readonly world: World;
  readonly draw: Prng;
  readonly stopped: AbortSignal;
  /** On the clock of the run. */
  readonly nowMs: () => number;
  /** Nodes whose processes another fault holds at present. */
  readonly taken: Set<string>;
  readonly onBegan: (nodes: readonly string[], told: string) => void;
  /** Called when a change of members is complete. */
  readonly onMoved: (change: Change) => void;
  readonly onFlooded: (figures: FloodFigures) => void;
  readonly onUnread: (figures: UnreadFigures) => void;
}

/** The run was stopped while a fault was in force. */
export class Stopped extends Error {}

export class Scene {
  readonly world: World;
  readonly draw: Prng;
  private readonly parts: SceneParts;
  private readonly own: string[] = [];

  constructor(parts: SceneParts) {
    this.parts = parts;
    this.world = parts.world;
    this.draw = parts.draw;
  }

  get rig(): Rig {
    return this.world.rig!;
  }

  get network(): Wires {
    return this.rig.network!;
  }

  /** To be called once for each fault, as soon as it is in force. */
  began(nodes: readonly string[], told: string): void {
    this.parts.onBegan(nodes, told);
  }

  nowMs(): number {
    return this.parts.nowMs();
  }

  moved(change: Change): void {
    this.parts.onMoved(change);
  }

  flooded(figures: FloodFigures): void {
    this.parts.onFlooded(figures);
  }

  unread(figures: UnreadFigures): void {
    this.parts.onUnread(figures);
  }

  number(range: Range): number {
    if (typeof range === 'number') return range;
    return Math.round(this.draw.between(range[0], range[1]));
  }

  async hold(range: Range): Promise<void> {
    const ms = this.number(range);
    await delay(ms, undefined, { signal: this.parts.stopped }).catch(() => undefined);
    if (this.parts.stopped.aborted) throw new Stopped();
  }

  /** If the run is stopped, the awaited promise goes on unobserved. */
  awaits<Result>(awaited: Promise<Result>): Promise<Result> {
    return untilStopped(awaited, this.parts.stopped);
  }

  /** Nodes whose processes no other fault holds; fewer than requested, or none, if too many are held. */
  takeNodes(count: NodeCount): string[] {
    const free = this.names().filter((name) => !this.parts.taken.has(name));
    const picked = this.shuffled(free).slice(0, this.countOf(count));
    for (const name of picked) this.parts.taken.add(name);
    this.own.push(...picked);
    return picked;
  }

  /** Returns false if another fault holds PostgreSQL. */
  async aloneOnPostgres(act: (postgres: Rig['postgres']) => Promise<void>): Promise<boolean> {
    if (this.parts.taken.has(DATABASE)) return false;
    this.parts.taken.add(DATABASE);
    this.own.push(DATABASE);
    await act(this.rig.postgres);
    return true;
  }

  release(): void {
    for (const name of this.own.splice(0)) this.parts.taken.delete(name);
  }

  /** Nodes, whether or not another fault uses them, too. */
  anyNodes(count: NodeCount): string[] {
    return this.shuffled(this.names()).slice(0, this.countOf(count));
  }

  /** The ways of the shape, with the nodes on the cut-off side. */
  ways(shape: Shape, direction: 'both' | 'in' | 'out'): { ways: Way[]; nodes: string[] } {
    return waysOf(this.shuffled(this.names()), shape, direction);
  }

  names(): string[] {
    return this.world.nodes.map(({ name }) => name);
  }

  private countOf(count: NodeCount): number {
    const { length } = this.world.nodes;
    if (count === 'all') return length;
    return count === 'minority' ? minorityOf(length) : Math.min(count, length);
  }

  shuffled(items: readonly string[]): string[] {
    const left = [...items];
    const shuffled: string[] = [];
    while (left.length > 0) shuffled.push(...left.splice(this.draw.below(left.length), 1));
    return shuffled;
  }
}

/** Rejects with Stopped as soon as the run is stopped. */
export async function untilStopped<Result>(awaited: Promise<Result>, stopped: AbortSignal): Promise<Result> {
  let onStop = (): void => undefined;
  const stop = new Promise<never>((_resolve, reject) => {
    onStop = () => reject(new Stopped());
    if (stopped.aborted) onStop();
    else stopped.addEventListener('abort', onStop);
  });
  try {
    return await Promise.race([awaited, stop]);
  } finally {
    stopped.removeEventListener('abort', onStop);
    awaited.catch(() => undefined);
    stop.catch(() => undefined);
  }
}

/** The largest number below half, but at least one. */
function minorityOf(count: number): number {
  return Math.max(1, Math.ceil(count / 2) - 1);
}

/** The order of the names decides which side each one is on. */
export function waysOf(
  names: readonly string[],
  shape: Shape,
  direction: 'both' | 'in' | 'out',
): { ways: Way[]; nodes: string[] } {
  const few = names.slice(0, minorityOf(names.length));
  const many = names.slice(few.length);
  const [first, second] = names as [string, string];
  const others = names.slice(1);
  switch (shape) {
    case 'one':
      return { ways: between([first], others, direction), nodes: [first] };
    case 'pair':
      return { ways: between([first], [second], direction), nodes: [first, second] };
    case 'halves':
      return { ways: between(few, many, direction), nodes: few };
    case 'bridge':
      return { ways: between(few, many.slice(1), direction), nodes: few };
    case 'ring': {
      const far = (from: number, to: number): boolean => {
        const steps = Math.abs(from - to);
        return Math.min(steps, names.length - steps) > 1;
      };
      const ways = names.flatMap((from, at) =>
        names.filter((_, to) => far(at, to)).map((to): Way => [from, to]),
      );
      return { ways, nodes: [...names] };
    }
    case 'all':
      return { ways: between(names, names, 'out'), nodes: [...names] };
  }
}

function between(
  ours: readonly string[],
  theirs: readonly string[],
  direction: 'both' | 'in' | 'out',
): Way[] {
  const pairs = ours.flatMap((our) =>
    theirs.filter((their) => their !== our).map((their) => [our, their] as const),
  );
  return pairs.flatMap(([our, their]): Way[] => [
    ...(direction === 'in' ? [] : [[our, their] as const]),
    ...(direction === 'out' ? [] : [[their, our] as const]),
  ]);
}

/** From these nodes to PostgreSQL, and back. */
export function databaseWays(names: readonly string[]): { statements: Way[]; replies: Way[] } {
  return {
    statements: names.map((name): Way => [name, DATABASE]),
    replies: names.map((name): Way => [DATABASE, name]),
  };
}
