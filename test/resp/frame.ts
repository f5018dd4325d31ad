/**
 * One reply of RESP2 or RESP3, parsed into a small tree and serialised byte for byte. The parser is strict, so that a
 * door that sends anything else is caught here.
 */
export type Frame =
  | { readonly kind: 'line'; readonly type: string; readonly text: string }
  /** null: `$-1`. */
  | { readonly kind: 'blob'; readonly type: string; readonly bytes: Buffer | null }
  /** The keys and values of a map alternate. null: `*-1`. */
  | { readonly kind: 'list'; readonly type: string; readonly items: readonly Frame[] | null };

const LINES = '+-:_,#(';
const BLOBS = '$!=';
const LISTS = '*%~>|';
const CR_LF = Buffer.from('\r\n');

/** Undefined if it is not complete. Throws if it is not a reply. */
export function parseFrame(bytes: Buffer, at: number): { frame: Frame; end: number } | undefined {
  const lineEnd = bytes.indexOf(CR_LF, at);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[at]!);
  const text = bytes.toString('latin1', at + 1, lineEnd);
  const next = lineEnd + 2;
  if (LINES.includes(type)) return { frame: { kind: 'line', type, text }, end: next };
  if (!/^(0|-1|[1-9]\d*)$/.test(text)) throw new Error(`no reply: ${JSON.stringify(type + text)}`);
  const length = Number(text);
  if (BLOBS.includes(type)) return parseBlob(bytes, next, type, length);
  if (LISTS.includes(type)) return parseList(bytes, next, type, length);
  throw new Error(`no reply: ${JSON.stringify(type + text)}`);
}

function parseBlob(
  bytes: Buffer,
  at: number,
  type: string,
  length: number,
): { frame: Frame; end: number } | undefined {
  if (length < 0) return { frame: { kind: 'blob', type, bytes: null }, end: at };
  const end = at + length;
  if (bytes.length < end + 2) return undefined;
  if (bytes.toString('latin1', end, end + 2) !== '\r\n')
    throw new Error('a string of another length than said');
  return { frame: { kind: 'blob', type, bytes: Buffer.from(bytes.subarray(at, end)) }, end: end + 2 };
}

function parseList(
  bytes: Buffer,
  from: number,
  type: string,
  length: number,
): { frame: Frame; end: number } | undefined {
  if (length < 0) return { frame: { kind: 'list', type, items: null }, end: from };
  const items: Frame[] = [];
  let at = from;
  for (let left = type === '%' || type === '|' ? length * 2 : length; left > 0; left -= 1) {
    const item = parseFrame(bytes, at);
    if (item === undefined) return undefined;
    items.push(item.frame);
    at = item.end;
  }
  return { frame: { kind: 'list', type, items }, end: at };
}

export function frameBytes(frame: Frame): Buffer {
  if (frame.kind === 'line') return Buffer.from(`${frame.type}${frame.text}\r\n`, 'latin1');
  if (frame.kind === 'blob') {
    if (frame.bytes === null) return Buffer.from(`${frame.type}-1\r\n`);
    return Buffer.concat([Buffer.from(`${frame.type}${frame.bytes.length}\r\n`), frame.bytes, CR_LF]);
  }
  if (frame.items === null) return Buffer.from(`${frame.type}-1\r\n`);
  const count = frame.type === '%' || frame.type === '|' ? frame.items.length / 2 : frame.items.length;
  return Buffer.concat([Buffer.from(`${frame.type}${count}\r\n`), ...frame.items.map(frameBytes)]);
}

/** The text of a number or a string of whatever type; undefined for a list or nothing. */
export function frameText(frame: Frame | undefined): string | undefined {
  if (frame === undefined || frame.kind === 'list') return undefined;
  return frame.kind === 'line' ? frame.text : frame.bytes?.toString('latin1');
}
