/**
 * An operator takes another PostgreSQL into use: a backup that was restored into a new server, or an empty one, one node
 * after the other or all at once; or the same server, emptied. Does by the nodes' own word what `causeway cluster
 * adopt-record` does, at a node that sees the new server, as often as it takes, and then lets the others point there. The
 * server of before may be gone, or go on as long as somebody talks to it. (PROTOCOL R30)
 */
import type { Prng } from '../src/base/prng.ts';
import type { ClusterAnswer, ClusterOrder } from '../src/node/api.ts';
import type { SimNode } from './cluster.ts';
import { SimRecordServer } from './record-server.ts';
import type { SimWorld } from './world.ts';

export type MoveFault = 'databaseMoved';

/** Milliseconds between two looks of the operator, for an answer, and at most until the next node is restarted. */
const LOOK_MS = 150;
const ANSWER_MS_MAX = 1_500;
const NEXT_MS_MAX = 500;

/** What was done; null: it could not be, for somebody is at it. */
export function moveRecord(world: SimWorld, prng: Prng): string | null {
  const { database, cluster } = world;
  if (cluster.nodes.some((sim) => sim.isHeld)) return null;
  if (database.isMoving || !cluster.nodes.some(({ node }) => node?.membership.leaseHeld())) return null;
  if (database.server.tell().clusterId === '') return null;
  const how = prng.pick(['oneByOne', 'oneByOne', 'atOnce', 'inPlace'] as const);
  const changeCount = prng.pick([0, 3, 20, 1_000]);
  const isEmpty = how === 'inPlace' || prng.chance(0.3);
  const system = how === 'inPlace' ? database.systemName : `sim-${database.serverCount}`;
  const to = isEmpty ? new SimRecordServer(system) : database.server.restoredAs(system, changeCount);
  new Move(world, prng, to, how === 'oneByOne').begin();
  return `${how} to ${system} ${isEmpty ? 'empty' : `without ${changeCount} changes`}`;
}

class Move {
  private readonly world: SimWorld;
  private readonly prng: Prng;
  private readonly to: SimRecordServer;
  private readonly isOneByOne: boolean;
  /** Not restarted yet. */
  private behind: SimNode[] = [];
  private first: SimNode | null = null;

  constructor(world: SimWorld, prng: Prng, to: SimRecordServer, isOneByOne: boolean) {
    this.world = world;
    this.prng = prng;
    this.to = to;
    this.isOneByOne = isOneByOne;
  }

  begin(): void {
    const { database, cluster } = this.world;
    const from = database.server;
    database.beginMove();
    if (this.isOneByOne) {
      // It may be the very reason for all this.
      if (this.prng.chance(0.3)) database.end(from);
      this.pointFirst();
    } else {
      database.becomes(this.to, []);
      database.end(from);
    }
    this.behind = this.isOneByOne ? cluster.nodes.filter((sim) => sim !== this.first) : [];
    this.look();
  }

  private pointFirst(): void {
    const { cluster, database } = this.world;
    this.first = this.prng.pick(cluster.nodes.filter((sim) => !sim.isGone && !sim.isLeaving));
    database.point(this.first.name, this.to);
    this.restart(this.first);
  }

  private look(): void {
    const { scheduler, database } = this.world;
    // One that leaves may have left before it has said anything.
    if (this.first?.isGone === true || this.first?.isLeaving === true) {
      database.point(this.first.name, null);
      this.behind.push(this.first);
      this.pointFirst();
    }
    if (this.isNamed()) return this.goOn();
    const again = (): void => void scheduler.after(LOOK_MS, () => this.look());
    const asked = this.first ?? this.prng.pick(this.world.cluster.nodes);
    this.ask(asked, { kind: 'recordServer' }, (told) => {
      if (told.kind !== 'recordServer' || !['ready', 'earlier'].includes(told.facts.verdict)) return again();
      const { seen, verdict, loses } = told.facts;
      const order = { seen, isBackup: verdict === 'earlier', mayLose: loses !== '' };
      this.ask(asked, { kind: 'adoptRecord', ...order }, again);
    });
  }

  /** By somebody who serves. */
  private isNamed(): boolean {
    // One that is everybody's already may be set back meanwhile, or fail over.
    const { system, clusterId } = (this.isOneByOne ? this.to : this.world.database.server).tell();
    if (clusterId === '') return false;
    return this.world.cluster.nodes.some(
      ({ node }) =>
        node?.membership.leaseHeld() === true && node.membership.topology!.record?.system === system,
    );
  }

  private goOn(): void {
    const { database } = this.world;
    if (!this.isOneByOne) return database.endMove();
    const from = database.server;
    this.behind = this.behind.filter((sim) => sim !== this.first);
    database.becomes(
      this.to,
      this.behind.map(({ name }) => name),
    );
    this.next(from);
  }

  private next(from: SimRecordServer): void {
    const { scheduler, database } = this.world;
    const sim = this.behind.shift();
    if (sim === undefined) {
      database.end(from);
      return database.endMove();
    }
    scheduler.after(this.prng.between(0, NEXT_MS_MAX), () => {
      database.point(sim.name, null);
      this.restart(sim);
      this.next(from);
    });
  }

  private restart(sim: SimNode): void {
    const { cluster, scheduler } = this.world;
    const back = (): void => void scheduler.after(this.prng.between(5, 300), () => cluster.start(sim));
    if (this.prng.chance(0.5)) {
      if (cluster.stop(sim, back)) return;
    } else cluster.kill(sim);
    back();
  }

  private ask(sim: SimNode, order: ClusterOrder, done: (answer: ClusterAnswer) => void): void {
    this.world.operator.ask(sim, order, done, ANSWER_MS_MAX);
  }
}
