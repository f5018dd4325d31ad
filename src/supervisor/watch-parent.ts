/**
 * The child's side of "children watch their parent": the channel to the supervisor closes when the supervisor ends,
 * even by kill -9. The child then stops gracefully instead of living on unseen.
 */

/** Milliseconds that a child may take to stop gracefully after its parent is gone. */
export const LEAVE_DEADLINE_MS = 15_000;

/**
 * Calls `onGone` once when the supervisor that started this process is gone, and ends the process at the deadline if
 * `onGone` has not. Does nothing in a process that was started by hand. Must be called before the process does anything
 * that would have to be undone.
 */
export function watchParent(onGone: () => void, deadlineMs = LEAVE_DEADLINE_MS): void {
  // Undefined: there never was a channel. False: there was one, and the parent is gone already.
  if (process.connected === undefined) return;
  let left = false;
  const leave = (): void => {
    if (left) return;
    left = true;
    setTimeout(() => process.exit(1), deadlineMs).unref();
    onGone();
  };
  if (!process.connected) {
    setImmediate(leave);
    return;
  }
  process.once('disconnect', leave);
  // The channel alone must not keep a child alive that has nothing left to do.
  process.channel?.unref();
}
