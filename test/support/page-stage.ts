/**
 * A fake cluster for the page: a node's API, its members' answers and its slots, each as a test or a person looking at
 * the page wants them. Traffic continues by itself, the same each time.
 */
import { ringMapOf } from '../../src/core/placement/ring-map.ts';
import type { SlotRow, Topology } from '../../src/core/membership/topology.ts';
import type { ClusterAnswer, ClusterOrder } from '../../src/node/cluster-orders.ts';
import type { NodeStatus } from '../../src/node/status.ts';
import { slotsHeld } from '../../src/node/node-status.ts';
import type { AskPeers } from '../../src/servers/http/live-looks.ts';
import { FakeNodeApi } from './fake-node-api.ts';
import { founded } from './founded.ts';

type Changes = Partial<NodeStatus> & { readonly readP99?: number };

export class PageStage implements AskPeers {
  readonly api: StagedApi;
  topology: Topology;
  /** Names of members that do not answer. */
  readonly silent = new Set<string>();
  readonly changes = new Map<string, Changes>();
  /** What a node says about another member. */
  readonly members = new Map<string, Partial<NodeStatus['members'][number]>>();
  /** Applied to all nodes. */
  common: Partial<NodeStatus> = {};
  asked = 0;
  closed = 0;
  /** Operations done so far, by node. */
  private readonly done = new Map<string, { reads: number; writes: number; looks: number }>();

  constructor(count: number) {
    this.topology = founded(count);
    this.api = new StagedApi(this);
  }

  ask(name: string, _address: string, _timeoutMs: number, done: (json: string | null) => void): void {
    this.asked += 1;
    const json = this.silent.has(name) ? null : JSON.stringify(this.statusOf(name));
    setImmediate(() => done(json));
  }

  close(): void {
    this.closed += 1;
  }

  /** Also removes the member by an epoch. */
  kill(name: string): void {
    this.silent.add(name);
    this.change((member) => (member.name === name ? { ...member, alive: false } : member));
  }

  back(name: string): void {
    this.silent.delete(name);
    this.change((member) => (member.name === name ? { ...member, alive: true } : member));
  }

  /** The member has this share of its slots, and copies the rest. */
  learn(name: string, share: number): void {
    const { topology } = this;
    const { id } = topology.members.find((member) => member.name === name)!;
    const learning = (row: SlotRow): SlotRow => ({
      ...row,
      complete: row.complete.filter((one) => one !== id),
    });
    const rows = [...topology.rows, ...topology.rows.map(learning)];
    const slotRow = topology.slotRow.map((row, slot) =>
      (slot % 100) / 100 < share ? row : row + topology.rows.length,
    );
    this.topology = { ...topology, epoch: topology.epoch + 1, rows, slotRow };
  }

  private change(to: (member: Topology['members'][number]) => Topology['members'][number]): void {
    const { topology } = this;
    this.topology = { ...topology, epoch: topology.epoch + 1, members: topology.members.map(to) };
  }

  statusOf(name: string): NodeStatus {
    const { topology } = this;
    const place = topology.members.findIndex((member) => member.name === name);
    const { readP99 = 0.4 + place / 10, ...changes } = this.changes.get(name) ?? {};
    const plain = this.api.plain();
    const { looks = 0 } = this.done.get(name) ?? {};
    const wave = (calm: number): number => 1 + (Math.sin(looks / 7 + place) * Math.sin(looks * 2.3)) / calm;
    const recent = {
      ...plain.recent,
      readMs: { p50: readP99 / 4, p99: readP99 * wave(8), count: 100 },
      writeMs: { p50: 3.1 * wave(30), p99: (9 + place / 3) * wave(4), count: 100 },
      record: { ...plain.recent.record, commitMs: { p50: 2, p99: 6.2, count: 100 }, rowsPerSecond: 310 },
    };
    const status = {
      ...plain,
      name,
      id: place + 1,
      clusterId: topology.clusterId,
      epoch: topology.epoch,
      keysHeld: 48_200 + place * 131,
      disk: {
        state: 'enough' as const,
        freeBytes: 212e9 - place * 7e9,
        reserveBytes: 1e9,
        freeFiles: 9e6,
        reserveFiles: 1e3,
        isGone: false,
      },
      legacy: { state: 'up' as const, reason: '', calls: 4_211 },
      members: topology.members.map((member) => this.memberOf(member)),
      operations: { failures: 0, staleReads: 0, ...this.worked(name, place) },
      recent,
    };
    return { ...status, ...this.common, ...changes };
  }

  private memberOf({ id, name, alive }: Topology['members'][number]): NodeStatus['members'][number] {
    const { complete: slotsComplete, learning: slotsLearning } = slotsHeld(this.topology, id);
    const linkUp = !this.silent.has(name);
    const address = `127.0.0.1:${50_050 + id}`;
    return {
      ...{ id, name, address, alive, standing: 'in' as const, slotsComplete, slotsLearning, linkUp },
      ...{ protocol: 5, slow: '', ...this.members.get(name) },
    };
  }

  /** Depends on the number of the look: a slow wave and a fast one, different for each node. */
  private worked(name: string, place: number): { reads: number; writes: number } {
    const before = this.done.get(name) ?? { reads: 1_000, writes: 100, looks: 0 };
    const looks = before.looks + 1;
    const wave =
      1 + 0.14 * Math.sin(looks / 19 + place) + 0.06 * Math.sin(looks * 1.7 + 2 * place) * Math.sin(looks);
    const now = {
      looks,
      reads: before.reads + Math.round((2_600 - 170 * place) * wave),
      writes: before.writes + Math.round((420 - 30 * place) * (2 - wave)),
    };
    this.done.set(name, now);
    return now;
  }
}

class StagedApi extends FakeNodeApi {
  private readonly stage: PageStage;
  /** Belongs to no cluster. */
  isAlone = false;

  constructor(stage: PageStage) {
    super();
    this.stage = stage;
  }

  plain(): NodeStatus {
    return super.status();
  }

  override status(): NodeStatus {
    return this.isAlone
      ? { ...this.plain(), name: 'node-1', id: 0, epoch: 0, members: [], ...this.statusChanges }
      : this.stage.statusOf('node-1');
  }

  override operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void {
    if (order.kind !== 'ring' || this.isAlone) return super.operate(order, timeoutMs, done);
    setImmediate(() => done({ kind: 'ring', ring: ringMapOf(this.stage.topology) }));
  }
}
