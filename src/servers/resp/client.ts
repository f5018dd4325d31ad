/**
 * One client as the commands see it: who it is, what it has asked for so far, and the ways to a key. A command replies
 * at once into `out`, or takes a place in the queue of replies for an answer that comes later.
 */
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../../core/limits.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { WAIT } from '../../node/api.ts';
import type { NodeApi } from '../../node/api.ts';
import type { Door } from './door.ts';
import { errorText } from './error-replies.ts';
import { beginInLine } from './joined-writes.ts';
import { KeysInFlight } from './keys-in-flight.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { Pending } from './reply-queue.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { Run } from './run-plan.ts';
import type { Tracking } from './tracking.ts';
import type { Transaction } from './transaction.ts';

/** skipping: the next command is not answered; skipped: it is this one. */
export type ReplyMode = 'on' | 'off' | 'skipping' | 'skipped';

/** Of a connection: what the protocol's part needs of the socket's. */
export interface Line {
  readonly address: string;
  readonly localAddress: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** Milliseconds since something was received. */
  idleMs(): number;
  /** Bytes of replies that went out and were not taken yet. */
  untakenBytes(): number;
  /** It holds more than its share of what waits, and has taken nothing for some seconds. */
  isStuck(): boolean;
  /** Something may go out, or begin, that could not before. */
  wake(): void;
  /** Ends it once everything asked before is answered. */
  closeInOrder(): void;
  /** Ends it now. */
  cut(): void;
  isClosed(): boolean;
}

export class Client {
  readonly id: number;
  readonly door: Door;
  readonly api: NodeApi;
  readonly line: Line;
  readonly queue: ReplyQueue;
  readonly inFlight: KeysInFlight<Run>;
  name = '';
  libraryName = '';
  libraryVersion = '';
  /** Has said the password, or there is none. */
  isTrusted: boolean;
  replyMode: ReplyMode = 'on';
  lastCommand = '';
  transaction: Transaction | null = null;
  /** Keys that were read for WATCH, with their versions; 0: absent. */
  readonly watched = new Map<string, number>();
  /** It keeps copies of what it reads, and hears of changes; null: it does not. */
  tracking: Tracking | null = null;
  /** To which it is subscribed. */
  readonly channels = new Set<string>();

  constructor(id: number, door: Door, line: Line) {
    this.id = id;
    this.door = door;
    this.api = door.api;
    this.line = line;
    this.queue = new ReplyQueue(
      () => line.wake(),
      () => line.untakenBytes(),
    );
    this.inFlight = new KeysInFlight((runs) => beginInLine(this, runs));
    this.isTrusted = door.password === null;
  }

  /** Where the reply to the command that runs belongs. */
  get out(): ReplyWriter {
    return this.queue.out;
  }

  /** Replies with a value read now or later; a failure is told as one. */
  read(key: string, respond: (out: ReplyWriter, record: KeyRecord | undefined) => void): void {
    const record = this.api.tryGet(key);
    if (record !== WAIT) {
      this.door.onRead(record !== undefined);
      return respond(this.queue.out, record);
    }
    this.readFor(this.begin(key, false), key, respond);
  }

  private readFor(
    pending: Pending,
    key: string,
    respond: (out: ReplyWriter, record: KeyRecord | undefined) => void,
  ): void {
    const { queue } = this;
    this.api.get(key, OPERATION_TIMEOUT_MS_DEFAULT, (result) => {
      const bytes = result.kind === 'value' ? result.record.value.length : 0;
      queue.gathered += bytes;
      const isKept = bytes === 0 || queue.hasRoom(pending);
      queue.gathered -= bytes;
      if (!isKept) {
        queue.saw(bytes);
        return queue.park(pending, () => this.readFor(pending, key, respond));
      }
      if (result.kind !== 'failed') this.door.onRead(result.kind === 'value');
      pending.end((out) => {
        if (result.kind === 'failed') out.error(errorText(result.failure));
        else respond(out, result.kind === 'value' ? result.record : undefined);
      });
    });
  }

  /** Reads or writes for a command that has its place already. */
  get(key: string, done: (result: ReadResult) => void, timeoutMs = OPERATION_TIMEOUT_MS_DEFAULT): void {
    this.api.get(key, timeoutMs, done);
  }

  write(
    operation: WriteOperation,
    done: (result: WriteResult) => void,
    timeoutMs = OPERATION_TIMEOUT_MS_DEFAULT,
  ): void {
    const told = this.tracking === null ? done : this.door.tracking.ownWrite(this, operation.key, done);
    this.api.write(operation, timeoutMs, told);
  }

  /** Of the command whose call is under way, where it is recorded. */
  get trace(): TraceContext | undefined {
    return this.door.settings.tracing?.active;
  }

  /** Asks more for a command whose call is over. */
  under(trace: TraceContext, ask: () => void): void {
    this.door.settings.tracing!.within(trace, ask);
  }

  /** A place for a reply that comes later, and the key held for it. */
  begin(key: string, writes: boolean): Pending {
    const pending = this.queue.begin();
    this.inFlight.add(key, writes);
    pending.release = () => this.inFlight.remove(key, writes);
    return pending;
  }

  /** The same for a command beside which none runs. */
  beginAlone(): Pending {
    const pending = this.queue.begin();
    this.queue.isBarred = true;
    return pending;
  }
}
