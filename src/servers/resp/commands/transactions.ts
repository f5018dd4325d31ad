/** MULTI, EXEC, DISCARD and WATCH; the queued commands are run by `transaction.ts`. */
import type { Failure } from '../../../core/errors.ts';
import { RESP_WATCHED_KEYS_MAX } from '../../../core/clients/redis-limits.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { errorText } from '../error-replies.ts';
import { NO_ROOM, runTransaction, Transaction } from '../transaction.ts';
import { keyError } from './parsing.ts';

function multi(client: Client): void {
  if (client.transaction !== null) return client.out.error('ERR MULTI calls can not be nested');
  client.transaction = new Transaction();
  client.out.ok();
}

function exec(client: Client): void {
  if (client.transaction === null) client.out.error('ERR EXEC without MULTI');
  else runTransaction(client, client.transaction);
}

function discard(client: Client): void {
  if (client.transaction === null) return client.out.error('ERR DISCARD without MULTI');
  client.transaction = null;
  client.watched.clear();
  client.out.ok();
}

/** The versions are read now: any later write to these keys makes EXEC do nothing. */
function watch(client: Client, args: Arguments): void {
  if (client.transaction !== null) return client.out.error('ERR WATCH inside MULTI is not allowed');
  const keys = new Set<string>();
  for (let at = 1; at < args.count; at += 1) {
    const key = args.key(at);
    if (key === undefined) return client.out.error(keyError(args, at));
    if (!client.watched.has(key)) keys.add(key);
  }
  if (client.watched.size + keys.size > RESP_WATCHED_KEYS_MAX) {
    return client.out.error(`ERR more than ${RESP_WATCHED_KEYS_MAX} keys are watched`);
  }
  if (!client.mayKeep(args.byteCount)) return client.out.error(NO_ROOM);
  const pending = client.beginAlone();
  let left = keys.size + 1;
  let failure: Failure | null = null;
  const onRead = (): void => {
    left -= 1;
    if (left > 0) return;
    pending.end((out) => (failure === null ? out.ok() : out.error(errorText(failure))));
  };
  for (const key of keys) {
    client.get(key, (result) => {
      if (result.kind === 'failed') failure ??= result.failure;
      else client.watched.set(key, result.kind === 'value' ? result.record.version : 0);
      onRead();
    });
  }
  if (keys.size === 0) return pending.end((out) => out.ok());
  onRead();
}

function unwatch(client: Client): void {
  client.watched.clear();
  client.out.ok();
}

export const TRANSACTION_BODIES: Readonly<Record<string, CommandBody>> = {
  multi: { run: multi, isNeverQueued: true },
  exec: {
    run: exec,
    isAlone: true,
    isNeverQueued: true,
    differs:
      'One key may be changed, in one write, by at most 256 commands that read or change it, which bring and read 1.5 MiB of values at most; others may be read, just before it. There are 10,000 commands at most, of 16 MiB together. Commands over all keys, and those that move a key, are refused. What all of its commands read, and what they answer, is 16 MiB at most; more is refused before anything is written.',
  },
  discard: { run: discard, isNeverQueued: true },
  watch: {
    run: watch,
    isAlone: true,
    isNeverQueued: true,
    differs:
      'Of keys that are not the one that is changed, a write in the very moment of EXEC is not seen; a key that was absent and is absent again counts as unchanged. 1,000 keys at most.',
  },
  unwatch: { run: unwatch },
};
