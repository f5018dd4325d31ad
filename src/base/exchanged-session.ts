/**
 * Whether a pooler exchanges the session behind a connection between transactions, as PgBouncer does with
 * `pool_mode = transaction`. Settings, prepared statements and locks of a session are then those of whoever comes next.
 */

export interface Session {
  /** The process of the server that is behind the connection at this moment. */
  process(): Promise<unknown>;
}

/** Of a connection that is made only for the look. */
export interface OtherSession extends Session {
  connect(): Promise<unknown>;
  begin(): Promise<unknown>;
  rollback(): Promise<unknown>;
  /** Whatever is under way. */
  end(): void;
}

/** Other clients of the pooler may come in between and hide it. */
const LOOKS = 3;

/**
 * While `other` is in a transaction its process is nobody else's. If that is the one that `own` has just had, or if
 * `own` has another one now, they share. True is certain; false is not, if other clients use the pooler all the time, or
 * if it has no connection left for `other` until `late` resolves. Rejects if transactions are refused, as they are where
 * sessions are exchanged between statements.
 */
export async function isExchanged(
  own: Session,
  other: OtherSession,
  late: Promise<unknown>,
): Promise<boolean> {
  const look = isSeen(own, other);
  look.catch(() => undefined);
  try {
    return await Promise.race([look, late.then(() => false)]);
  } finally {
    other.end();
  }
}

async function isSeen(own: Session, other: OtherSession): Promise<boolean> {
  try {
    await other.connect();
    await other.process();
  } catch {
    return false;
  }
  for (let look = 0; look < LOOKS; look += 1) {
    const before = await own.process();
    await other.begin();
    const isTaken = (await other.process()) === before;
    const isAnother = !isTaken && (await own.process()) !== before;
    await other.rollback();
    if (isTaken || isAnother) return true;
  }
  return false;
}
