/**
 * PostgreSQL in the simulated world: one database that survives every node, and for each run of a node a
 * connection to it. It is as unfriendly as the real one may be: replies are lost after the commit, statements
 * fail without one, some hang and commit long after their outcome was reported as unknown, the server is away
 * for a while, fails over and has lost its newest rows, or is set back and says nothing of it.
 */
import type { Prng } from '../src/base/prng.ts';
import { partsOfSystem } from '../src/core/record-standing.ts';
import type { RecordIdentity } from '../src/core/topology.ts';
import type { CommitResult, Founding, RecordRow, SystemOfRecord } from '../src/ports/system-of-record.ts';
import { SimSystemOfRecord } from './record-connection.ts';
import { SimRecordServer } from './record-server.ts';
import type { FloorsSeen } from './record-server.ts';
import { CutOffClients } from './cut-off-clients.ts';
import { WALL_START_MS } from './scheduler.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface SimDatabaseSettings {
  /** Milliseconds from node to database, and again from database to node. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Shares of the commits and foundings, in [0, 1]; what is left goes well. */
  readonly replyLostShare: number;
  readonly failedShare: number;
  readonly lateShare: number;
  /** Milliseconds after which a node calls an outcome unknown. */
  readonly timeoutMs: number;
  /** Milliseconds beyond that for which a hanging statement may live and still commit. */
  readonly lateMsMax: number;
  /** Milliseconds: no statement runs longer at the server. */
  readonly statementMsMax: number;
  /** Probability that a page of a scan is cut short, as it is where values are large. */
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

export class SimDatabase {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  settings: SimDatabaseSettings;
  commitCount = 0;
  /** Commits and foundings whose sender was told that nobody knows what became of them. */
  unknownCount = 0;
  /** Milliseconds by which its clock was set, ahead or back. */
  clockSetMs = 0;
  /** Milliseconds that each way takes longer. */
  slowMs = 0;
  /** Milliseconds that each row of a commit takes beside, each connection for itself: a server with a rate. */
  rowMs = 0;
  /** Called when a commit is done, before its sender hears of it: the process may die just there. */
  onCommitted: ((sender: Life) => void) | null = null;
  /** The next commit hangs: who sets this says when it arrives, if ever. Its sender is told that nobody knows. */
  hold: ((arrive: (seen?: FloorsSeen) => void) => void) | null = null;
  /** Keys on whose rows somebody holds a lock, and whether that is told of them. */
  readonly heldKeys = new Set<string>();
  tellsHeldKeys = true;
  /** Somebody changes rows by hand. */
  isEdited = false;
  /** The highest version of each key that was committed to any server, whatever became of it. */
  readonly stood = new Map<string, number>();
  private current = new SimRecordServer();
  /** Nodes that point elsewhere, while an operator takes another server into use. */
  private readonly pointed = new Map<string, SimRecordServer>();
  /** Replaced, and somebody still talks to them. */
  private readonly leftBehind = new Set<SimRecordServer>();
  private readonly connections = new Set<SimSystemOfRecord>();
  private downUntil = 0;
  wasSetBack = false;
  readonly unreached: CutOffClients;
  /** When the last server that was replaced was gone for everybody; later than any time while one is not. */
  replacedAt = -Infinity;

  constructor(scheduler: Scheduler, prng: Prng, settings: SimDatabaseSettings = SIM_DATABASE_CALM) {
    this.scheduler = scheduler;
    this.unreached = new CutOffClients(scheduler);
    this.prng = prng;
    this.settings = settings;
  }

  /** A node's connection; what it still has to be told ends with `owner`, what it has sent does not. */
  connect(owner: Life, name = ''): SystemOfRecord {
    const connection = new SimSystemOfRecord(this, owner, name);
    this.connections.add(connection);
    return connection;
  }

  /** The server that whoever connects now gets. */
  get server(): SimRecordServer {
    return this.current;
  }

  /** Where the node of that name points. */
  serverFor(name: string): SimRecordServer {
    return this.pointed.get(name) ?? this.current;
  }

  /** What its clock tells, which nothing but notes goes by. */
  get clock(): number {
    return this.scheduler.time + this.clockSetMs;
  }

