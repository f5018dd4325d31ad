/**
 * An operator moves the cluster to another PostgreSQL: a backup restored into a new server, or an empty server, node by
 * node or all at once; or the same server, emptied. Does through the nodes what `causeway cluster adopt-record` does,
 * at a node that sees the new server, as often as it takes, and then lets the others connect there. The old server may
 * be gone, or stay as long as somebody talks to it. (PROTOCOL R30)
 */
import type { Prng } from '../src/base/prng.ts';
import type { ClusterAnswer, ClusterOrder } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { SimRecordServer } from './record-server.ts';
import type { SimWorld } from './world.ts';

export type MoveFault = 'databaseMoved';

/**
 * Milliseconds between two looks of the operator, and limits of the wait for an answer and before the next node is
 * restarted.
 */
const LOOK_MS = 150;
const ANSWER_MS_MAX = 1_500;
const NEXT_MS_MAX = 500;

/** Returns what was done; null if it was not possible, because a move is under way. */
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
  to.edits.follow(database.server.edits);
  new Move(world, prng, to, how === 'oneByOne').begin();
  return `${how} to ${system} ${isEmpty ? 'empty' : `without ${changeCount} changes`}`;
}

class Move {
  private readonly world: SimWorld;
  private readonly prng: Prng;
  private readonly to: SimRecordServer;
  private readonly isOneByOne: boolean;
  /** Nodes that are not restarted yet. */
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
      // Its loss may be the very reason for the move.
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
    // A node that leaves may be gone before it has reported anything.
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

  /** A serving node's topology names the new server. */
  private isNamed(): boolean {
    // A server that is in general use by now may have been set back or failed over meanwhile.
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
