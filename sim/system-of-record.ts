/**
 * PostgreSQL in the simulated world: one database that survives every node, and a connection to it for each run of a
 * node. It is as unfriendly as the real one may be: replies are lost after the commit, statements fail without one,
 * some hang and commit long after their outcome was reported as unknown, the server is away for a while, fails over
 * without its newest rows, or is set back without saying so.
 */
import type { Prng } from '../src/base/prng.ts';
import { partsOfSystem } from '../src/core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../src/core/membership/topology.ts';
import type { CommitResult, Founding, RecordRow, SystemOfRecord } from '../src/ports/system-of-record.ts';
import { SimSystemOfRecord } from './record-connection.ts';
import { SimRecordServer } from './record-server.ts';
import type { FloorsSeen } from './record-server.ts';
import { CutOffClients } from './cut-off-clients.ts';
import { WALL_START_MS } from './scheduler.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface SimDatabaseSettings {
  /** Milliseconds from the node to the database, and again back. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Shares of the commits and foundings, in [0, 1]; the others succeed. */
  readonly replyLostShare: number;
  readonly failedShare: number;
  readonly lateShare: number;
  /** Milliseconds after which a node considers an outcome unknown. */
  readonly timeoutMs: number;
  /** Milliseconds beyond that for which a hanging statement may live and still commit. */
  readonly lateMsMax: number;
  /** Milliseconds: no statement runs longer at the server. */
  readonly statementMsMax: number;
  /** Probability that a page of a scan is cut short, as it is for large values. */
  readonly shortPageShare: number;
}

export const SIM_DATABASE_CALM: SimDatabaseSettings = {
  latencyMsMin: 0.2,
  latencyMsMax: 3,
  replyLostShare: 0,
  failedShare: 0,
  lateShare: 0,
  timeoutMs: 1_000,
  lateMsMax: 0,
  statementMsMax: 100,
  shortPageShare: 0,
};

export const SIM_DATABASE_ROUGH: SimDatabaseSettings = {
  latencyMsMin: 0.2,
  latencyMsMax: 12,
  replyLostShare: 0.03,
  failedShare: 0.03,
  lateShare: 0.01,
  timeoutMs: 300,
  lateMsMax: 2_000,
  statementMsMax: 100,
  shortPageShare: 0.2,
};

/** Of the outages that concern everybody. */
const STALLED_SHARE = 0.3;

export class SimDatabase {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  settings: SimDatabaseSettings;
  commitCount = 0;
  /** Commits and foundings whose sender was told that their outcome is unknown. */
  unknownCount = 0;
  /** Milliseconds by which the server's clock was set, forward or back. */
  clockSetMs = 0;
  /** Additional milliseconds in each direction. */
  slowMs = 0;
  /** Additional milliseconds per row of a commit, for each connection by itself: a server with a limited rate. */
  rowMs = 0;
  /** Called when a commit is done, before its sender is told: the process may die just there. */
  onCommitted: ((sender: Life) => void) | null = null;
  /**
   * If set, the next commit hangs: whoever set this decides when it arrives, if ever. Its sender is told that the
   * outcome is unknown.
   */
  hold: ((arrive: (seen?: FloorsSeen) => void) => void) | null = null;
  /** Keys on whose rows somebody holds a lock, and whether the error names them. */
  readonly heldKeys = new Set<string>();
  tellsHeldKeys = true;
  /** Somebody changes rows by hand. */
  isEdited = false;
  /** The highest version of each key that was ever committed to any server. */
  readonly stood = new Map<string, number>();
  private current = new SimRecordServer();
  /** Nodes that connect elsewhere, while an operator moves the cluster to another server. */
  private readonly pointed = new Map<string, SimRecordServer>();
  /** Replaced servers that somebody still talks to. */
  private readonly leftBehind = new Set<SimRecordServer>();
  private readonly connections = new Set<SimSystemOfRecord>();
  private downUntil = 0;
  private stalledUntil = 0;
  wasSetBack = false;
  readonly unreached: CutOffClients;
  /** Since when it can be noticed that the last server was replaced; later than any time while one still is in use. */
  replacedAt = -Infinity;

  constructor(scheduler: Scheduler, prng: Prng, settings: SimDatabaseSettings = SIM_DATABASE_CALM) {
    this.scheduler = scheduler;
    this.unreached = new CutOffClients(scheduler);
    this.prng = prng;
    this.settings = settings;
  }

  /** A node's connection. What it still has to be told ends with `owner`; what it has sent does not. */
  connect(owner: Life, name = ''): SystemOfRecord {
    const connection = new SimSystemOfRecord(this, owner, name);
    this.connections.add(connection);
    return connection;
  }

  /** The server that new connections reach. */
  get server(): SimRecordServer {
    return this.current;
  }

  /** The server that the node of that name connects to. */
  serverFor(name: string): SimRecordServer {
    return this.pointed.get(name) ?? this.current;
  }

  /** The server's clock, by which nothing but notes is dated. */
  get clock(): number {
    return this.scheduler.time + this.clockSetMs;
  }

  get isDown(): boolean {
    return this.scheduler.time < this.downUntil;
  }

  /** Away for the next `ms` of virtual time: nothing is accepted, and replies on their way are lost. */
  goDown(ms: number): void {
    this.downUntil = Math.max(this.downUntil, this.scheduler.time + ms);
  }

