/**
 * MULTI and EXEC. The queued commands may read any keys and change one. The changes of that key become one conditional
 * write, so they take effect together or not at all; other keys are read just before it. Watched keys must be
 * unchanged: for the key that is changed, the condition of the write ensures it; the others are checked when they are
 * read.
 */
import { failure } from '../../core/errors.ts';
import { MODIFY_CHANGES_MAX } from '../../core/limits.ts';
import type { Change, ChangeResult } from '../../core/modify/change.ts';
import type { Expectation, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import {
  RESP_ARGUMENT_BYTES,
  RESP_KEPT_BYTES_TOTAL_MAX,
  RESP_LCS_CELLS_MAX,
  RESP_MANY_IN_FLIGHT_MAX,
  RESP_REPLY_BYTES_MAX,
  RESP_TRANSACTION_BYTES_MAX,
  RESP_TRANSACTION_COMMANDS_MAX,
  RESP_TRANSACTION_STEPS_MAX,
} from '../../core/clients/redis-limits.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command } from './command.ts';
import { errorText } from './error-replies.ts';
import { replyBytesOf, respondTo } from './plan.ts';
import type { Outcome, Plan, Step } from './plan.ts';
import type { Pending } from './reply-queue.ts';
import { ReplyWriter } from './reply-writer.ts';

const ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
const TOO_LONG = `ERR the answers of a transaction have more than ${RESP_REPLY_BYTES_MAX} bytes`;
const TOO_MANY_CELLS = `ERR the LCS of a transaction compare more than ${RESP_LCS_CELLS_MAX} pairs of bytes`;
/** For what would be kept between the commands of a connection. */
export const NO_ROOM = errorText(
  failure(
    'overloaded',
    `what is kept for connections between their commands has reached the limit of ${RESP_KEPT_BYTES_TOTAL_MAX} bytes`,
  ),
);
/** Upper bound for a header, a number or a word of a reply. */
const REPLY_PART_BYTES = 32;
const READ: Change = { kind: 'read', tellPrevious: true };

interface Call {
  readonly command: Command;
  readonly args: Arguments;
}

export class Transaction {
  calls: Call[] = [];
  isFaulty = false;
  changedKey: string | null = null;
  /** Commands that were queued before any fault. */
  count = 0;
  /** Bytes of the calls that are kept. */
  byteCount = 0;
  private steps = 0;

  /** An error was reported while queueing, so EXEC will be refused, and nothing needs to be kept for it. */
  fault(): void {
    this.isFaulty = true;
    this.calls = [];
    this.byteCount = 0;
  }

  /** Returns the error if the call cannot be queued. */
  add(call: Call, plan: Plan | string | null): string | undefined {
    if (this.count >= RESP_TRANSACTION_COMMANDS_MAX)
      return `ERR too many commands in a transaction: at most ${RESP_TRANSACTION_COMMANDS_MAX}`;
    const bytes = bytesOf(call.args);
    if (this.byteCount + bytes > RESP_TRANSACTION_BYTES_MAX)
      return `ERR too many bytes in a transaction: at most ${RESP_TRANSACTION_BYTES_MAX}`;
    if (plan !== null && typeof plan !== 'string') {
      this.steps += plan.steps.length;
      if (this.steps > RESP_TRANSACTION_STEPS_MAX)
        return `ERR too many keys in a transaction: at most ${RESP_TRANSACTION_STEPS_MAX}`;
      for (const { key, change } of plan.steps) {
        if (change === null) continue;
        this.changedKey ??= key;
        if (this.changedKey !== key)
          return 'ERR a transaction changes one key here, and this would be another';
      }
    }
    if (this.isFaulty) return undefined;
    this.calls.push(call);
    this.count += 1;
    this.byteCount += bytes;
    return undefined;
  }
}

/** Bytes that keeping the arguments takes. */
function bytesOf(args: Arguments): number {
  return args.byteCount + args.count * RESP_ARGUMENT_BYTES;
}

export function collect(client: Client, transaction: Transaction, command: Command, args: Arguments): void {
  const { out } = client;
  if (command.plan === null && command.isAlone) {
    transaction.fault();
    return out.error(`ERR '${command.name}' is not possible between MULTI and EXEC here`);
  }
  const kept = args.kept();
  const plan = command.plan === null ? null : command.plan(kept, client);
  const refusal = client.mayKeep(bytesOf(args)) ? transaction.add({ command, args: kept }, plan) : NO_ROOM;
  if (refusal === undefined) return out.simple('QUEUED');
  transaction.fault();
  out.error(refusal);
}

/** EXEC itself was called wrongly. */
export function abort(client: Client, why: string): void {
  client.transaction = null;
  client.watched.clear();
  client.out.error(`EXECABORT Transaction discarded because of: ${why.replace(/^ERR /, '')}`);
}

export function runTransaction(client: Client, transaction: Transaction): void {
  const watched = new Map(client.watched);
  const bytes = transaction.byteCount + client.watched.byteCount;
  client.transaction = null;
  client.watched.clear();
  if (transaction.isFaulty) return client.out.error(ABORTED);
  client.executingBytes = bytes;
  new Execution(client, transaction, watched).start();
}

/** A queued call with its plan, with the text of an error, or with null if the command runs by itself. */
type Planned = { readonly call: Call; readonly plan: Plan | string | null };

class Execution {
  private readonly client: Client;
  private readonly changedKey: string | null;
  private readonly watched: ReadonlyMap<string, number>;
  private readonly planned: readonly Planned[];
  private readonly read = new Map<string, KeyRecord | undefined>();
  /** Versions of the keys that are only watched; 0 for an absent key. */
  private readonly versions = new Map<string, number>();
  private readonly used: ReadonlySet<string>;
  private readonly toRead: Iterator<string>;
  private readonly pending: Pending;
  private readonly trace: TraceContext | undefined;
  private underWay = 1;
  private readBytes = 0;
  private plannedBytes = 0;
  /** Why the transaction does nothing; null if it goes ahead. */
  private refusal: string | null = null;

  constructor(client: Client, transaction: Transaction, watched: ReadonlyMap<string, number>) {
    this.client = client;
    this.trace = client.trace;
    this.changedKey = transaction.changedKey;
    this.watched = watched;
    // Times to live count from now, not from when the commands were queued.
    this.planned = transaction.calls.map((call) => ({
      call,
      plan: call.command.plan === null ? null : call.command.plan(call.args, client),
    }));
    this.used = new Set(this.steps().map(({ key }) => key));
    const keys = new Set([...watched.keys(), ...this.used]);
    if (this.changedKey !== null) keys.delete(this.changedKey);
    this.toRead = keys.values();
    this.pending = client.beginAlone();
    this.pending.release = () => (client.executingBytes = 0);
  }

  start(): void {
    const { tracking } = this.client.door;
    for (const { call } of this.planned) tracking.remember(this.client, call.command, call.args);
    for (let begun = 0; begun < RESP_MANY_IN_FLIGHT_MAX; begun += 1) this.readNext();
    this.onRead();
  }

  private readNext(): void {
    const next = this.refusal === null ? this.toRead.next() : null;
    if (next === null || next.done === true) return;
    const key = next.value;
    this.underWay += 1;
    this.client.get(key, (result) => {
      if (result.kind === 'failed') this.refusal ??= errorText(result.failure);
      else this.keep(key, result.kind === 'value' ? result.record : undefined);
      this.readNext();
      this.onRead();
    });
  }

  private keep(key: string, record: KeyRecord | undefined): void {
    if (this.watched.has(key)) this.versions.set(key, record?.version ?? 0);
    if (this.refusal !== null || !this.used.has(key)) return;
    this.client.door.onRead(record !== undefined);
    this.readBytes += record?.value.length ?? 0;
    if (this.readBytes <= RESP_REPLY_BYTES_MAX) this.read.set(key, record);
    else
      this.refusal = `ERR the values that a transaction reads have more than ${RESP_REPLY_BYTES_MAX} bytes`;
  }

  private steps(): Step[] {
    return this.planned.flatMap(({ plan }) => (plan === null || typeof plan === 'string' ? [] : plan.steps));
  }

  private onRead(): void {
    this.underWay -= 1;
    if (this.underWay > 0) return;
    const { refusal } = this;
    if (refusal !== null) return this.pending.end((out) => out.error(refusal));
    for (const [key, version] of this.watched) {
      if (key !== this.changedKey && this.versions.get(key) !== version) return this.spoilt();
    }
    // Checked before anything is written: if the reply would be too large, nothing must be done.
    this.plannedBytes = this.bytesToTell();
    if (this.plannedBytes > RESP_REPLY_BYTES_MAX) return this.pending.end((out) => out.error(TOO_LONG));
    if (this.changedKey === null) this.reply([]);
    else this.change(this.changedKey);
  }

  /** Without the key that is changed, whose part is bounded by its modification. */
  private bytesToTell(): number {
    let bytes = 0;
    for (const { plan } of this.planned) {
      bytes += REPLY_PART_BYTES;
      if (plan === null || typeof plan === 'string') continue;
      const lengths = plan.steps.map(({ key }) => this.read.get(key)?.value.length ?? 0);
      bytes += plan.steps.length * REPLY_PART_BYTES + replyBytesOf(plan, lengths);
    }
    return bytes;
  }

  private change(key: string): void {
    const changes = this.steps()
      .filter((step) => step.key === key)
      .map((step) => step.change ?? READ);
    if (changes.length > MODIFY_CHANGES_MAX) {
      return this.pending.end((out) =>
        out.error(`ERR a transaction uses the key it changes at most ${MODIFY_CHANGES_MAX} times`),
      );
    }
    const version = this.watched.get(key);
    const expect: Expectation | null =
      version === undefined ? null : version === 0 ? { kind: 'absent' } : { kind: 'version', version };
    const { valueBytesMax } = this.client.door;
    const operation = { kind: 'modify', key, operationId: null, expect, changes, valueBytesMax } as const;
    const write = (): void => this.client.write(operation, (result) => this.onChanged(result));
    if (this.trace === undefined) write();
    else this.client.under(this.trace, write);
  }

  private onChanged(result: WriteResult): void {
    if (result.kind === 'conditionFailed') return this.spoilt();
    if (result.kind === 'modified' || result.kind === 'unchanged') {
      return this.reply(result.results);
    }
    const text = result.kind === 'failed' ? errorText(result.failure) : 'INDEFINITE internal: an odd result';
    this.pending.end((out) => out.error(text));
  }

  /** A watched key has changed. */
  private spoilt(): void {
    this.pending.end((out) => out.nilArray());
  }

  /**
   * `results` are those of the steps on the changed key, in order. The reply is built over as many turns as it takes;
   * nothing else of this client begins meanwhile.
   */
  private reply(results: readonly ChangeResult[]): void {
    const { turns } = this.client.door;
    const sent = new ReplyWriter(this.pending.protocol);
    const isSilent = this.pending.isMute;
    const told: Told = {
      sent,
      out: sent,
      isSilent,
      skipsNext: false,
      results: results.values(),
      cells: 0,
      bytes: this.plannedBytes,
    };
    if (!isSilent) sent.array(this.planned.length);
    let next = 0;
    const goOn = (): void => {
      while (next < this.planned.length && !this.client.line.isClosed()) {
        turns.spend(false);
        if (turns.isOver) return turns.atEnd(goOn);
        this.tellAloud(this.planned[next]!, told);
        next += 1;
      }
      if (told.skipsNext && this.client.replyMode === 'on') this.client.replyMode = 'skipping';
      // What follows a reply is sent also where the reply is not.
      if (isSilent) this.pending.after.append(sent);
      this.pending.end((to) => to.append(sent));
    };
    goOn();
  }

  /** CLIENT REPLY takes effect within EXEC, too: Redis then sends a part of the array, or of its elements. */
  private tellAloud(planned: Planned, told: Told): void {
    const thrownAway = told.isSilent ? new ReplyWriter(told.sent.protocol) : null;
    told.out = thrownAway ?? told.sent;
    this.tell(planned, told);
    const { command, args } = planned.call;
    const mode = command.name === 'client|reply' ? args.upper(2) : '';
    if (mode === 'ON' || mode === 'OFF') told.isSilent = mode === 'OFF';
    told.skipsNext ||= mode === 'SKIP' && this.client.replyMode !== 'off';
    if (thrownAway === null) return;
    told.sent.protocol = thrownAway.protocol;
    if (!told.isSilent) told.sent.append(thrownAway);
  }

  private tell({ call, plan }: Planned, told: Told): void {
    const { out } = told;
    if (plan === null) {
      const before = out.byteCount;
      if (told.bytes > RESP_REPLY_BYTES_MAX) out.error(TOO_LONG);
      else runInto(this.client, told, call);
      told.bytes += out.byteCount - before;
    } else if (typeof plan === 'string') out.error(plan);
    else {
      const outcomes = plan.steps.map((step) => this.outcomeOf(step, told));
      told.cells += plan.cells?.(outcomes.map(lengthOf)) ?? 0;
      if (plan.cells !== undefined && told.cells > RESP_LCS_CELLS_MAX) out.error(TOO_MANY_CELLS);
      else respondTo(plan, out, outcomes);
    }
  }

  private outcomeOf({ key, change }: Step, { results }: Told): Outcome {
    if (key !== this.changedKey) return { kind: 'read', standing: this.read.get(key) };
    const result = results.next().value!;
    if (change !== null) return { kind: 'changed', result };
    const { existed, previous, expiresAt } = result;
    return { kind: 'read', standing: existed ? { value: previous!, expiresAt } : undefined };
  }
}

/** Progress of the reply. */
interface Told {
  readonly sent: ReplyWriter;
  /** Where the present command is answered: what is sent, or what is thrown away. */
  out: ReplyWriter;
  /** Replies are off. */
  isSilent: boolean;
  /** The command behind EXEC gets no reply, unless replies are off by then. */
  skipsNext: boolean;
  readonly results: Iterator<ChangeResult, undefined>;
  cells: number;
  bytes: number;
}

function lengthOf(outcome: Outcome): number {
  return outcome.kind === 'read' ? (outcome.standing?.value.length ?? 0) : 0;
}

/** Runs a command without a plan, which answers synchronously. */
function runInto(client: Client, { out, sent, isSilent }: Told, { command, args }: Call): void {
  const { queue } = client;
  const before = queue.out;
  queue.out = out;
  queue.aloud = isSilent ? sent : null;
  command.run(client, args);
  queue.aloud = null;
  // HELLO changes the protocol of what follows EXEC, too.
  before.protocol = out.protocol;
  queue.out = before;
}
