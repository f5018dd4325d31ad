/**
 * Injects faults: goes through the faults of a scenario, one after the other or several at once, until the time is over
 * and each has had its turn. Reports what it does and when.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../../src/base/reason-of.ts';
import { Prng } from '../../src/base/prng.ts';
import { untilReady, type World } from '../world.ts';
import { strike } from './faults.ts';
import { labelOf, type FaultSpec } from './fault-spec.ts';
import type { RunLine } from './run-lines.ts';
import type { Scenario } from './scenario.ts';
import { Scene, Stopped, untilStopped } from './scene.ts';

/** The faults may take up to this multiple of the requested time until all have had their turn. */
const OVERTIME_FACTOR = 4;

export interface NemesisParts {
  readonly world: World;
  readonly scenario: Scenario;
  /** The faults of the scenario that are possible here. */
  readonly faults: readonly FaultSpec[];
  readonly seed: number;
  readonly stopped: AbortSignal;
  readonly nowMs: () => number;
  readonly write: (line: RunLine) => void;
}

export class Nemesis {
  made = 0;
  struck = 0;
  /** Descriptions of the faults in force. */
  readonly inForce = new Map<number, string>();
  private readonly parts: NemesisParts;
  private readonly prng: Prng;
  private readonly taken = new Set<string>();
  private readonly missing: Set<string>;
  private queue: FaultSpec[] = [];
  private hasGivenUp = false;
  private readonly startedAt = performance.now();

  constructor(parts: NemesisParts) {
    this.parts = parts;
    this.prng = new Prng(parts.seed);
    this.missing = new Set(parts.faults.map(labelOf));
  }

  /** Resolves when all faults are over and undone. */
  async run(): Promise<void> {
    const lanes = Array.from({ length: this.parts.scenario.atOnce }, () => this.lane());
    await Promise.all(lanes);
  }

  private async lane(): Promise<void> {
    const { scenario, stopped } = this.parts;
    while (!this.isOver()) {
      const [least, most] = scenario.restMs;
      const restMs = Math.round(this.prng.between(least, most));
      await delay(restMs, undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) return;
      await this.one(this.next());
      // With several faults at once, there may be no moment at which all nodes are ready.
      if (scenario.untilReady && scenario.atOnce === 1) await this.allReady();
    }
  }

  /** A node that never becomes ready shows up at the end of the run as missing progress. */
  private async allReady(): Promise<void> {
    const { world, stopped } = this.parts;
    await untilStopped(untilReady(world), stopped).catch(() => void (this.hasGivenUp = true));
  }

  private isOver(): boolean {
    const passedMs = performance.now() - this.startedAt;
    const lastsMs = this.parts.scenario.seconds * 1_000;
    if (this.hasGivenUp || this.parts.stopped.aborted || passedMs > lastsMs * OVERTIME_FACTOR) return true;
    const { faultsMin = 0 } = this.parts.scenario.expect;
    return passedMs >= lastsMs && this.missing.size === 0 && this.struck >= faultsMin;
  }

  private next(): FaultSpec {
    if (this.queue.length === 0) {
      const round = [...this.parts.faults];
      const isShuffled = this.parts.scenario.order === 'shuffled';
      while (round.length > 0) {
        this.queue.push(...round.splice(isShuffled ? this.prng.below(round.length) : 0, 1));
      }
    }
    return this.queue.shift()!;
  }

  private async one(spec: FaultSpec): Promise<void> {
    const { world, stopped, nowMs, write } = this.parts;
    const fault = labelOf(spec);
    const id = (this.made += 1);
    const scene = new Scene({
      ...{ world, stopped, nowMs, taken: this.taken, draw: this.prng.fork() },
      onBegan: (nodes, told) => {
        this.inForce.set(id, told);
        write({ is: 'fault', id, fault, nodes, told, atMs: nowMs() });
      },
      onMoved: (change) => write({ is: 'moved', atMs: nowMs(), ...change }),
      onFlooded: (figures) => write({ is: 'flooded', atMs: nowMs(), ...figures }),
      onUnread: (figures) => write({ is: 'unread', atMs: nowMs(), ...figures }),
    });
    let struck = false;
    try {
      struck = await strike(spec, scene);
    } catch (error) {
      const why = reasonOf(error);
      if (!(error instanceof Stopped)) write({ is: 'fault-failed', fault, why, atMs: nowMs() });
    } finally {
      scene.release();
      if (this.inForce.delete(id)) write({ is: 'fault-end', id, struck, atMs: nowMs() });
    }
    if (!struck) return;
    this.struck += 1;
    this.missing.delete(fault);
  }
}
