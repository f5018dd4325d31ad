/**
 * The operator of the simulated machines, for when some are lost for good, disks and all, and the cluster cannot go on
 * by itself. The operator looks now and then, and does through a node what `causeway cluster recover` does, but only if
 * what is shown as lost is what is known to be lost. Then the lost machines come back, blank or with the disk that was
 * given up. (DESIGN 3, PROTOCOL R27, R28)
 */
import type { Prng } from '../src/base/prng.ts';
import { failure } from '../src/core/errors.ts';
import { memberByName } from '../src/core/membership/topology.ts';
import type { ClusterAnswer, ClusterLoss, ClusterOrder, ClusterQuorum } from '../src/node/cluster-orders.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { Scheduler } from './scheduler.ts';

const LOOK_MS = 250;
/** Milliseconds after a loss before anything is done: longer than any lease that the lost members may still hold. */
const ACT_MS_MIN = 1_500;
const SLOWNESS_MS_MAX = 1_500;
/** Milliseconds that a node may take to answer; one that dies meanwhile never answers. */
const ANSWER_MS_MAX = 2_000;
/** The same for an order that may first have to see that nobody is alive in a later life. */
const SUCCEED_MS_MAX = 10_000;
const BACK_MS_MAX = 1_500;
/** Milliseconds after which a process that has ended by itself is restarted. */
const RESTART_MS = 200;

export type OperatorAct = 'ownersGivenUp' | 'lifeBegun';

/** Told what is lost, and what is given up. */
export interface OperatorWatch {
  /** Called just before they are lost. */
  lose(victims: readonly SimNode[]): void;
  /** Null means all slots. */
  givenUp(slots: readonly number[] | null): void;
  allBack(): void;
}

export interface OperatorParts {
  readonly cluster: SimCluster;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly onAct: (act: OperatorAct) => void;
  /** How long (ms) a statement of a lost machine may still be running: its effect is waited for. */
  readonly waitMs?: number;
}

export class SimOperator {
  watch: OperatorWatch | null = null;
  private readonly parts: OperatorParts;
  private readonly lost = new Set<SimNode>();
  private looking = false;
  private actsFrom = 0;
  /** The latest life that each machine was seen to know: the processes that know the latest need not all be up. */
  private readonly lives = new Map<SimNode, number>();

  constructor(parts: OperatorParts) {
    this.parts = parts;
  }

  /** Kills them, and keeps them down until the operator has done what is necessary. */
  lose(victims: readonly SimNode[], keepsDisk: boolean): void {
    const { cluster, scheduler, prng, waitMs = 0 } = this.parts;
    this.watch?.lose(victims);
    for (const sim of victims) {
      cluster.kill(sim);
      if (!keepsDisk) sim.disk.wipe();
      sim.isHeld = true;
      this.lost.add(sim);
    }
    this.actsFrom = scheduler.time + Math.max(ACT_MS_MIN, waitMs) + prng.between(0, SLOWNESS_MS_MAX);
    if (this.looking) return;
    this.looking = true;
    this.look();
  }

  /**
   * The process has ended because PostgreSQL accepts nothing from its life any more: somebody has begun to go on, and
   * has not finished. It is restarted, to be asked.
   */
  onFenced(name: string): void {
    const { cluster, scheduler } = this.parts;
    const sim = cluster.nodes.find((each) => each.name === name);
    if (sim !== undefined) scheduler.after(RESTART_MS, () => cluster.start(sim));
  }

  private look(): void {
    const { cluster, scheduler, prng } = this.parts;
    const again = (): void => void scheduler.after(LOOK_MS, () => this.look());
    for (const sim of cluster.nodes) {
      const life = sim.node?.membership.topology?.life;
      if (life !== undefined) this.lives.set(sim, life);
    }
    const lifeLatest = Math.max(...cluster.nodes.map((sim) => (sim.isHeld ? 0 : (this.lives.get(sim) ?? 0))));
    // Somebody has gone on already, so nodes that have not heard of it are not asked.
    const up = cluster.nodes.filter((sim) => sim.node?.membership.topology?.life === lifeLatest);
    if (up.length === 0 || scheduler.time < this.actsFrom) return again();
    const asked = prng.pick(up);
    this.ask(asked, { kind: 'quorum' }, (told) => {
      if (told.kind === 'quorum' && told.quorum.isLost) this.goOn(asked, told.quorum, again);
      else if (told.kind === 'quorum') this.giveUp(asked, again);
      else again();
    });
  }

