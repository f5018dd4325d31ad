/**
 * One node's access to the simulated PostgreSQL: statements that arrive late, replies that do not come, a server that
 * is gone, and the choice of which server to use. The effect of a statement is up to the server.
 */
import { assert } from '../src/base/assert.ts';
import { judgeServer, judgeUse } from '../src/core/system-of-record/record-standing.ts';
import type { SeenServer } from '../src/core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../src/core/membership/topology.ts';
import type { SlotFloor } from '../src/core/upkeep/floors.ts';
import type { LivingMember, StandingLife } from '../src/core/lives/lives.ts';
import type { LifeName } from '../src/core/membership/membership-message.ts';
import type {
  CommitResult,
  DoomedRow,
  Founding,
  RecordClaim,
  RecordError,
  RecordFloor,
  RecordHealth,
  RecordPlace,
  RecordRow,
  RecordSurvey,
  RemovalOutcome,
  RowVersion,
  SystemOfRecord,
} from '../src/ports/system-of-record.ts';
import type { OutsideEdits } from '../src/ports/outside-edits.ts';
import type { RowScrub } from '../src/ports/row-scrub.ts';
import { ifInForce, ifReadable, simEdits, simScrub } from './record-asides.ts';
import type { Execute } from './record-asides.ts';
import { SimRecordHealth } from './record-health.ts';
import type { SimRecordServer } from './record-server.ts';
import type { Life } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';

export class SimSystemOfRecord implements SystemOfRecord {
  private readonly database: SimDatabase;
  private readonly owner: Life;
  private readonly monitor: SimRecordHealth;
  private server: SimRecordServer;
  private last: SeenServer;
  private used: SeenServer;
  private isChosen = false;
  /** The name of the node, whose configuration decides where it connects. */
  private readonly name: string;

  readonly edits: OutsideEdits;
  readonly scrub: RowScrub;

  constructor(database: SimDatabase, owner: Life, name: string) {
    const ways: Parameters<typeof simScrub>[1] = {
      ask: (execute, done, nothing) => this.send(execute, false, done, nothing),
      write: (execute, done, nothing) => this.write(execute, done, nothing),
    };
    this.edits = simEdits(database, owner, ways);
    this.scrub = simScrub(database, ways);
    this.database = database;
    this.owner = owner;
    this.name = name;
    this.server = database.serverFor(name);
    this.last = this.server.tell();
    this.used = this.last;
    this.monitor = new SimRecordHealth(
      database,
      owner,
      () => this.isAway,
      () => this.reconnect() === null,
    );
  }

  health(): RecordHealth {
    return this.monitor.state;
  }

  seen(): SeenServer {
    return this.last;
  }

  choose(server: SeenServer): void {
    this.used = server;
    this.isChosen = true;
    if (this.reconnect() === null && this.health().state === 'down') this.monitor.probeLater(this.latency());
  }

  private get isAway(): boolean {
    return this.database.isDownFor(this.owner) || this.database.serverFor(this.name).isOver;
  }

  /**
   * Called when the server is gone; the node notices after a while. Returns false if the node's process is gone itself.
   */
  hears(): boolean {
    const { scheduler } = this.database;
    const look = (): void => {
      // A pool that finds an idle connection gone dials at once, and then again and again.
      if (this.isAway) this.monitor.markDown('the connection was lost');
      else this.reconnect();
    };
    if (this.owner.alive) scheduler.after(this.latency(), look, this.owner);
    return this.owner.alive;
  }

  /** Why the connected server must not be used; null if it may be. */
  private reconnect(): string | null {
    // A connection that must not be used is closed, and a new one leads to the present server.
    if ((this.server.isOver || this.whyNotUsed() !== null) && !this.isAway) {
      this.server = this.database.serverFor(this.name);
      this.last = this.server.tell();
    }
    const why = this.whyNotUsed();
    if (why !== null) this.monitor.markDown(why);
    else if (!this.isChosen) this.used = this.last;
    return why;
  }

