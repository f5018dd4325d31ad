/**
 * MULTI and EXEC. What is collected may read any keys and change one: the changes of that key become one conditional
 * write, so they take effect together or not at all. Other keys are read just before. A key that is watched must be as
 * it was: the one that is changed by the condition of the write itself, the others when they are read.
 */
import {
  MODIFY_CHANGES_MAX,
  OPERATION_TIMEOUT_MS_DEFAULT,
  RESP_TRANSACTION_BYTES_MAX,
  RESP_TRANSACTION_COMMANDS_MAX,
} from '../../core/limits.ts';
import type { Failure } from '../../core/errors.ts';
import type { Change, ChangeResult } from '../../core/modify/change.ts';
import type { Expectation, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command } from './command.ts';
import { errorText } from './error-replies.ts';
import { respondTo } from './plan.ts';
import type { Outcome, Plan, Step } from './plan.ts';
import type { Pending } from './reply-queue.ts';
import type { ReplyWriter } from './reply-writer.ts';

const ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
const READ: Change = { kind: 'read', tellPrevious: true };

interface Call {
  readonly command: Command;
  readonly args: Arguments;
}

export class Transaction {
  readonly calls: Call[] = [];
  isFaulty = false;
  changedKey: string | null = null;
  private bytes = 0;

  /** What was wrong was said; EXEC is refused. */
  fault(): void {
    this.isFaulty = true;
  }

  /** A text: why it cannot be taken. */
  add(call: Call, plan: Plan | string | null): string | undefined {
    if (this.calls.length >= RESP_TRANSACTION_COMMANDS_MAX) return 'ERR too many commands in a transaction';
    this.bytes += call.args.byteCount;
    if (this.bytes > RESP_TRANSACTION_BYTES_MAX) return 'ERR too many bytes in a transaction';
    if (plan !== null && typeof plan !== 'string') {
      for (const { key, change } of plan.steps) {
        if (change === null) continue;
        this.changedKey ??= key;
        if (this.changedKey !== key)
          return 'ERR a transaction changes one key here, and this would be another';
      }
    }
    this.calls.push(call);
    return undefined;
  }
}

export function collect(client: Client, transaction: Transaction, command: Command, args: Arguments): void {
  const { out } = client;
  if (command.plan === null && command.isAlone) {
    transaction.fault();
    return out.error(`ERR '${command.name}' is not possible between MULTI and EXEC here`);
  }
  const kept = args.kept();
  const plan = command.plan === null ? null : command.plan(kept, client);
  const refusal = transaction.add({ command, args: kept }, plan);
  if (refusal === undefined) return out.simple('QUEUED');
  transaction.fault();
  out.error(refusal);
}

/** EXEC itself was said wrongly. */
export function abort(client: Client, why: string): void {
  client.transaction = null;
  client.watched.clear();
  client.out.error(`EXECABORT Transaction discarded because of: ${why.replace(/^ERR /, '')}`);
}

export function runTransaction(client: Client, transaction: Transaction): void {
  const watched = new Map(client.watched);
  client.transaction = null;
  client.watched.clear();
  if (transaction.isFaulty) return client.out.error(ABORTED);
  new Execution(client, transaction, watched).start();
}

/** A call that was planned, or a text or a command that stands for itself. */
type Planned = { readonly call: Call; readonly plan: Plan | string | null };

class Execution {
  private readonly client: Client;
  private readonly changedKey: string | null;
  private readonly watched: ReadonlyMap<string, number>;
  private readonly planned: readonly Planned[];
  private readonly read = new Map<string, KeyRecord | undefined>();
  private readonly pending: Pending;
  private left = 1;
  private failure: Failure | null = null;

  constructor(client: Client, transaction: Transaction, watched: ReadonlyMap<string, number>) {
    this.client = client;
    this.changedKey = transaction.changedKey;
    this.watched = watched;
    // Times to live count from now on, not from when they were collected.
    this.planned = transaction.calls.map((call) => ({
      call,
      plan: call.command.plan === null ? null : call.command.plan(call.args, client),
    }));
    this.pending = client.beginAlone();
  }

  start(): void {
    const keys = new Set(this.watched.keys());
    for (const { key } of this.steps()) keys.add(key);
    if (this.changedKey !== null) keys.delete(this.changedKey);
    for (const key of keys) {
      this.left += 1;
      this.client.get(key, (result) => {
        if (result.kind === 'failed') this.failure ??= result.failure;
        else this.read.set(key, result.kind === 'value' ? result.record : undefined);
        this.onRead();
      });
    }
    this.onRead();
  }

  private steps(): Step[] {
    return this.planned.flatMap(({ plan }) => (plan === null || typeof plan === 'string' ? [] : plan.steps));
  }

  private onRead(): void {
    this.left -= 1;
    if (this.left > 0) return;
    const { failure } = this;
    if (failure !== null) return this.pending.end((out) => out.error(errorText(failure)));
    for (const [key, version] of this.watched) {
      if (key !== this.changedKey && (this.read.get(key)?.version ?? 0) !== version) return this.spoilt();
    }
    if (this.changedKey === null) this.pending.end((out) => this.reply(out, []));
    else this.change(this.changedKey);
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
    this.client.api.write(
      { kind: 'modify', key, operationId: null, expect, changes, valueBytesMax },
      OPERATION_TIMEOUT_MS_DEFAULT,
      (result) => this.onChanged(result),
    );
  }

  private onChanged(result: WriteResult): void {
    if (result.kind === 'conditionFailed') return this.spoilt();
    if (result.kind === 'modified' || result.kind === 'unchanged') {
      return this.pending.end((out) => this.reply(out, result.results));
    }
    const text = result.kind === 'failed' ? errorText(result.failure) : 'INDEFINITE internal: an odd result';
    this.pending.end((out) => out.error(text));
  }

  /** A key that was watched is another. */
  private spoilt(): void {
    this.pending.end((out) => out.nilArray());
  }

  /** `results`: of the steps on the key that was changed, in their order. */
  private reply(out: ReplyWriter, results: readonly ChangeResult[]): void {
    out.array(this.planned.length);
    let next = 0;
    const outcomeOf = ({ key, change }: Step): Outcome => {
      if (key !== this.changedKey) return { kind: 'read', standing: this.read.get(key) };
      const result = results[next]!;
      next += 1;
      if (change !== null) return { kind: 'changed', result };
      const { existed, previous, expiresAt } = result;
      return { kind: 'read', standing: existed ? { value: previous!, expiresAt } : undefined };
    };
    for (const { call, plan } of this.planned) {
      if (plan === null) runInto(this.client, out, call);
      else if (typeof plan === 'string') out.error(plan);
      else respondTo(plan, out, plan.steps.map(outcomeOf));
    }
  }
}

/** What stands for itself answers within the call. */
function runInto(client: Client, out: ReplyWriter, { command, args }: Call): void {
  const { queue } = client;
  const before = queue.out;
  queue.out = out;
  command.run(client, args);
  queue.out = before;
}
