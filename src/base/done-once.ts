/**
 * Something that is done once, however many callers ask for it: each is told when it is done, and later callers are
 * told at once.
 */
export class DoneOnce {
  private waiting: (() => void)[] | null = [];

  /** Only the first caller's `begin` is called. */
  ask(done: () => void, begin: (ended: () => void) => void): void {
    const { waiting } = this;
    if (waiting === null) return done();
    waiting.push(done);
    if (waiting.length > 1) return;
    begin(() => {
      this.waiting = null;
      for (const each of waiting) each();
    });
  }
}
