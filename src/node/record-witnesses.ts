/** Which keys a node looks for in PostgreSQL to see whether it has lost rows: commits are lost from the end. (PROTOCOL R30) */
import { RECORD_WITNESS_COUNT } from '../core/limits.ts';

/** The last keys that became valid here; those that a process finds on its disk as the newest, to begin with. */
export class RecordWitnesses {
  private readonly keys: string[] = [];
  private next = 0;

  constructor(newest: readonly string[] = []) {
    for (const key of newest) this.note(key);
  }

  /** For every write: one place of a short list is taken. */
  note(key: string): void {
    this.keys[this.next] = key;
    this.next = this.next + 1 === RECORD_WITNESS_COUNT ? 0 : this.next + 1;
  }

  distinct(): Set<string> {
    return new Set(this.keys);
  }
}