  private goOn(asked: SimNode, { members, lifeKept }: ClusterQuorum, again: () => void): void {
    const lost = members.filter((member) => !member.isUp).map(({ name }) => name);
    const topology = asked.node?.membership.topology;
    const isKnown = (name: string): boolean =>
      this.isLost(name) ||
      (topology !== null && topology !== undefined && memberByName(topology, name)?.alive === false);
    if (lifeKept === null || !lost.every((name) => isKnown(name) && !this.serves(name))) return again();
    const begun = (told: ClusterAnswer): void => {
      if (told.kind === 'changed') {
        this.lives.set(asked, lifeKept + 1);
        this.watch?.givenUp(null);
        this.parts.onAct('lifeBegun');
      }
      again();
    };
    this.ask(asked, { kind: 'succeed', lost, lifeKept }, begun, SUCCEED_MS_MAX);
  }

  private giveUp(asked: SimNode, again: () => void): void {
    this.ask(asked, { kind: 'loss' }, (told) => {
      if (told.kind !== 'lost') return again();
      const { slots, holders } = told.loss;
      if (slots.length === 0) {
        this.bringBack(asked, told.loss);
        return again();
      }
      if (!holders.every(({ name, isMember }) => !isMember || this.isLost(name))) return again();
      this.ask(asked, { kind: 'recover', slotCount: slots.length }, (given) => {
        if (given.kind === 'changed') {
          this.watch?.givenUp(slots);
          this.parts.onAct('ownersGivenUp');
        }
        again();
      });
    });
  }

  private isLost(name: string): boolean {
    return [...this.lost].some((sim) => sim.name === name);
  }

  private serves(name: string): boolean {
    return this.parts.cluster.nodes.some((sim) => sim.name === name && sim.node?.membership.leaseHeld());
  }

  /** The others can go on, and know already that the lost machines are gone. */
  private bringBack({ node }: SimNode, { recovering }: ClusterLoss): void {
    const { cluster, scheduler, prng } = this.parts;
    const topology = node?.membership.topology;
    if (topology === null || topology === undefined || node?.membership.leaseHeld() !== true) return;
    const isStillIn = topology.members.some(({ name, alive }) => alive && this.isLost(name));
    // Now and then they are back while the others are still rebuilding.
    if (isStillIn || (recovering > 0 && prng.chance(0.8))) return;
    for (const sim of this.lost)
      scheduler.after(prng.between(0, BACK_MS_MAX), () => {
        sim.isHeld = false;
        cluster.start(sim);
      });
    this.lost.clear();
    this.watch?.allBack();
  }

  /** Calls `done` once: with the answer, or with a failure if none comes. */
  ask(
    sim: SimNode,
    order: ClusterOrder,
    done: (answer: ClusterAnswer) => void,
    answerMsMax = ANSWER_MS_MAX,
  ): void {
    const { scheduler } = this.parts;
    let isOver = false;
    const end = (answer: ClusterAnswer): void => {
      if (isOver) return;
      isOver = true;
      done(answer);
    };
    const patience = answerMsMax * 2;
    const fail = (): void => end({ kind: 'failed', failure: failure('outcome_unknown') });
    scheduler.after(patience, fail);
    // The broken connection reveals that the process is gone.
    const { life } = sim;
    const look = (): void => {
      if (sim.life !== life) fail();
      else if (!isOver) scheduler.after(LOOK_MS, look);
    };
    scheduler.after(LOOK_MS, look);
    if (sim.node !== null) sim.node.operate(order, answerMsMax, end);
  }
}
