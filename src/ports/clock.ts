/** Time, as a node sees it. Nothing else in the node may read a clock or set a timer. */
export interface Clock {
  /** Milliseconds, fractional, from an arbitrary start. Never goes back; wall-clock steps do not move it. */
  now(): number;
  /** Milliseconds since 1970. May jump either way: it names moments for people and expiry, orders nothing. */
  wallNow(): number;
  /** Milliseconds, counting through suspension where the system can tell; only ever takes a lease away. (R16) */
  bootNow(): number;
  /**
   * Runs once after `ms`, or later, or up to a millisecond earlier (Node.js counts whole ones). The returned function
   * cancels it.
   */
  after(ms: number, run: () => void): () => void;
  /** Runs after the current events have been handled; batches of one turn are flushed there. */
  defer(run: () => void): void;
}
