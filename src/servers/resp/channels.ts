/** Channels that clients subscribe to: the one on which Redis tells clients of RESP2 what they are to drop. */

export const INVALIDATIONS = '__redis__:invalidate';

/** A connection of RESP2 that is subscribed hears messages among its replies: only these are still possible. */
const POSSIBLE: ReadonlySet<string> = new Set(['ping', 'quit', 'reset', 'subscribe', 'unsubscribe']);

/** Undefined where the command may be called. */
export function refusalWhileSubscribed(name: string): string | undefined {
  if (POSSIBLE.has(name)) return undefined;
  return `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
}
