/**
 * Columns of a batch as PostgreSQL's binary arrays. A Buffer is sent as a binary parameter, so one array per column
 * needs no text, no escaping and no parsing (hexadecimal text for bytea cost a third of the throughput over four
 * connections). The layout is that of the server's array_send() for one dimension, big endian:
 *
 *     i32 dimensions = 1, i32 has null, i32 element type, i32 count, i32 lower bound = 1;
 *     then per element: i32 length (-1 = null), bytes
 *
 * A node packs about ten of these per statement, a few dozen statements per second: too few for the engine to optimise
 * them soon. So the loops use an index, which needs no iterator.
 */

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const TYPE_BOOL = 16;
const TYPE_BYTEA = 17;
const TYPE_INT8 = 20;
const TYPE_INT2 = 21;
const TYPE_INT4 = 23;
const TYPE_TEXT = 25;
const TYPE_TIMESTAMPTZ = 1184;
const TWO_POW_32 = 2 ** 32;
/** timestamptz counts microseconds since 2000-01-01T00:00:00Z. */
const EPOCH_2000_MS = 946_684_800_000;

export function packTexts(values: readonly string[]): Buffer {
  let size = HEADER_BYTES;
  for (let index = 0; index < values.length; index += 1)
    size += LENGTH_BYTES + Buffer.byteLength(values[index]!);
  const buffer = Buffer.allocUnsafe(size);
  const view = begin(buffer, TYPE_TEXT, values.length, false);
  let at = HEADER_BYTES;
  for (let index = 0; index < values.length; index += 1) {
    const length = buffer.write(values[index]!, at + LENGTH_BYTES);
    view.setInt32(at, length);
    at += LENGTH_BYTES + length;
  }
  return buffer;
}

export function packTextsOrNull(values: readonly (string | null)[]): Buffer {
  return packElements(
    values.map((value) => (value === null ? null : Buffer.from(value))),
    TYPE_TEXT,
  );
}

export function packBytes(values: readonly (Uint8Array | null)[]): Buffer {
  return packElements(values, TYPE_BYTEA);
}

function packElements(values: readonly (Uint8Array | null)[], type: number): Buffer {
  let size = HEADER_BYTES;
  let hasNull = false;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]!;
    size += LENGTH_BYTES + (value === null ? 0 : value.length);
    hasNull ||= value === null;
  }
  const buffer = Buffer.allocUnsafe(size);
  const view = begin(buffer, type, values.length, hasNull);
  let at = HEADER_BYTES;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]!;
    view.setInt32(at, value === null ? -1 : value.length);
    at += LENGTH_BYTES;
    if (value === null) continue;
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

export function packBooleans(values: readonly boolean[]): Buffer {
  return packFixed(values, TYPE_BOOL, 1, (view, at, value) => view.setUint8(at, value ? 1 : 0));
}

export function packInt2s(values: readonly number[]): Buffer {
  return packFixed(values, TYPE_INT2, 2, (view, at, value) => view.setInt16(at, value));
}

export function packInt4s(values: readonly number[]): Buffer {
  return packFixed(values, TYPE_INT4, 4, (view, at, value) => view.setInt32(at, value));
}

/** Safe integers only. */
export function packInt8s(values: readonly number[]): Buffer {
  return packFixed(values, TYPE_INT8, 8, setInt64);
}

/** `put` writes one element of `size` bytes. */
function packFixed<Value>(
  values: readonly Value[],
  type: number,
  bytes: number,
  put: (view: DataView, at: number, value: Value) => void,
): Buffer {
  const step = LENGTH_BYTES + bytes;
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * step);
  const view = begin(buffer, type, values.length, false);
  for (let index = 0; index < values.length; index += 1) {
    const at = HEADER_BYTES + index * step;
    view.setInt32(at, bytes);
    put(view, at + LENGTH_BYTES, values[index]!);
  }
  return buffer;
}

/** Whole milliseconds since 1970, any safe integer; exact in timestamptz. */
export function packTimestamps(valuesMs: readonly (number | null)[]): Buffer {
  let size = HEADER_BYTES + valuesMs.length * LENGTH_BYTES;
  let hasNull = false;
  for (let index = 0; index < valuesMs.length; index += 1) {
    if (valuesMs[index] === null) hasNull = true;
    else size += 8;
  }
  const buffer = Buffer.allocUnsafe(size);
  const view = begin(buffer, TYPE_TIMESTAMPTZ, valuesMs.length, hasNull);
  let at = HEADER_BYTES;
  for (let index = 0; index < valuesMs.length; index += 1) {
    const valueMs = valuesMs[index]!;
    view.setInt32(at, valueMs === null ? -1 : 8);
    at += LENGTH_BYTES;
    if (valueMs === null) continue;
    const microseconds = (valueMs - EPOCH_2000_MS) * 1000;
    // From the year 2285 on, the microseconds exceed the safe integers.
    if (Number.isSafeInteger(microseconds)) setInt64(view, at, microseconds);
    else view.setBigInt64(at, BigInt(valueMs - EPOCH_2000_MS) * 1000n);
    at += 8;
  }
  return buffer;
}

/** Writes the array header, and returns a DataView, which writes numbers without the checks of Buffer's own methods. */
function begin(buffer: Buffer, elementType: number, count: number, hasNull: boolean): DataView {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  view.setInt32(0, 1);
  view.setInt32(4, hasNull ? 1 : 0);
  view.setInt32(8, elementType);
  view.setInt32(12, count);
  view.setInt32(16, 1);
  return view;
}

/** Two 32-bit halves instead of a BigInt: no allocation per element. */
function setInt64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / TWO_POW_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * TWO_POW_32);
}
