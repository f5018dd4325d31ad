/**
 * Codec of a topology, for links and for the disk: the table of 16,384 slots as runs of equal rows, or as one or two
 * bytes per slot if that is shorter. Its own checksum covers everything after it.
 *
 *   0 u32 checksum   4 u8 format   5 fields, members, council, rows, slots      (little endian)
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import { PROTOCOL_MAX, SINCE } from '../core/membership/protocol-versions.ts';
import { inOneShape } from '../core/membership/topology.ts';
import type { Member, RecordStanding, SlotRow, Topology } from '../core/membership/topology.ts';
import { NODE_ID_COUNT } from '../core/version.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Used until a version of the member protocol is in force: earlier builds read it. */
const FORMAT_UNTOLD_PROTOCOL = 4;
const TOPOLOGY_FORMAT = 5;
/** Without standings, slots that change hands, and healing: still on disks left by an earlier build. */
const FORMAT_STATIC = 1;
/** Without the identity of PostgreSQL. */
const FORMAT_UNNAMED_RECORD = 2;
/** Without spooling. */
const FORMAT_UNSPOOLED = 3;
const STANDINGS = [undefined, 'leaving', 'healed'] as const;
const CHECKSUM_BYTES = 4;
const SLOTS_AS_RUNS = 0;
const SLOTS_AS_BYTES = 1;
const SLOTS_AS_WORDS = 2;
/** A run is its row and its length, in two bytes each. */
const RUN_BYTES = 4;
const EMPTY_SLOTS = new Uint16Array(SLOT_COUNT);

/**
 * A topology never changes, but is sent to many members and stored twice: each is encoded once, and not at all if it
 * arrived as bytes.
 */
const encoded = new WeakMap<Topology, Uint8Array>();
/**
 * The topologies last decoded: the same one arrives to be accepted, and again as news, while voters report the previous
 * one that they have accepted.
 */
let latest: readonly { readonly bytes: Uint8Array; readonly topology: Topology }[] = [];
const LATEST_COUNT = 2;

/** The bytes must not be changed: the next call returns the same ones. */
export function encodeTopology(topology: Topology): Uint8Array {
  let bytes = encoded.get(topology);
  if (bytes === undefined) encoded.set(topology, (bytes = encode(topology)));
  return bytes;
}

function encode(topology: Topology): Uint8Array {
  const out = new Writer();
  out.u32(0);
  out.u8(topology.protocol === undefined ? FORMAT_UNTOLD_PROTOCOL : TOPOLOGY_FORMAT);
  out.whole(topology.epoch);
  out.text(topology.clusterId);
  out.whole(topology.life);
  out.u16(topology.replicaCount);
  out.u16(topology.ownerCountMin);
  out.real(topology.leaseMs);
  out.real(topology.clockDrift);
  out.real(topology.healAfterMs);
  out.u16(topology.nextId);
  out.whole(topology.floorCounter);
  out.bool(topology.loaded);
  writeRecord(out, topology.record);
  out.bool(topology.spooling === true);
  if (topology.protocol !== undefined) out.u8(topology.protocol);
  out.u16(topology.members.length);
  for (const member of topology.members) writeMember(out, member);
  writeIds(out, topology.council);
  writeIds(out, topology.placed);
  out.u16(topology.rows.length);
  for (const row of topology.rows) {
    writeIds(out, row.owners);
    writeIds(out, row.complete);
    out.bool(row.coming !== undefined);
    if (row.coming !== undefined) writeIds(out, row.coming);
  }
  writeSlots(out, topology.slotRow, topology.rows.length);
  out.u32At(0, out.checksum(CHECKSUM_BYTES));
  return out.copy();
}

