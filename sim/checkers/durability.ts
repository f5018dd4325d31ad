/**
 * Checks what an answer promises at the moment it is given. A value that was read, and a write that was acknowledged,
 * must be in PostgreSQL, or be marked as lacking there at every owner that may serve it. An acknowledged write must
 * also be on the disk of every owner that may serve the key. The history alone would reveal a violation only if the
 * right machines died within the next milliseconds. (DESIGN section 2, PROTOCOL R1, R6, R34)
 */

export interface DurabilityParts {
  /** Version of the key's row in PostgreSQL, 0 if there is none; null if the key is not written through. */
  readonly recorded: (key: string) => number | null;
  /** Whether the settings of the members allow writes without PostgreSQL. */
  readonly mayLack: () => boolean;
  /** All complete owners of the key that hold a lease at this moment. */
  readonly owners: (key: string) => readonly OwnerDisk[];
}

export interface OwnerDisk {
  readonly name: string;
  /** Version of the record on the platter, 0 if there is none. */
  readonly version: number;
  /** The version for which the key is marked there as lacking in PostgreSQL, 0 if it is not marked. */
  readonly marked: () => number;
}

export class DurabilityWatch {
  /** The first violation found. */
  violation: string | null = null;
  answerCount = 0;
  /** Number of answers for which PostgreSQL did not have the version. */
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
