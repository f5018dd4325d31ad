/**
 * One client as the commands see it: who it is, its state so far, and access to keys. A command either replies at once
 * into `out`, or takes a place in the reply queue for an answer that comes later.
 */
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../../core/limits.ts';
import { RESP_KEPT_BYTES_SHARE } from '../../core/clients/redis-limits.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
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
import { WatchedKeys } from './watched-keys.ts';

/** skipping: the next command gets no reply; skipped: the present one gets none. */
export type ReplyMode = 'on' | 'off' | 'skipping' | 'skipped';

/** What the protocol side of a connection needs from the socket side. */
export interface Line {
  readonly address: string;
  readonly localAddress: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** Milliseconds since the last bytes were received. */
  idleMs(): number;
  /** Bytes of replies that were written and that the client has not taken yet. */
  untakenBytes(): number;
  /** The client holds more than its share of untaken replies, and has taken nothing for some seconds. */
  isStuck(): boolean;
  /** To be called when something can be sent or begun that could not be before. */
  wake(): void;
  /** Sends bytes behind all that is ready: within the call, or with what is due to be sent at the end of the turn. */
  push(bytes: Buffer): void;
  /** Closes the connection once everything asked before is answered. */
  closeInOrder(): void;
  /** Closes the connection now. */
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
  /** The client has authenticated, or no password is set. */
  isTrusted: boolean;
  replyMode: ReplyMode = 'on';
  lastCommand = '';
  transaction: Transaction | null = null;
  /** Bytes that EXEC holds while it is under way. */
  executingBytes = 0;
  readonly watched = new WatchedKeys();
  /** State of client-side caching; null if it is off. */
  tracking: Tracking | null = null;
  /** The channels that the client is subscribed to. */
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

  /** Bytes that are kept for this client between its commands. */
  get keptBytes(): number {
    const queued = (this.transaction?.byteCount ?? 0) + this.executingBytes;
    return queued + this.watched.byteCount + (this.tracking?.prefixBytes ?? 0);
  }

  /** Whether so many bytes more may be kept for it. */
  mayKeep(bytes: number): boolean {
    return !this.door.isKeptFull() || this.keptBytes + bytes <= RESP_KEPT_BYTES_SHARE;
  }

  /** Where the reply of the running command goes. */
  get out(): ReplyWriter {
    return this.queue.out;
  }

  /** Reads a key and replies with the record, now or later; a failure becomes an error reply. */
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

  /** Reads or writes a key for a command that already has its place in the reply queue. */
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

  /** The trace context of the command that is running, if it is traced. */
  get trace(): TraceContext | undefined {
    return this.door.settings.tracing?.active;
  }

  /** Makes further calls on behalf of a command whose handler has already returned. */
  under(trace: TraceContext, ask: () => void): void {
    this.door.settings.tracing!.within(trace, ask);
  }

  /** Reserves a place for a later reply, and holds the key for it. */
  begin(key: string, writes: boolean): Pending {
    const pending = this.queue.begin();
    this.inFlight.add(key, writes);
    pending.release = () => this.inFlight.remove(key, writes);
    return pending;
  }

  /** Reserves a place for a later reply of a command that runs with no other beside it. */
  beginAlone(): Pending {
    const pending = this.queue.begin();
    this.queue.isBarred = true;
    return pending;
  }
}
