/**
 * What keys, values and their options may be. The rules are the same for every door, so that whatever one protocol
 * stores, every other can name. A fault is a sentence that names the limit; undefined means that the input is valid.
 */
import { CONTENT_TYPE_BYTES_MAX, KEY_BYTES_MAX, OPERATION_ID_BYTES, TTL_MS_MAX } from '../limits.ts';

/**
 * A key is 1 to 1,024 bytes of UTF-8. Lone surrogates have no UTF-8, and PostgreSQL text cannot hold NUL.
 * One pass without allocation: it stands on the hit path of every read.
 */
export function keyFault(key: string): string | undefined {
  const { length } = key;
  if (length === 0) return 'the key is empty';
  if (length > KEY_BYTES_MAX) return tooLong();
  let bytes = length;
  for (let at = 0; at < length; at++) {
    const unit = key.charCodeAt(at);
    if (unit < 0x80) {
      if (unit === 0) return 'the key contains a NUL character';
    } else if (unit < 0x800) {
      bytes += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2;
    } else {
      const next = at + 1 < length ? key.charCodeAt(at + 1) : 0;
      if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return 'the key is not well-formed Unicode';
      bytes += 2; // four bytes for two units
      at++;
    }
  }
  return bytes > KEY_BYTES_MAX ? tooLong() : undefined;
}

function tooLong(): string {
  return `the key is longer than ${KEY_BYTES_MAX} bytes of UTF-8`;
}

export function valueFault(bytes: number, bytesMax: number): string | undefined {
  return bytes > bytesMax ? `the value has ${bytes} bytes, more than the limit of ${bytesMax}` : undefined;
}

/** A `ttlMs` of 0 means that the value never expires. */
export function ttlFault(ttlMs: number): string | undefined {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 0 && ttlMs <= TTL_MS_MAX) return undefined;
  return `the time to live is not a whole number of milliseconds from 0 to ${TTL_MS_MAX}`;
}

/** `bytes` is 0 if there is no operation id. */
export function operationIdFault(bytes: number): string | undefined {
  if (bytes === 0 || bytes === OPERATION_ID_BYTES) return undefined;
  return `the operation id has ${bytes} bytes, not ${OPERATION_ID_BYTES}`;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t\\x20-\\x7e])*"';
/**
 * `media-type` of RFC 9110. At each position the next character alone decides how to continue, so that matching never
 * backtracks.
 */
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|${QUOTED}))?)*$`);

/** Undefined if the type can be stored. An empty type stands for a value without one. */
export function contentTypeFault(type: string | null | undefined): string | undefined {
  if (type === null || type === undefined) return undefined;
  if (type.length <= CONTENT_TYPE_BYTES_MAX && MEDIA_TYPE.test(type)) return undefined;
  return `the content type is not a media type of at most ${CONTENT_TYPE_BYTES_MAX} bytes, such as text/plain;charset=utf-8`;
}
