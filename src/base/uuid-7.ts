/** UUIDs of version 7, which begin with the time at which they were made. (RFC 9562, section 5.7) */

const UUID_7 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;

/** The 16 bytes; null if the text is none, or one of another version, which does not begin with a time. */
export function uuid7Bytes(text: string): Uint8Array | null {
  return UUID_7.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : null;
}
