/**
 * After everything has come to rest: does every copy hold what was acknowledged, and do the copies agree? Pure
 * functions over dumps of the owners' stores and of PostgreSQL's table. Only complete owners belong in the dumps,
 * because a learner may still lack what it has not copied.
 */
import type { KeyRecord } from '../../src/core/record.ts';

export interface OwnerDump {
  readonly name: string;
  readonly records: ReadonlyMap<string, KeyRecord>;
  /** Whether this node owns the key; keys of others that it still holds are ignored. */
  readonly owns: (key: string) => boolean;
}

export interface RowDump {
  readonly version: number;
  readonly checksum: number;
  /** If omitted, it is not compared. */
  readonly tombstone?: boolean;
}

export interface RecordDump {
  readonly rows: ReadonlyMap<string, RowDump>;
  /** Whether the key's route is written through. */
  readonly writtenThrough: (key: string) => boolean;
  readonly checksumOf: (record: KeyRecord) => number;
  /** The highest version of the key whose row was removed; 0 if none was, which is the default. (R24) */
  readonly removed?: (key: string) => number;
}

export interface AcknowledgedWrite {
  readonly key: string;
  readonly version: number;
}

export interface ConvergenceInput {
  readonly owners: readonly OwnerDump[];
  /** Null if there is no system of record. */
  readonly record: RecordDump | null;
  readonly acknowledged: readonly AcknowledgedWrite[];
  /**
   * The highest version of a deletion of the key that owners have removed because of its age; an owner that holds
   * nothing of the key counts as holding that deletion. 0 if there is none, which is the default. (R22)
   */
  readonly forgotten?: (key: string) => number;
}

export type ConvergenceViolation =
  | {
      readonly kind: 'lostAtOwner';
      readonly key: string;
      readonly owner: string;
      readonly acknowledged: number;
      readonly held: number;
    }
  | {
      readonly kind: 'ownersDiffer';
      readonly key: string;
      readonly owners: readonly [string, string];
      readonly difference: string;
    }
  | {
      readonly kind: 'lostInRecord';
      readonly key: string;
      readonly acknowledged: number;
      readonly held: number;
    }
  | {
      readonly kind: 'recordDiffers';
      readonly key: string;
      readonly owner: string;
      readonly difference: string;
    };

/** In the order of the keys; empty if all is well. */
export function findDivergence(input: ConvergenceInput): ConvergenceViolation[] {
  const acknowledged = highestByKey(input.acknowledged);
  const keys = new Set(acknowledged.keys());
  for (const owner of input.owners) for (const key of owner.records.keys()) keys.add(key);
  for (const key of input.record?.rows.keys() ?? []) keys.add(key);
  const violations: ConvergenceViolation[] = [];
  for (const key of [...keys].sort()) {
    const owners = input.owners.filter((owner) => owner.owns(key));
    const wanted = acknowledged.get(key) ?? 0;
    const forgotten = input.forgotten?.(key) ?? 0;
    violations.push(...lostAtOwners(key, wanted, owners, forgotten));
    violations.push(...differences(key, owners, forgotten));
    if (input.record?.writtenThrough(key))
      violations.push(...recordFaults(key, wanted, owners, input.record, forgotten));
  }
  return violations;
}

function highestByKey(writes: readonly AcknowledgedWrite[]): Map<string, number> {
  const highest = new Map<string, number>();
  for (const { key, version } of writes) highest.set(key, Math.max(version, highest.get(key) ?? 0));
  return highest;
}

function lostAtOwners(
  key: string,
  acknowledged: number,
  owners: readonly OwnerDump[],
  forgotten: number,
): ConvergenceViolation[] {
  const violations: ConvergenceViolation[] = [];
  for (const owner of owners) {
    const held = owner.records.get(key)?.version ?? forgotten;
    if (held < acknowledged)
      violations.push({ kind: 'lostAtOwner', key, owner: owner.name, acknowledged, held });
  }
  return violations;
}

/** Compares each owner with the first: a difference is reported once for each owner that has it. */
function differences(key: string, owners: readonly OwnerDump[], forgotten: number): ConvergenceViolation[] {
  const [first, ...others] = owners;
  if (first === undefined) return [];
  const violations: ConvergenceViolation[] = [];
  for (const other of others) {
    const [a, b] = [first.records.get(key), other.records.get(key)];
    if (isDeletionUpTo(forgotten, a) && isDeletionUpTo(forgotten, b)) continue;
    const difference = describeDifference(a, b);
    if (difference === null) continue;
    violations.push({ kind: 'ownersDiffer', key, owners: [first.name, other.name], difference });
  }
  return violations;
}

function recordFaults(
  key: string,
  acknowledged: number,
  owners: readonly OwnerDump[],
  record: RecordDump,
  forgotten: number,
): ConvergenceViolation[] {
  const row = record.rows.get(key);
  const stands = row?.version ?? Math.max(forgotten, record.removed?.(key) ?? 0);
  const violations: ConvergenceViolation[] = [];
  // The row is a deletion of whatever version, so it was forgotten here and made again.
  const lowest = row?.tombstone === true ? Math.max(stands, forgotten) : stands;
  if (lowest < acknowledged) violations.push({ kind: 'lostInRecord', key, acknowledged, held: stands });
  for (const owner of owners) {
    const held = owner.records.get(key);
    const version = held?.version ?? forgotten;
    let difference: string | null = null;
    // Owners are written before PostgreSQL, which therefore never holds a version that they do not.
    if (row !== undefined && version < stands)
      difference = `the row is ahead at version ${stands}, the owner at ${version}`;
    else if (held === undefined && row?.tombstone === false)
      difference = `version ${stands} is a value, and its owner has forgotten the deletion ${forgotten}`;
    else if (
      held !== undefined &&
      row !== undefined &&
      version === stands &&
      record.checksumOf(held) !== row.checksum
    ) {
      difference = `version ${stands} stands with another content`;
    }
    if (difference !== null) violations.push({ kind: 'recordDiffers', key, owner: owner.name, difference });
  }
  return violations;
}

/** A deletion that was forgotten elsewhere, or its absence; readers and writers cannot tell them apart. */
function isDeletionUpTo(forgotten: number, record: KeyRecord | undefined): boolean {
  return record === undefined || (record.tombstone && record.version <= forgotten);
}

/** Null if both hold the same. */
function describeDifference(a: KeyRecord | undefined, b: KeyRecord | undefined): string | null {
  if (a === undefined || b === undefined) {
    return a === b ? null : `version ${(a ?? b)!.version} stands at one and nothing at the other`;
  }
  if (a.version !== b.version) return `versions ${a.version} and ${b.version}`;
  const fields = ['origin', 'tombstone', 'createdAt', 'updatedAt', 'expiresAt', 'contentType'] as const;
  for (const field of fields) {
    if (a[field] !== b[field]) return `version ${a.version} with ${field} ${a[field]} and ${b[field]}`;
  }
  if (!sameBytes(a.value, b.value)) return `version ${a.version} with two values`;
  return sameBytes(a.operationId, b.operationId) ? null : `version ${a.version} with two operation ids`;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
