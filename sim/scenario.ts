/**
 * A small world for directed scenarios: nodes of real parts on one slot. The scenario says which message arrives when,
 * whose disk is slow, what PostgreSQL answers, who dies, and which epoch comes next; whatever is not held back happens
 * by itself, in order. Clients' operations are recorded, and `verdict` asks the checkers.
 */
import { assert } from '../src/base/assert.ts';
import { isHeard } from '../src/core/membership/hearing.ts';
import { OPERATION_ID_BYTES, SLOT_COUNT, TICK_MS } from '../src/core/limits.ts';
import type { PeerMessage } from '../src/core/message.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteOperation, WriteResult } from '../src/core/operation.ts';
import { PROTOCOL_MAX } from '../src/core/membership/protocol-versions.ts';
import { isLive } from '../src/core/record.ts';
import type { KeyRecord } from '../src/core/record.ts';
import type { WriteTicket } from '../src/core/replication/key-state.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from './checkers/history.ts';
import { checkHistory } from './checkers/linearizability.ts';
import type { HistoryChange } from './checkers/modifications.ts';
import { toOperation, writeOutcome } from './client-words.ts';
import { ScenarioNode } from './scenario-node.ts';
import { ScenarioRecord } from './scenario-record.ts';

export const KEY = 'key';
export const SLOT = slotOf(KEY);
/** Another key of the same slot. */
export const KEY_BESIDE = besides(KEY);
export const KEY_THIRD = besides(KEY_BESIDE);

interface Flight {
  readonly from: ScenarioNode;
  readonly to: number;
  readonly epoch: number;
  readonly incarnation: number;
  readonly message: PeerMessage;
}

/** Which messages wait: by sender, receiver and kind, or a filter; an omitted field means any. */
export interface Hold {
  readonly from?: ScenarioNode;
  readonly to?: ScenarioNode;
  readonly kind?: PeerMessage['kind'];
  readonly only?: (message: PeerMessage) => boolean;
}

/** What a client has been told so far. */
export interface Pending {
  outcome: HistoryOutcome | null;
  /** The client gives up; a write goes on without it. (R5) */
  expire: () => void;
  readonly call: HistoryCall;
  /** Its operation id, or null. */
  readonly id: Uint8Array | null;
  readonly invokedAt: number;
}

/** Operation ids begin with this plus the time of the world. */
const WALL_START = 1_700_000_000_000;

const STEPS_MAX = 100_000;

export class Scenario {
  readonly nodes: readonly ScenarioNode[];
  readonly record: ScenarioRecord;
  readonly history: HistoryOperation[] = [];
  time = 0;
  private readonly mutations: Mutations;
  private topology: Topology;
  private holds: Hold[] = [];
  private wire: Flight[] = [];
  private turn: (() => void)[] = [];
  private timers: { readonly at: number; readonly run: () => void; cancelled: boolean }[] = [];
  private readonly pending = new Set<() => void>();
  /** A counter of events, which serves as a clock that all clients share. */
  private clock = 0;

  /**
   * The cluster is founded: epoch 1, every node a complete owner. `loaded`: PostgreSQL has nothing that the nodes lack.
   */
  constructor(mutations: Mutations, nodeCount = 3, loaded = true) {
    this.mutations = mutations;
    const defer = (run: () => void): void => void this.turn.push(run);
    this.record = new ScenarioRecord(defer);
    this.nodes = Array.from(
      { length: nodeCount },
      (_, index) =>
        new ScenarioNode({
          name: 'ABCDE'[index]!,
          id: index + 1,
          mutations,
          now: () => this.time,
          at: (at, run) => this.at(at, run),
          defer,
          record: this.record,
          send: (from, to, message) => this.send(from, to, message),
        }),
    );
    this.topology = foundingTopology(this.nodes, loaded);
    for (const node of this.nodes) node.adopt(this.topology);
    this.settle();
  }

  /** The first three nodes, by the names that scenarios use. */
  get abc(): readonly [ScenarioNode, ScenarioNode, ScenarioNode] {
    return [this.nodes[0]!, this.nodes[1]!, this.nodes[2]!];
  }

  // Commands of the scenario.

  /** From now on such messages wait; `release` lets them go. */
  hold(hold: Hold): Hold {
    this.holds.push(hold);
    return hold;
  }

  release(hold: Hold): void {
    assert(this.holds.includes(hold), 'only what is held can be released');
    this.holds = this.holds.filter((each) => each !== hold);
    this.settle();
  }

  /** Waiting messages of this kind are lost. */
  drop(hold: Hold): void {
    this.wire = this.wire.filter((flight) => !this.matches(hold, flight));
  }

