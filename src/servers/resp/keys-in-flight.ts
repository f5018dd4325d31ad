/**
 * Keys that the unanswered commands of one connection read and write. Commands of a pipeline run at the same time, but
 * not those of one key of which one writes: they are done in their order, as their client expects.
 */
export class KeysInFlight {
  private readonly readers = new Map<string, number>();
  private readonly writers = new Map<string, number>();

  add(key: string, writes: boolean): void {
    const held = writes ? this.writers : this.readers;
    held.set(key, (held.get(key) ?? 0) + 1);
  }

  remove(key: string, writes: boolean): void {
    const held = writes ? this.writers : this.readers;
    const count = held.get(key) ?? 0;
    if (count <= 1) held.delete(key);
    else held.set(key, count - 1);
  }

  /** Must one that reads, or writes, this key wait? */
  isTaken(key: string, writes: boolean): boolean {
    return this.writers.has(key) || (writes && this.readers.has(key));
  }
}