  /** For the next `ms` of virtual time reads are answered and no write is finished: its standby is not there, say. */
  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.scheduler.time + ms);
  }

  get isStalled(): boolean {
    return this.scheduler.time < this.stalledUntil;
  }

  /** Away for all processes, for all their writes, or only for one of them. */
  goAway(ms: number, from: Life | null): string {
    const isStall = from === null && ms % 1 < STALLED_SHARE;
    if (from !== null) this.unreached.cutOff(from, ms);
    else if (isStall) this.stall(ms);
    else this.goDown(ms);
    return `${ms.toFixed(0)} ms${isStall ? ', for writes' : ''}`;
  }

  isDownFor(owner: Life): boolean {
    return this.isDown || this.unreached.has(owner);
  }

  /** Until now it may have been away for everybody, so that nobody could notice that it was replaced. */
  comeUp(): void {
    this.downUntil = 0;
    this.stalledUntil = 0;
    if (Number.isFinite(this.replacedAt)) this.replacedAt = this.scheduler.time;
  }

  /**
   * Another server takes over that never got the newest `changeCount` changes of rows. Clients of the old one continue
   * there for `leftBehindMs`: they do not know yet, and commit what nobody else will see.
   */
  failOver(changeCount: number, leftBehindMs = 0): void {
    this.replace(this.current.failedOver(changeCount), leftBehindMs);
  }

  /** The same server without its newest `changeCount` changes: it claims to be as it was. */
  restore(changeCount: number): void {
    this.wasSetBack = true;
    this.replace(this.current.without(changeCount), 0);
  }

  /** An empty server with the same identity takes its place, as before the founding. */
  empty(): void {
    this.replace(new SimRecordServer(), 0);
  }

  /** Another server stands ready beside this one: its founding, if it has one, and its data are copies of this one's. */
  isMoving = false;

  /** From the node's next connection on; null means the common server. */
  point(name: string, to: SimRecordServer | null): void {
    if (to === null) this.pointed.delete(name);
    else this.pointed.set(name, to);
  }

  /** The fixed name of the server in use, and how many servers there have been. */
  get systemName(): string {
    return partsOfSystem(this.current.tell().system).system;
  }

  serverCount = 1;

  beginMove(): void {
    this.isMoving = true;
    this.serverCount += 1;
    this.wasSetBack = true;
    this.replacedAt = Infinity;
  }

  /** The common server from now on, except for nodes that still connect to the old one. */
  becomes(next: SimRecordServer, behind: readonly string[]): void {
    this.pointed.clear();
    for (const name of behind) this.pointed.set(name, this.current);
    this.current = next;
  }

  /** Nobody can reach it any more. */
  end(server: SimRecordServer): void {
    server.isOver = true;
    for (const connection of this.connections) if (!connection.hears()) this.connections.delete(connection);
  }

  endMove(): void {
    this.isMoving = false;
    this.pointed.clear();
    this.replacedAt = this.scheduler.time;
  }

  private replace(next: SimRecordServer, leftBehindMs: number): void {
    const before = this.current;
    this.current = next;
    this.replacedAt = Infinity;
    this.leftBehind.add(before);
    const end = (): void => {
      this.end(before);
      this.leftBehind.delete(before);
      if (!this.isMoving) this.replacedAt = this.scheduler.time;
    };
    if (leftBehindMs === 0) end();
    else this.scheduler.after(leftBehindMs, end);
  }

  /** A row that is back although it was removed; null if there is none. */
  get resurrected(): string | null {
    return this.current.resurrected;
  }

  /** Changes or removes a row, without any sign of it. */
  forge(key: string, row: RecordRow | null): void {
    this.current.forge(key, row);
  }

  /** Somebody inserts a value or deletes the row by SQL; null if there is nothing to delete. */
  edit(key: string, value: Uint8Array | null): number | null {
    this.isEdited = true;
    return this.current.edit(key, value, this.clock, WALL_START_MS + this.clock);
  }

  /** The reachable server that a topology names; undefined if it is none of them. */
  named({ system, timeline }: RecordIdentity): SimRecordServer | undefined {
    const isNamed = (server: SimRecordServer): boolean => {
      const told = server.tell();
      return told.system === system && told.timeline === timeline;
    };
    return [this.current, ...this.pointed.values(), ...this.leftBehind].find(isNamed);
  }

  /** Versions of the key above that one were lost, as they may be. */
  forgive(key: string, above: number): void {
    if ((this.stood.get(key) ?? 0) > above) this.stood.set(key, above);
  }

  /** For checkers: the stored row, without a connection. */
  standing(key: string): RecordRow | undefined {
    return this.current.standing(key);
  }

  allRows(): IterableIterator<RecordRow> {
    return this.current.all();
  }

  /** Null if another life is in force and nothing was written. */
  apply(
    life: number,
    rows: readonly RecordRow[],
    server = this.current,
    seen?: FloorsSeen,
  ): CommitResult[] | null {
    const results = server.apply(life, rows, seen);
    if (results === null) return null;
    this.commitCount += 1;
    rows.forEach(({ record: { key, version } }, at) => {
      if (results[at]!.kind === 'committed') this.stood.set(key, Math.max(version, this.stood.get(key) ?? 0));
    });
    return results;
  }

  readRows(keys: readonly string[], server = this.current): (RecordRow | undefined)[] {
    return keys.map((key) => server.standing(key));
  }

  founding(): Founding | null {
    return this.current.founding();
  }

  /**
   * A server that is being replaced passes the life on to the one that takes its place: otherwise an operator would
   * have to accept that one as a backup, which nobody does here.
   */
  foundAt(server: SimRecordServer, expectLife: number, clusterId: string): Founding | null {
    if (this.leftBehind.has(server)) this.current.found(expectLife, clusterId, this.clock);
    return server.found(expectLife, clusterId, this.clock);
  }

  found(expectLife: number, clusterId: string): Founding | null {
    return this.current.found(expectLife, clusterId, this.clock);
  }
}