  private whyNotUsed(): string | null {
    if (!this.isChosen && ['known', 'failedOver'].includes(judgeServer(this.used, this.last))) return null;
    const verdict = judgeUse(this.used, this.last);
    return verdict === 'known' ? null : `not the server to be used: ${verdict}`;
  }

  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void {
    const keys = new Set(rows.map((row) => row.record.key));
    assert(keys.size === rows.length, 'a key stands twice in a batch of commit');
    const batch = [...rows];
    const heldKeys = [...keys].filter((key) => this.database.heldKeys.has(key));
    if (heldKeys.length > 0) return this.refuseHeld(heldKeys, done);
    const execute: Execute<readonly CommitResult[]> = (server, seen) => {
      const answer = this.database.apply(life, batch, server, seen);
      this.database.onCommitted?.(this.owner);
      return ifInForce(life, answer);
    };
    const { hold, scheduler, settings } = this.database;
    if (hold === null) return this.write(execute, done, [], { workMs: batch.length * this.database.rowMs });
    this.database.hold = null;
    const { server } = this;
    hold((seen) => void execute(server, seen));
    scheduler.after(settings.timeoutMs, () => this.end(UNKNOWN, done, []), this.owner);
  }

  /** As PostgreSQL reports a row lock in time. */
  private refuseHeld(
    heldKeys: readonly string[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void {
    const { tellsHeldKeys, scheduler } = this.database;
    const error: RecordError = { kind: 'unknown', fenced: false, ofRows: true, message: 'a lock on a row' };
    const answer = tellsHeldKeys ? { ...error, heldKeys } : error;
    scheduler.after(this.latency(), () => done(answer, []), this.owner);
  }

  tryWriting(done: (error: RecordError | null) => void): void {
    this.write(() => ({ answer: null }), done, null);
  }

  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void {
    const asked = [...keys];
    this.ask((server) => this.database.readRows(asked, server), done, []);
  }

  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void {
    const { prng, settings } = this.database;
    const isCut = (): boolean => prng.chance(settings.shortPageShare);
    const read: Execute<readonly RecordRow[]> = (server) =>
      ifReadable(server, server.page(after, rowCountMax, isCut), ({ record }) => record.key);
    this.send(read, false, done, []);
  }

  versionsOf(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RowVersion[]) => void,
  ): void {
    const { prng, settings } = this.database;
    this.ask(
      (server) => server.versions(slot, afterKey, rowCountMax, prng, settings.shortPageShare),
      done,
      [],
    );
  }

  get statementMsMax(): number {
    return this.database.settings.statementMsMax;
  }

  readFloors(
    slots: readonly number[],
    done: (error: RecordError | null, floors: readonly RecordFloor[]) => void,
  ): void {
    const asked = [...slots];
    this.ask((server) => server.floorsOf(asked), done, []);
  }

  raiseFloors(
    life: number,
    floors: readonly (SlotFloor & RecordFloor)[],
    done: (error: RecordError | null) => void,
  ): void {
    const asked = [...floors];
    const { scheduler } = this.database;
    this.write((server) => ifInForce(life, server.raise(life, asked, scheduler.time)), done, null);
  }

  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
    done: (error: RecordError | null, outcomes: readonly RemovalOutcome[]) => void,
  ): void {
    const doomed = [...rows];
    const { scheduler } = this.database;
    const execute: Execute<readonly RemovalOutcome[]> = (server) =>
      ifInForce(life, server.remove(life, doomed, scheduler.time - settledMs));
    this.write(execute, done, []);
  }

  survey(done: (error: RecordError | null, survey: RecordSurvey | null) => void): void {
    this.askWhoever((server) => server.survey(), done);
  }

  claim(
    expected: SeenServer,
    claim: RecordClaim,
    done: (error: RecordError | null, server: RecordIdentity | null) => void,
  ): void {
    const isReplyLost = this.database.prng.chance(this.database.settings.replyLostShare);
    this.askWhoever(
      (server) => server.claim(expected, claim),
      (error, server) => done(isReplyLost && error === null ? UNKNOWN : error, isReplyLost ? null : server),
    );
  }

  /** Asks the connected server, whether it is the one to be used or not. Null means that it refused. */
  private askWhoever<T>(
    execute: (server: SimRecordServer) => T | null,
    done: (error: RecordError | null, answer: T | null) => void,
  ): void {
    const { scheduler } = this.database;
    const backMs = this.latency();
    const ask = (): void => {
      const server = this.database.serverFor(this.name);
      const answer = this.isAway ? null : execute(server);
      if (answer !== null) this.last = server.tell();
      scheduler.after(backMs, () => done(answer === null ? REFUSED : null, answer), this.owner);
    };
    scheduler.after(this.latency(), ask, this.owner);
  }

  readLife(done: (error: RecordError | null, standing: StandingLife | null) => void): void {
    this.ask((server) => server.standingLife(this.database.clock), done, null);
  }

  signLife(
    life: LifeName,
    members: readonly LivingMember[],
    done: (error: RecordError | null) => void,
  ): void {
    const told = [...members];
    const sign: Execute<unknown> = (server) => ({ answer: server.sign(life, told, this.database.clock) });
    this.write(sign, done, null, { isAside: true });
  }

  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void {
    this.write((server) => ({ answer: this.database.foundAt(server, expectLife, clusterId) }), done, null);
  }

