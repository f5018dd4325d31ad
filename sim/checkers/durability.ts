/**
 * What an answer promises, checked at the moment it is given. A value that was read, and a write that was
 * acknowledged, is in PostgreSQL, or at every owner that may serve it, marked as lacking there; an acknowledged write is also on the disk of every owner that may serve the key.
 * The history alone would show the lack only if the right machines died in the next milliseconds.
 * (DESIGN section 2, PROTOCOL R1, R6, R34)
 */

export interface DurabilityParts {
  /** Version of the key's row in PostgreSQL, 0 where there is none; null where nothing is written through. */
  readonly recorded: (key: string) => number | null;
  /** May writes do without PostgreSQL, by what the members are set to? */
  readonly mayLack: () => boolean;
  /** Every complete owner of the key that holds a lease at this moment. */
  readonly owners: (key: string) => readonly OwnerDisk[];
}

export interface OwnerDisk {
  readonly name: string;
  /** Version of the record on the platter, 0 where there is none. */
  readonly version: number;
  /** Version for which the key is marked there as lacking in PostgreSQL, 0 where it is not. */
  readonly marked: () => number;
}

export class DurabilityWatch {
  /** The first that was found. */
  violation: string | null = null;
  answerCount = 0;
  /** Answers that PostgreSQL did not know of. */
  spooledCount = 0;
  private readonly parts: DurabilityParts;

  constructor(parts: DurabilityParts) {
    this.parts = parts;
  }

  sawValue(key: string, version: number): void {
    this.answerCount += 1;
    this.expectRecorded(key, version, 'read');
  }

  sawAcknowledgement(key: string, version: number): void {
    this.answerCount += 1;
    this.expectRecorded(key, version, 'acknowledged');
    for (const owner of this.parts.owners(key)) {
      if (owner.version >= version) continue;
      this.violation ??= `${key}: version ${version} was acknowledged while the disk of ${owner.name} has ${owner.version}`;
    }
  }

  private expectRecorded(key: string, version: number, how: string): void {
    const stands = this.parts.recorded(key);
    if (stands === null || stands >= version) return;
    this.spooledCount += 1;
    const unmarked = this.parts
      .owners(key)
      .filter((owner) => Math.min(owner.version, owner.marked()) < version);
    if (unmarked.length === 0 && this.parts.mayLack()) return;
    const where = unmarked.map(({ name, marked }) => `${name} is marked for ${marked()}`).join(', ');
    this.violation ??= `${key}: version ${version} was ${how} while PostgreSQL has ${stands}, and ${where}`;
  }
}
