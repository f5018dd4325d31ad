/**
 * Records that were written before the load began and that no client asks for again: only a scrubber notices when they
 * are silently lost on one disk or in PostgreSQL. In the end every owner and PostgreSQL must have them as they were,
 * whatever else has happened. (DESIGN 5)
 */
import type { Prng } from '../src/base/prng.ts';
import { certaintyOf } from '../src/core/errors.ts';
import { EMPTY_VALUE } from '../src/core/record.ts';
import type { SealedRecord } from '../src/core/record.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { openRecord, sealRecord } from '../src/wire/record-codec.ts';
import { recordKey, splitRecordKey } from '../src/wire/store-codec.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { SimDatabase } from './system-of-record.ts';

const PREFIX = 'still:';
const COUNT = 12;
const AGAIN_MS = 20;
const TIMEOUT_MS = 5_000;
/** How many counters a record is set back. */
const BACK_COUNTERS = 2;

/** Recognises them by the name in a store: only `harm` may damage these, so that they can be repaired. */
export function isStill(stored: string): boolean {
  return splitRecordKey(stored).key.startsWith(PREFIX);
}

export class StillRecords {
  private readonly cluster: SimCluster;
  private readonly database: SimDatabase;
  private readonly keys = Array.from({ length: COUNT }, (_, index) => `${PREFIX}${index}`);
  private readonly slots = new Set(this.keys.map(slotOf));
  private readonly expected = new Map<string, SealedRecord>();
  /** Keys whose writes have an unknown outcome. */
  private readonly open = new Set<string>();

  constructor(cluster: SimCluster, database: SimDatabase) {
    this.cluster = cluster;
    this.database = database;
  }

  get areWritten(): boolean {
    return this.expected.size + this.open.size === COUNT;
  }

  /** Writes each twice, so that there is an older version. */
  write(): void {
    const { node } = this.cluster.nodes[0]!;
    for (const key of this.keys)
      this.put(node!, key, 'first', () => this.put(node!, key, 'second', () => this.note(key)));
  }

  /** Whether a scrubber may find something in this slot. */
  isIn(slot: unknown): boolean {
    return this.slots.has(Number(slot));
  }

  /**
   * Deletes, sets back or damages one record on this disk, or in PostgreSQL. All other copies stay intact, so that it
   * can be repaired; a node that learns meanwhile may copy the loss. Returns what was done; null for nothing.
   */
  harm(sim: SimNode, prng: Prng): string | null {
    const key = prng.pick(this.keys);
    const isRow = prng.chance(0.25);
    const whole = this.expected.get(key);
    if (whole === undefined || !this.isRowWhole(key)) return null;
    if (isRow)
      return this.wrongOf(key) === null && this.harmRow(key, whole, prng) ? `${key} in PostgreSQL` : null;
    const stored = recordKey(slotOf(key), key);
    if (sim.node?.inspect(key).owner !== true || sim.disk.get(stored) === undefined) return null;
    const how = prng.pick(['gone', 'older', 'rotten'] as const);
    if (how === 'rotten') sim.disk.flipBit((each) => each === stored);
    else sim.disk.forge(stored, how === 'gone' ? null : setBack(whole).bytes);
    return `${key} of ${sim.name} ${how}`;
  }

  /**
   * In PostgreSQL: replaces the value of a row under its version and its checksum. Returns what was done; null for
   * nothing.
   */
  rot(prng: Prng): string | null {
    const key = prng.pick(this.keys);
    const whole = this.expected.get(key);
    if (whole === undefined || this.wrongOf(key) !== null) return null;
    const how = prng.pick(['value', 'updatedAt', 'tombstone'] as const);
    const changes = {
      value: { value: Buffer.from(prng.pick(['', 'first', 'secone'])) },
      updatedAt: { updatedAt: whole.record.updatedAt + 1 },
      tombstone: { tombstone: true, value: EMPTY_VALUE },
    }[how];
    const record = { ...whole.record, ...changes };
    this.database.forge(key, { record, slot: slotOf(key), checksum: whole.checksum });
    return `${key} in its ${how}`;
  }

  /** Where one of them is not as it was; null if all are. */
  wrong(): string | null {
    for (const key of this.keys) {
      const wrong = this.wrongOf(key);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  private wrongOf(key: string): string | null {
    const whole = this.expected.get(key);
    if (whole === undefined) return null;
    if (!this.isRowWhole(key)) return `${key} in PostgreSQL`;
    for (const { name, node, disk } of this.cluster.nodes) {
      if (node === null || !node.inspect(key).owner) continue;
      const bytes = disk.get(recordKey(slotOf(key), key));
      const held = bytes === undefined ? undefined : openRecord(bytes);
      if (held?.checksum !== whole.checksum) return `${key} at ${name}`;
    }
    return null;
  }

  private isRowWhole(key: string): boolean {
    const row = this.database.standing(key);
    const { checksum } = this.expected.get(key)!;
    return row?.checksum === checksum && sealRecord(row.record).checksum === checksum;
  }

  private harmRow(key: string, whole: SealedRecord, prng: Prng): boolean {
    const { record, checksum } = setBack(whole);
    this.database.forge(key, prng.chance(0.5) ? null : { record, slot: slotOf(key), checksum });
    return true;
  }

  private note(key: string): void {
    const { record } = this.database.standing(key)!;
    this.expected.set(key, sealRecord(record));
  }

  private put(node: NonNullable<SimNode['node']>, key: string, value: string, done: () => void): void {
    const operation = { kind: 'put', key, value: Buffer.from(value), ttlMs: 0, operationId: null } as const;
    node.write(operation, TIMEOUT_MS, (result) => {
      if (result.kind !== 'failed') done();
      else if (certaintyOf(result.failure.code) === 'definite')
        // The obstacle passes with time: a failed read of PostgreSQL, for example.
        this.database.scheduler.after(AGAIN_MS, () => this.put(node, key, value, done));
      // It may still take effect at any time: nothing can be expected of this key.
      else this.open.add(key);
    });
  }
}

function setBack({ record }: SealedRecord): SealedRecord {
  const version = record.version - BACK_COUNTERS * 4_096;
  return sealRecord({ ...record, version, value: Buffer.from('first') });
}