  /**
   * The next epoch: who is alive in it, under their present incarnations, and who of them is complete. All of them
   * adopt it, unless the scenario names those that hear of it.
   */
  epoch(
    alive: readonly ScenarioNode[],
    complete: readonly ScenarioNode[] = alive,
    heardBy: readonly ScenarioNode[] = alive,
  ): void {
    const before = this.topology;
    this.topology = {
      ...before,
      epoch: before.epoch + 1,
      members: before.members.map((member) => {
        const node = this.nodes[member.id - 1]!;
        return alive.includes(node)
          ? { ...member, alive: true, incarnation: node.incarnation }
          : { ...member, alive: false };
      }),
      rows: [{ owners: before.rows[0]!.owners, complete: complete.map((node) => node.id) }],
    };
    for (const node of heardBy) this.hear(node);
  }

  /** The next epoch begins to spool; nobody has heard of it yet. (PROTOCOL R34) */
  spool(): void {
    this.topology = { ...this.topology, epoch: this.topology.epoch + 1, spooling: true };
  }

  /** The node learns of the newest epoch. */
  hear(node: ScenarioNode): void {
    if (node.life !== null) node.adopt(this.topology);
    this.settle();
  }

  /** Runs everything that is not held back, until nothing is left; time stands still. */
  settle(): void {
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      const run = this.turn.shift();
      if (run !== undefined) {
        run();
        continue;
      }
      const index = this.wire.findIndex((flight) => !this.holds.some((hold) => this.matches(hold, flight)));
      if (index < 0) return;
      const [flight] = this.wire.splice(index, 1);
      this.deliver(flight!);
    }
    throw new Error('the world does not come to rest');
  }

  /** Lets time pass, with ticks and timers. */
  pass(ms: number): void {
    const end = this.time + ms;
    while (this.time < end) {
      this.time = Math.min(end, this.time + TICK_MS);
      const due = this.timers.filter((timer) => timer.at <= this.time);
      this.timers = this.timers.filter((timer) => timer.at > this.time);
      for (const timer of due) if (!timer.cancelled) timer.run();
      for (const node of this.nodes) node.tick();
      this.settle();
    }
  }

  /** Clients that still wait for the dead node are told what a client then knows: nothing. */
  crash(node: ScenarioNode, writeLands = false): void {
    node.crash(writeLands);
    for (const end of [...this.pending]) end();
  }

  /** Like a crash; the disk is lost as well. */
  loseDisk(node: ScenarioNode): void {
    this.crash(node);
    node.wipeDisk();
  }

  // Calls of clients.

  put(node: ScenarioNode, value: string, key = KEY): Pending {
    return this.write(node, { kind: 'put', value }, null, ++this.clock, key);
  }

  increment(node: ScenarioNode, delta = 1n): Pending {
    return this.write(node, { kind: 'increment', delta });
  }

  /** With a new operation id. */
  incrementOnce(node: ScenarioNode): Pending {
    const id = Buffer.alloc(OPERATION_ID_BYTES);
    id.writeUIntBE(WALL_START + this.time + 1, 0, 6);
    id.writeUInt32BE(this.clock, 12);
    return this.write(node, { kind: 'increment', delta: 1n }, id);
  }

  /**
   * Repeats the write under the same id. If the outcome of the first attempt is unknown, both are one operation in the
   * history, from the beginning of the first to this answer; an answer that was given is recorded already.
   */
  repeat(node: ScenarioNode, first: Pending): Pending {
    const isOpen = first.outcome === null || first.outcome.kind === 'indefinite';
    const at = this.history.findIndex((each) => each.client === first.invokedAt);
    if (isOpen && at >= 0) this.history.splice(at, 1);
    return this.write(node, first.call, first.id, isOpen ? first.invokedAt : 0);
  }

  modify(node: ScenarioNode, changes: readonly HistoryChange[]): Pending {
    return this.write(node, { kind: 'modify', changes });
  }

  fill(node: ScenarioNode, value: string): Pending {
    return this.write(node, { kind: 'fill', value });
  }

  /** `since`: when it began, for the history; 0 means that it is not recorded. */
  write(
    node: ScenarioNode,
    call: HistoryCall,
    id: Uint8Array | null = null,
    since = ++this.clock,
    key = KEY,
  ): Pending {
    const life = node.life;
    const lives = (): boolean => life?.alive === true;
    const { pending, end } = this.note(key, call, id, since, lives, { kind: 'indefinite' });
    const operation = operationOf(key, call, id);
    const ticket: WriteTicket = {
      operation,
      readsLegacy: false,
      isLegacyUnheard: false,
      begun: false,
      answered: false,
      retries: 0,
      answer: (result) => end(outcomeOf(result, operation)),
    };
    pending.expire = () => node.replica!.expire(ticket);
    node.replica!.write(ticket, SLOT);
    this.settle();
    return pending;
  }

  read(node: ScenarioNode): Pending {
    const life = node.life;
    const failed: HistoryOutcome = { kind: 'definiteFailure' };
    const lives = (): boolean => life?.alive === true;
    const { pending, end } = this.note(KEY, { kind: 'get' }, null, ++this.clock, lives, failed);
    const ticket = {
      key: KEY,
      lowest: 0,
      answered: false,
      answer: (sealed: { readonly record: KeyRecord } | undefined, problem: unknown) => {
        if (problem !== null || !node.leaseHeld) return end(failed);
        end(valueOutcome(sealed?.record));
      },
    };
    node.replica!.read(ticket, SLOT);
    this.settle();
    return pending;
  }

  isAnswered(pending: Pending): boolean {
    return pending.outcome !== null;
  }

  /** 'ok', or an explanation of what no single copy could have answered. */
  verdict(): string {
    const verdict = checkHistory(this.history, { versionsOrder: true });
    return verdict.kind === 'ok' ? 'ok' : verdict.explanation;
  }

  /** The version that the node has on its disk. */
  onDisk(node: ScenarioNode): number {
    return node.diskVersion(KEY, SLOT);
  }

  private note(
    key: string,
    call: HistoryCall,
    id: Uint8Array | null,
    invokedAt: number,
    lives: () => boolean,
    lost: HistoryOutcome,
  ): { pending: Pending; end: (outcome: HistoryOutcome) => void } {
    const pending: Pending = { outcome: null, expire: () => undefined, call, id, invokedAt };
    const end = (outcome: HistoryOutcome): void => {
      if (pending.outcome !== null) return;
      pending.outcome = outcome;
      this.pending.delete(look);
      if (invokedAt === 0) return;
      this.history.push({ key, client: invokedAt, call, outcome, invokedAt, returnedAt: ++this.clock });
    };
    const look = (): void => (lives() ? undefined : end(lost));
    this.pending.add(look);
    return { pending, end };
  }

  private send(from: ScenarioNode, to: number, message: PeerMessage): void {
    this.wire.push({ from, to, epoch: from.topology!.epoch, incarnation: from.incarnation, message });
  }

  private deliver({ from, to, epoch, incarnation, message }: Flight): void {
    const node = this.nodes[to - 1]!;
    const header = { from: from.id, incarnation, epoch };
    if (this.mutations.dropEpochCheck !== true && !isHeard(node.topology, header, message)) return;
    node.receive(from.id, SLOT, message);
  }

  private matches(hold: Hold, flight: Flight): boolean {
    if (hold.from !== undefined && hold.from !== flight.from) return false;
    if (hold.to !== undefined && hold.to.id !== flight.to) return false;
    if (hold.only !== undefined && !hold.only(flight.message)) return false;
    return hold.kind === undefined || hold.kind === flight.message.kind;
  }

  private at(at: number, run: () => void): () => void {
    const timer = { at, run, cancelled: false };
    this.timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  }
}

