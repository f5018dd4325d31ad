/**
 * Reads the rows of an import file, one JSON object per line, with their byte offsets, so that an import can resume. An
 * invalid line is reported as such and does not end the reading.
 */
import { contentTypeFault, keyFault, ttlFault, valueFault } from '../core/clients/check-key.ts';
import { VALUE_BYTES_MAX } from '../core/limits.ts';

/** Enough for the largest value with every byte written as \u00XX, and a key. */
const LINE_BYTES_MAX = 6 * VALUE_BYTES_MAX + 64 * 1024;
const NEWLINE = 0x0a;

export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
  readonly ttlMs: number;
  readonly contentType: string | undefined;
}

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Offset of the first byte after the line. */
  readonly endOffset: number;
  readonly row: Row | undefined;
  /** Why the line has no row; undefined for a blank line. */
  readonly fault: string | undefined;
}

/** The lines of `bytes`, which begin at `offset` with line `number`. */
export async function* readLines(
  bytes: AsyncIterable<Uint8Array>,
  offset: number,
  number: number,
): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let at = offset;
  let line = number;
  const emit = (text: Buffer, endOffset: number): Line => ({ number: line++, endOffset, ...parseLine(text) });
  for await (const chunk of bytes) {
    const searched = rest.length;
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE, searched); end >= 0; end = rest.indexOf(NEWLINE, start)) {
      yield emit(rest.subarray(start, end), at + end + 1);
      start = end + 1;
    }
    at += start;
    rest = rest.subarray(start);
    if (rest.length > LINE_BYTES_MAX) throw new Error(`line ${line} has more than ${LINE_BYTES_MAX} bytes`);
  }
  if (rest.length > 0) yield emit(rest, at + rest.length);
}

/** Parses one line without its line break. */
export function parseLine(bytes: Buffer): { row: Row | undefined; fault: string | undefined } {
  const text = bytes.toString('utf8');
  if (text.trim() === '') return { row: undefined, fault: undefined };
  if (!Buffer.from(text, 'utf8').equals(bytes)) return { row: undefined, fault: 'is not UTF-8' };
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { row: undefined, fault: 'is not JSON' };
  }
  const row = rowOf(given);
  return typeof row === 'string' ? { row: undefined, fault: row } : { row, fault: undefined };
}

function rowOf(given: unknown): Row | string {
  if (typeof given !== 'object' || given === null) return 'is not a JSON object';
  const { key, value, valueBase64, ttlMs = 0, contentType } = given as Record<string, unknown>;
  if (typeof key !== 'string') return 'has no key';
  if (typeof ttlMs !== 'number') return 'has a ttlMs that is not a number';
  if (contentType !== undefined && typeof contentType !== 'string')
    return 'has a contentType that is not a text';
  const bytes = bytesOf(value, valueBase64);
  if (typeof bytes === 'string') return bytes;
  return (
    keyFault(key) ??
    valueFault(bytes.length, VALUE_BYTES_MAX) ??
    ttlFault(ttlMs) ??
    contentTypeFault(contentType) ?? { key, value: bytes, ttlMs, contentType }
  );
}

function bytesOf(value: unknown, valueBase64: unknown): Uint8Array | string {
  if (value !== undefined && valueBase64 !== undefined) return 'has both value and valueBase64';
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof valueBase64 !== 'string') return 'has neither a text as value nor valueBase64';
  const bytes = Buffer.from(valueBase64, 'base64');
  return bytes.toString('base64') === valueBase64 ? bytes : 'has a valueBase64 that is not base64';
}
