/**
 * The keys that a node looks up in PostgreSQL to see whether it has lost rows: commits are lost from the end. (PROTOCOL
 * R30)
 */
import { RECORD_WITNESS_COUNT } from '../../core/limits.ts';

/** The last keys that became valid here; initially, those that a process finds on its disk as the newest. */
export class RecordWitnesses {
  private readonly keys: string[] = [];
  private next = 0;

  constructor(newest: readonly string[] = []) {
    for (const key of newest) this.note(key);
  }

  /** Called for every write, so it only replaces one entry of a short list. */
  note(key: string): void {
    this.keys[this.next] = key;
    this.next = this.next + 1 === RECORD_WITNESS_COUNT ? 0 : this.next + 1;
  }

  distinct(): Set<string> {
    return new Set(this.keys);
  }
}