/** Undefined if the bytes are damaged or of an unknown format. If defined, every slot's row exists. */
export function decodeTopology(bytes: Uint8Array): Topology | undefined {
  const known = latest.find((each) => areEqual(each.bytes, bytes));
  if (known !== undefined) return known.topology;
  const topology = decode(bytes);
  if (topology === undefined) return undefined;
  const own = new Uint8Array(bytes);
  latest = [{ bytes: own, topology }, ...latest.slice(0, LATEST_COUNT - 1)];
  if (own[CHECKSUM_BYTES]! >= FORMAT_UNTOLD_PROTOCOL) encoded.set(topology, own);
  return topology;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

function decode(bytes: Uint8Array): Topology | undefined {
  const from = new Reader(bytes);
  const checksum = from.u32();
  if (!from.ok || crc32(bytes.subarray(CHECKSUM_BYTES)) !== checksum) return undefined;
  const format = from.u8();
  if (format < FORMAT_STATIC || format > TOPOLOGY_FORMAT) return undefined;
  const isStatic = format === FORMAT_STATIC;
  const head = {
    epoch: from.whole(),
    clusterId: from.text(),
    life: from.whole(),
    replicaCount: from.u16(),
    ownerCountMin: from.u16(),
    leaseMs: from.real(),
    clockDrift: from.real(),
    healAfterMs: isStatic ? 0 : from.real(),
    nextId: from.u16(),
    floorCounter: from.whole(),
    loaded: from.bool(),
    ...(format > FORMAT_UNNAMED_RECORD ? readRecord(from) : {}),
    ...(format > FORMAT_UNSPOOLED && from.bool() ? { spooling: true } : {}),
    ...(format > FORMAT_UNTOLD_PROTOCOL ? { protocol: readProtocol(from) } : {}),
  };
  const members: Member[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) members.push(readMember(from, isStatic));
  const council = readIds(from);
  const placed = isStatic ? members.map((member) => member.id).sort((a, b) => a - b) : readIds(from);
  const rows: SlotRow[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) {
    const row = { owners: readIds(from), complete: readIds(from) };
    rows.push(!isStatic && from.bool() ? { ...row, coming: readIds(from) } : row);
  }
  const slotRow = readSlots(from, rows.length);
  return from.ok ? inOneShape({ ...head, members, council, rows, slotRow, placed }) : undefined;
}

function writeRecord(out: Writer, record: RecordStanding | undefined): void {
  out.bool(record !== undefined);
  if (record === undefined) return;
  out.text(record.system);
  out.whole(record.timeline);
  out.whole(record.drive);
  out.bool(record.driven);
}

function readRecord(from: Reader): Pick<Topology, 'record'> {
  if (!from.bool()) return {};
  const system = from.text();
  return { record: { system, timeline: from.whole(), drive: from.whole(), driven: from.bool() } };
}

/** A node cannot act in an epoch of a version that it does not speak. */
function readProtocol(from: Reader): number {
  const protocol = from.u8();
  if (protocol < SINCE.protocolInForce || protocol > PROTOCOL_MAX) from.fail('a version is unknown');
  return protocol;
}

function writeMember(out: Writer, member: Member): void {
  writeId(out, member.id);
  out.text(member.name);
  out.text(member.address);
  out.whole(member.incarnation);
  out.bool(member.alive);
  out.text(member.zone);
  out.text(member.host);
  out.real(member.weight);
  out.u8(STANDINGS.indexOf(member.standing));
}

function readMember(from: Reader, isStatic: boolean): Member {
  const member = {
    id: readId(from),
    name: from.text(),
    address: from.text(),
    incarnation: from.whole(),
    alive: from.bool(),
    zone: from.text(),
    host: from.text(),
    weight: from.real(),
  };
  const standing = isStatic ? undefined : readStanding(from);
  return standing === undefined ? member : { ...member, standing };
}

function readStanding(from: Reader): Member['standing'] {
  const number = from.u8();
  if (number >= STANDINGS.length) from.fail('the standing of a member is unknown');
  return STANDINGS[number];
}

function writeId(out: Writer, id: number): void {
  assert(id > 0 && id < NODE_ID_COUNT, 'a member id is 1..4095');
  out.u16(id);
}

function readId(from: Reader): number {
  const id = from.u16();
  if (id === 0 || id >= NODE_ID_COUNT) from.fail('a member id is out of range');
  return id;
}

function writeIds(out: Writer, ids: readonly number[]): void {
  out.u16(ids.length);
  for (const id of ids) writeId(out, id);
}

function readIds(from: Reader): number[] {
  const ids: number[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) ids.push(readId(from));
  return ids;
}

/** Slot tables that are part of a topology do not change, and are sent again and again: each is encoded once. */
const encodedSlots = new WeakMap<Uint16Array, { readonly rowCount: number; readonly bytes: Uint8Array }>();
/**
 * The table last encoded or decoded: most epochs leave it unchanged, and topologies that share it are compared and
 * iterated by their rows. (core/placement/slot-index.ts)
 */
let latestSlots: {
  readonly bytes: Uint8Array;
  readonly slotRow: Uint16Array;
  readonly rowHighest: number;
} | null = null;

function writeSlots(out: Writer, slotRow: Uint16Array, rowCount: number): void {
  let known = encodedSlots.get(slotRow);
  if (known?.rowCount !== rowCount) {
    const own = new Writer();
    const rowHighest = encodeSlots(own, slotRow, rowCount);
    known = { rowCount, bytes: own.copy() };
    encodedSlots.set(slotRow, known);
    latestSlots = { bytes: known.bytes, slotRow, rowHighest };
  }
  out.raw(known.bytes);
}

/** Returns the highest row number. */
function encodeSlots(out: Writer, slotRow: Uint16Array, rowCount: number): number {
  assert(slotRow.length === SLOT_COUNT, 'a topology has a row for every slot');
  let runCount = 0;
  let rowHighest = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (slot === 0 || slotRow[slot] !== slotRow[slot - 1]) runCount += 1;
    rowHighest = Math.max(rowHighest, slotRow[slot]!);
  }
  assert(rowHighest < rowCount, 'the row of a slot exists');
  const width = rowCount <= 256 ? SLOTS_AS_BYTES : SLOTS_AS_WORDS;
  if (runCount * RUN_BYTES >= SLOT_COUNT * width) {
    out.u8(width);
    if (width === SLOTS_AS_BYTES) out.raw(Uint8Array.from(slotRow));
    else for (const row of slotRow) out.u16(row);
    return rowHighest;
  }
  out.u8(SLOTS_AS_RUNS);
  for (let start = 0; start < SLOT_COUNT;) {
    let end = start + 1;
    while (end < SLOT_COUNT && slotRow[end] === slotRow[start]) end += 1;
    out.u16(slotRow[start]!);
    out.u16(end - start);
    start = end;
  }
  return rowHighest;
}

