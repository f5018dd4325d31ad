/** A pooler between a node and its server: what it must not do, and what it may have left in a session. */
import type pg from 'pg';
import { isExchanged } from '../../base/exchanged-session.ts';
import { SetupError } from './record-failure.ts';
import { ask } from './server-identity.ts';
import { BEGIN, DISCARD_ALL, READ_PROCESS, ROLLBACK } from './server-statements.ts';

const EXCHANGES_SESSIONS =
  'a pooler stands before PostgreSQL and exchanges sessions between transactions, so that limits and statements of ' +
  'this node end up in sessions of others: point postgres.url at the server itself, or let it pool by session';

/**
 * Rejects if sessions are seen to be exchanged, or transactions refused. For this, if there is a pooler, `makeOther`
 * gives a client that is not connected yet, and `end` ends it. It is not known, and the session used, if the pooler lets
 * the other client wait for `waitMs` milliseconds, or lets it not in at all: all its connections are in use, say. The
 * session is made as good as new: where the pooler does not (PgBouncer's `server_reset_query`), it has the statements,
 * settings and locks of whoever had it before.
 */
export async function takeSession(
  client: pg.Client,
  makeOther: () => pg.Client,
  end: (other: pg.Client) => void,
  waitMs: number,
): Promise<void> {
  const process = await processBehind(client);
  // Poolers give numbers of their own, because the process behind a connection may change.
  if (process === (client as unknown as { readonly processID: number | null }).processID) return;
  const other = makeOther();
  const late = new Promise((resolve) => setTimeout(resolve, waitMs).unref());
  const asOther = {
    connect: () => other.connect(),
    process: () => processBehind(other),
    begin: () => ask(other, BEGIN),
    rollback: () => ask(other, ROLLBACK),
    end: () => end(other),
  };
  if (await isExchanged({ process: () => processBehind(client) }, asOther, late)) {
    throw new SetupError(EXCHANGES_SESSIONS);
  }
  await client.query(DISCARD_ALL.text);
}

async function processBehind(client: pg.Client): Promise<unknown> {
  return (await ask(client, READ_PROCESS))[0];
}
