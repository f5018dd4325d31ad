/**
 * The child's side of "children watch their parent": the channel to the supervisor ends when the supervisor
 * does, also when it was killed with kill -9, and the child then leaves in order instead of living on unseen.
 */

/** Milliseconds a child may take to leave in order after its parent has gone. */
export const LEAVE_DEADLINE_MS = 15_000;

/**
 * Calls `onGone` once when the supervisor that started this process has gone, and ends the process at the
 * deadline if that did not. Does nothing in a process that was started by hand. Must be called before the
 * process does anything that would have to be undone.
 */
export function watchParent(onGone: () => void, deadlineMs = LEAVE_DEADLINE_MS): void {
  // Undefined: there never was a channel. False: there was, and the parent has gone already.
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
  // The channel alone must not keep a child alive that is done.
  process.channel?.unref();
}
