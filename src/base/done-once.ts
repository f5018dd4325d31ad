/** Something that is done once, however many ask for it: each is told when it is done, and who asks later is told at once. */
export class DoneOnce {
  private waiting: (() => void)[] | null = [];

  /** `begin` is called by the first one alone. */
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