/** The table is the last part of a topology: its bytes are all that is left. */
function readSlots(from: Reader, rowCount: number): Uint16Array {
  const bytes = from.raw(from.remaining);
  if (!from.ok) return EMPTY_SLOTS;
  if (latestSlots === null || !areEqual(latestSlots.bytes, bytes)) {
    const own = new Reader(bytes);
    const slotRow = decodeSlots(own);
    if (own.remaining > 0) own.fail('bytes follow the end');
    if (!own.ok) {
      from.fail(own.fault);
      return EMPTY_SLOTS;
    }
    let rowHighest = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) rowHighest = Math.max(rowHighest, slotRow[slot]!);
    latestSlots = { bytes: new Uint8Array(bytes), slotRow, rowHighest };
  }
  if (latestSlots.rowHighest >= rowCount) from.fail('the row of a slot does not exist');
  return latestSlots.slotRow;
}

function decodeSlots(from: Reader): Uint16Array {
  const manner = from.u8();
  if (manner > SLOTS_AS_WORDS) from.fail('the manner of the slot table is unknown');
  if (!from.ok) return EMPTY_SLOTS;
  return manner === SLOTS_AS_RUNS ? readRuns(from) : readEach(from, manner);
}

function readEach(from: Reader, manner: number): Uint16Array {
  if (manner === SLOTS_AS_BYTES) {
    const bytes = from.raw(SLOT_COUNT);
    return from.ok ? Uint16Array.from(bytes) : EMPTY_SLOTS;
  }
  const slotRow = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT && from.ok; slot++) slotRow[slot] = from.u16();
  return slotRow;
}

function readRuns(from: Reader): Uint16Array {
  const slotRow = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT && from.ok;) {
    const row = from.u16();
    const length = from.u16();
    if (length === 0 || slot + length > SLOT_COUNT) from.fail('a run of slots has an impossible length');
    slotRow.fill(row, slot, slot + length);
    slot += length;
  }
  return slotRow;
}
