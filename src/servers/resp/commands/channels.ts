/** SUBSCRIBE and UNSUBSCRIBE for the only channel there is, on which RESP2 clients receive invalidations. */
import type { Arguments } from '../arguments.ts';
import { INVALIDATIONS } from '../channels.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';

function subscribe(client: Client, args: Arguments): void {
  for (let at = 1; at < args.count; at += 1) {
    const name = args.text(at);
    if (name !== INVALIDATIONS)
      return client.out.error(`ERR there is no channel '${name}' here: only ${INVALIDATIONS}`);
  }
  for (let at = 1; at < args.count; at += 1) {
    client.channels.add(INVALIDATIONS);
    confirm(client, 'subscribe', INVALIDATIONS);
  }
}

function unsubscribe(client: Client, args: Arguments): void {
  const names = args.count > 1 ? Array.from({ length: args.count - 1 }, (_, at) => args.text(at + 1)) : null;
  if (names === null && client.channels.size === 0) return confirmNone(client);
  for (const name of names ?? [...client.channels]) {
    client.channels.delete(name);
    confirm(client, 'unsubscribe', name);
  }
}

/** The confirmation is sent even when replies are off. */
function confirm({ queue, channels }: Client, what: string, name: string): void {
  const out = queue.aloud ?? queue.out;
  out.push(3);
  out.bulkText(what);
  out.bulkText(name, 'latin1');
  out.integer(channels.size);
}

function confirmNone({ queue }: Client): void {
  const out = queue.aloud ?? queue.out;
  out.push(3);
  out.bulkText('unsubscribe');
  out.nil();
  out.integer(0);
}

const ONE = 'One channel, `__redis__:invalidate`; others are refused.';

export const CHANNEL_BODIES: Readonly<Record<string, CommandBody>> = {
  subscribe: { run: subscribe, differs: ONE },
  unsubscribe: { run: unsubscribe, differs: ONE },
};