  get isDown(): boolean {
    return this.scheduler.time < this.downUntil;
  }

  /** Away from now on for `ms` of virtual time: nothing is taken, replies on their way are lost. */
  goDown(ms: number): void {
    this.downUntil = Math.max(this.downUntil, this.scheduler.time + ms);
  }

  /** Away from all, or from one process alone. */
  goAway(ms: number, from: Life | null): string {
    if (from === null) this.goDown(ms);
    else this.unreached.cutOff(from, ms);
    return `${ms.toFixed(0)} ms`;
  }

  isDownFor(owner: Life): boolean {
    return this.isDown || this.unreached.has(owner);
  }

  comeUp(): void {
    this.downUntil = 0;
  }

  /**
   * Another server takes over that never saw the newest `changeCount` changes of rows. Who is connected to the old one
   * goes on there for `leftBehindMs`: it does not know yet, and commits what nobody else will see.
   */
  failOver(changeCount: number, leftBehindMs = 0): void {
    this.replace(this.current.failedOver(changeCount), leftBehindMs);
  }

  /** The same server, set back by its newest `changeCount` changes: it says that it is who it was. */
  restore(changeCount: number): void {
    this.wasSetBack = true;
    this.replace(this.current.without(changeCount), 0);
  }

  /** A server that says it is the same takes its place, empty, as before the founding. */
  empty(): void {
    this.replace(new SimRecordServer(), 0);
  }

  /** Another server stands ready beside this one: its founding, if it has one, is this one's, and so is what it holds. */
  isMoving = false;

  /** From its next connection on; null: at the one that is everybody's. */
  point(name: string, to: SimRecordServer | null): void {
    if (to === null) this.pointed.delete(name);
    else this.pointed.set(name, to);
  }

  /** Of the server in use, as it has always been called; and how many there were. */
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

  /** Everybody's from now on, but for those who still point at the one of before. */
  becomes(next: SimRecordServer, behind: readonly string[]): void {
    this.pointed.clear();
    for (const name of behind) this.pointed.set(name, this.current);
    this.current = next;
  }

  /** Nobody reaches it any more. */
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

  /** A row that stands again although it was removed; null: none does. */
  get resurrected(): string | null {
    return this.current.resurrected;
  }

  /** A row is another than it was, or gone, and nothing says so. */
  forge(key: string, row: RecordRow | null): void {
    this.current.forge(key, row);
  }

  /** Somebody puts a value there, or deletes the row, as by a statement of SQL; null: there is nothing to delete. */
  edit(key: string, value: Uint8Array | null): number | null {
    this.isEdited = true;
    return this.current.edit(key, value, this.clock, WALL_START_MS + this.clock);
  }

  /** Of all that is reached by anybody, the one that a topology names; undefined: it is none of these. */
  named({ system, timeline }: RecordIdentity): SimRecordServer | undefined {
    const isNamed = (server: SimRecordServer): boolean => {
      const told = server.tell();
      return told.system === system && told.timeline === timeline;
    };
    return [this.current, ...this.pointed.values(), ...this.leftBehind].find(isNamed);
  }

  /** What of the key was committed above that version was lost, as it may be. */
  forgive(key: string, above: number): void {
    if ((this.stood.get(key) ?? 0) > above) this.stood.set(key, above);
  }

  /** For checkers: what stands, without a connection. */
  standing(key: string): RecordRow | undefined {
    return this.current.standing(key);
  }

  allRows(): IterableIterator<RecordRow> {
    return this.current.all();
  }

  /** Null: another life is in force and nothing was written. */
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
   * One that is being replaced hands the life on to the server that takes its place: without it an operator would have to accept
   * that one as a backup, which nobody here does.
   */
  foundAt(server: SimRecordServer, expectLife: number, clusterId: string): Founding | null {
    if (this.leftBehind.has(server)) this.current.found(expectLife, clusterId, this.clock);
    return server.found(expectLife, clusterId, this.clock);
  }

  found(expectLife: number, clusterId: string): Founding | null {
    return this.current.found(expectLife, clusterId, this.clock);
  }
}
