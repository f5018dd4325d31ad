/** Pub/sub channels: only the one on which Redis sends invalidation messages to RESP2 clients. */

export const INVALIDATIONS = '__redis__:invalidate';

/**
 * A RESP2 connection with a subscription receives messages among its replies, so only these commands are still allowed.
 */
const POSSIBLE: ReadonlySet<string> = new Set(['ping', 'quit', 'reset', 'subscribe', 'unsubscribe']);

/** Undefined if the command is allowed. */
export function refusalWhileSubscribed(name: string): string | undefined {
  if (POSSIBLE.has(name)) return undefined;
  return `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
}