  /** Reads fail only with the server. */
  private ask<T>(
    execute: (server: SimRecordServer) => T,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
  ): void {
    this.send((server) => ({ answer: execute(server) }), false, done, nothing);
  }

  private write<T>(
    execute: Execute<T>,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
    { workMs = 0, isAside = false } = {},
  ): void {
    const { prng, settings, scheduler, isStalled } = this.database;
    if (isStalled && !this.isAway && this.reconnect() === null)
      return this.stall(execute, isAside, done, nothing);
    const draw = prng.next();
    const { failedShare, lateShare, replyLostShare } = settings;
    if (draw < failedShare) {
      scheduler.after(this.latency() * 2, () => this.end(UNKNOWN, done, nothing), this.owner);
    } else if (draw < failedShare + lateShare) {
      // The statement hangs on its way: the node gives up first, and the commit happens some time later, even for a
      // dead node.
      const lateMs = settings.timeoutMs + prng.between(0, settings.lateMsMax);
      // It may also begin at the server and be held up there once more, with the floors that it saw when it began.
      const heldMs = prng.chance(0.5) ? prng.between(0, settings.statementMsMax) : 0;
      scheduler.after(settings.timeoutMs, () => this.end(UNKNOWN, done, nothing), this.owner);
      const { server } = this;
      scheduler.after(lateMs, () => {
        const seen = server.seeFloors();
        scheduler.after(heldMs, () => void (this.database.isDown || server.isOver || execute(server, seen)));
      });
    } else {
      this.send(execute, draw < failedShare + lateShare + replyLostShare, done, nothing, workMs);
    }
  }

  /** It may well be carried out, where later statements find it; what is missing is the end of its commit. */
  private stall<T>(
    execute: Execute<T>,
    isAside: boolean,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
  ): void {
    const { prng, settings, scheduler } = this.database;
    const { server } = this;
    const run = (): void => void (this.database.isDown || server.isOver || execute(server));
    if (prng.chance(0.5)) scheduler.after(this.latency(), run);
    const giveUp = (): void => {
      if (isAside) return done(UNKNOWN, nothing);
      this.monitor.markStalled(UNKNOWN.message);
      this.database.unknownCount += 1;
      done(UNKNOWN, nothing);
    };
    scheduler.after(settings.timeoutMs, giveUp, this.owner);
  }

  private send<T>(
    execute: Execute<T>,
    isReplyLost: boolean,
    done: (error: RecordError | null, answer: T) => void,
    nothing: T,
    workMs = 0,
  ): void {
    const { scheduler, settings } = this.database;
    const thereMs = this.latency() + workMs;
    const backMs = this.latency();
    if (this.isAway || this.reconnect() !== null) {
      scheduler.after(thereMs, () => this.end(REFUSED, done, nothing), this.owner);
      return;
    }
    const { server } = this;
    // Once sent, the statement belongs to the server: it runs even if its sender has died.
    scheduler.after(thereMs, () => {
      const outcome = this.database.isDown || server.isOver ? null : execute(server);
      if (outcome === null || isReplyLost) {
        scheduler.after(settings.timeoutMs - thereMs, () => this.end(UNKNOWN, done, nothing), this.owner);
        return;
      }
      const reply = (): void => {
        if (this.isAway || server.isOver) this.end(UNKNOWN, done, nothing);
        else if ('fenced' in outcome)
          done({ kind: 'refused', fenced: true, message: outcome.fenced }, nothing);
        else if ('fault' in outcome) done(outcome.fault, nothing);
        else this.end(null, done, outcome.answer);
      };
      scheduler.after(backMs, reply, this.owner);
    });
  }

  private end<T>(
    error: RecordError | null,
    done: (error: RecordError | null, answer: T) => void,
    answer: T,
  ): void {
    if (error === null) this.monitor.markUp();
    else this.monitor.markDown(error.message);
    if (error?.kind === 'unknown') this.database.unknownCount += 1;
    done(error, answer);
  }

  private latency(): number {
    const { prng, settings } = this.database;
    return this.database.slowMs + prng.between(settings.latencyMsMin, settings.latencyMsMax);
  }
}

const UNKNOWN: RecordError = { kind: 'unknown', fenced: false, message: 'no reply from the database' };
const REFUSED: RecordError = { kind: 'refused', fenced: false, message: 'the database cannot be reached' };
