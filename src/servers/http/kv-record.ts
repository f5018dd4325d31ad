/** How the key routes show and parse records, operation ids and conditions. */
import { z } from 'zod';
import { uuid7Bytes } from '../../base/uuid-7.ts';
import { contentTypeFault } from '../../core/clients/check-key.ts';
import { CONTENT_TYPE_BYTES_MAX, TTL_MS_MAX } from '../../core/limits.ts';
import { ORIGIN_NAMES } from '../../core/record.ts';
import type { KeyRecord } from '../../core/record.ts';
import { Refusal } from './problem.ts';

export const VERSION = z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('the number in the ETag');
export const TTL_MS = z
  .int()
  .min(0)
  .max(TTL_MS_MAX)
  .describe('milliseconds that the value is kept; 0: for ever');

/** The content type of a value that has none; naming it explicitly is the same as naming none. */
export const CONTENT_TYPE_UNTOLD = 'application/octet-stream';

export const CONTENT_TYPE = z
  .string()
  .describe(`what the value is: a media type of at most ${CONTENT_TYPE_BYTES_MAX} bytes`);

export const RECORD_META = {
  version: VERSION,
  origin: z
    .enum(ORIGIN_NAMES)
    .describe('who wrote it: a client, a fill from the legacy source, a hand in PostgreSQL'),
  createdAt: z.iso.datetime().describe('when the key came into being'),
  updatedAt: z.iso.datetime().describe('when this version was written'),
  ttlMs: z.int().min(0).optional().describe('milliseconds that are left; left out: it is kept for ever'),
  contentType: z.string().optional().describe('what it was put as; left out: nothing was said of that'),
};

/** The value as text if it is readable text, otherwise in Base64. */
export const VALUE = {
  value: z.string().optional().describe('the value, where it is text'),
  valueBase64: z.base64().optional().describe('the value, where it is not'),
};

export const RECORD = z
  .strictObject({ ...RECORD_META, ...VALUE })
  .describe('a value with what is known of it')
  .meta({ id: 'Record' });

/** What a four-digit year can show: times outside of it were written into PostgreSQL by hand. */
const SHOWN_FROM_MS = Date.parse('0000-01-01T00:00:00.000Z');
const SHOWN_TO_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** The nearest time that is shown. */
export function shownTime(ms: number): Date {
  return new Date(Math.min(SHOWN_TO_MS, Math.max(SHOWN_FROM_MS, ms)));
}

export function recordMeta(record: KeyRecord): z.infer<z.ZodObject<typeof RECORD_META>> {
  return {
    version: record.version,
    origin: ORIGIN_NAMES[record.origin],
    createdAt: shownTime(record.createdAt).toISOString(),
    updatedAt: shownTime(record.updatedAt).toISOString(),
    ...(record.expiresAt === 0 ? {} : { ttlMs: ttlLeft(record) }),
    ...(record.contentType === null ? {} : { contentType: record.contentType }),
  };
}

export function ttlLeft(record: KeyRecord): number {
  return Math.max(0, record.expiresAt - Date.now());
}

/** JSON escapes control characters in six bytes each, so a value that contains them is not treated as text. */
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

function shownValue(value: Uint8Array): { value: string } | { valueBase64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString('utf8');
  const isText = !CONTROL.test(text) && Buffer.from(text, 'utf8').equals(bytes);
  return isText ? { value: text } : { valueBase64: bytes.toString('base64') };
}

export function shownRecord(record: KeyRecord): z.infer<typeof RECORD> {
  return { ...recordMeta(record), ...shownValue(record.value) };
}

export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The content type to store; null if none was given or it is the default for plain bytes. An invalid media type is
 * refused, except while content types are not stored yet (`isKept`): in that state it was always accepted, and an
 * upgrade must not break clients before it is finished. (decision 34)
 */
export function typeGiven(text: string | undefined, isKept = (): boolean => true): string | null {
  if (text === undefined || text === '' || text.toLowerCase() === CONTENT_TYPE_UNTOLD) return null;
  const fault = contentTypeFault(text);
  if (fault === undefined) return text;
  if (isKept()) throw new Refusal(400, fault);
  return null;
}

/**
 * Parses a UUID of version 7, whose first 48 bits tell when it may be forgotten. Throws a refusal, which begins with
 * `name`, if it is none.
 */
export function operationIdOf(text: string | undefined, name = 'Idempotency-Key'): Uint8Array | null {
  if (text === undefined) return null;
  const id = uuid7Bytes(text.replace(/^"(.*)"$/, '$1'));
  // A UUID of another version would be taken for an id that expired long ago.
  if (id === null)
    throw new Refusal(400, `${name} must be a UUID of version 7, which tells when it was made`);
  return id;
}