function foundingTopology(nodes: readonly ScenarioNode[], loaded: boolean): Topology {
  const ids = nodes.map((node) => node.id);
  return {
    epoch: 1,
    clusterId: 'scenario',
    life: 1,
    replicaCount: Math.min(3, nodes.length),
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    members: nodes.map(({ id, name }) => ({
      id,
      name,
      address: name,
      incarnation: 1,
      alive: true,
      zone: '',
      host: '',
      weight: 1,
    })),
    council: ids,
    nextId: ids.length + 1,
    rows: [{ owners: ids, complete: ids }],
    slotRow: new Uint16Array(SLOT_COUNT),
    placed: ids,
    floorCounter: 0,
    protocol: PROTOCOL_MAX,
    loaded,
  };
}

function besides(key: string): string {
  for (let number = 0; ; number += 1) if (slotOf(`${key}-${number}`) === SLOT) return `${key}-${number}`;
}

function operationOf(key: string, call: HistoryCall, operationId: Uint8Array | null): WriteOperation {
  if (call.kind !== 'fill') return toOperation(key, call, 0, operationId);
  return { kind: 'fill', key, operationId, value: Buffer.from(call.value) };
}

function outcomeOf(result: WriteResult, operation: WriteOperation): HistoryOutcome {
  // For its reader a fill that lost counts as if nothing had been done.
  if (result.kind === 'conditionFailed' && operation.kind === 'fill') return { kind: 'definiteFailure' };
  return writeOutcome(result, operation);
}

function valueOutcome(record: KeyRecord | undefined): HistoryOutcome {
  if (record === undefined || !isLive(record, 0)) return { kind: 'value', value: null };
  return { kind: 'value', value: Buffer.from(record.value).toString(), version: record.version };
}
