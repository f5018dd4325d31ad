/**
 * Interprets an answer of the legacy source. Only a complete, well-formed JSON document with status 200 or 203 that
 * names the requested key is a value; only 404 and 410 mean absent; after anything else it is unknown whether the key
 * exists. An error mistaken for an absence would make callers re-create or delete data.
 */
import { contentTypeFault, valueFault } from '../clients/check-key.ts';
import { findJson } from './json-slice.ts';
import type { JsonPlace, JsonPointer } from './json-slice.ts';

export type StatusMeaning =
  /** The body decides. */
  | 'value'
  | 'absent'
  /** The source has a temporary problem; the same request may succeed soon. */
  | 'troubled'
  /** 401 or 403: repeating the request with the same credentials is useless, and an operator must be told. */
  | 'denied'
  /** Any other answer; repeating the request would give the same one. */
  | 'unusable';

export function meaningOfStatus(status: number): StatusMeaning {
  if (status === 200 || status === 203) return 'value';
  if (status === 404 || status === 410) return 'absent';
  if (status === 401 || status === 403) return 'denied';
  if (status === 408 || status === 425 || status === 429 || (status >= 500 && status <= 599))
    return 'troubled';
  return 'unusable';
}

export interface LegacyMapping {
  readonly valuePointer: JsonPointer;
  readonly echoPointer: JsonPointer | null;
  readonly valueBytesMax: number;
}

export interface LegacyBody {
  readonly contentType: string;
  /**
   * The end of the body was marked by a length or a last chunk. Otherwise a cut connection looks like an end, and `12`
   * may be what arrived of `123`.
   */
  readonly framed: boolean;
  readonly bytes: Uint8Array;
}

export type MappedBody =
  /** `contentType`: that of the value; null if the value is plain text. */
  | { readonly kind: 'value'; readonly value: Uint8Array; readonly contentType: string | null }
  /**
   * - garbled: not the agreed JSON; the source, or something in front of it, is ill.
   * - unmapped: well formed, but without a usable value for this key.
   * - mismatch: the answer is about another key.
   */
  | { readonly kind: 'garbled' | 'unmapped' | 'mismatch'; readonly reason: string };

export function mapBody(mapping: LegacyMapping, key: string, body: LegacyBody): MappedBody {
  if (!isJson(body.contentType)) return { kind: 'garbled', reason: 'the content type is not JSON in UTF-8' };
  const text = decodeUtf8(body.bytes);
  if (text === null) return { kind: 'garbled', reason: 'the body is not UTF-8' };
  const place = findJson(text, mapping.valuePointer);
  if (place.kind === 'invalid') return { kind: 'garbled', reason: `the body is not JSON: ${place.reason}` };
  if (!body.framed && !/^\s*[{["]/.test(text)) {
    return { kind: 'garbled', reason: 'a number or word without a length may have been cut' };
  }
  if (mapping.echoPointer !== null) {
    const echo = readScalar(text, findJson(text, mapping.echoPointer));
    if (echo === null) return { kind: 'mismatch', reason: 'the answer does not repeat the key' };
    if (echo !== key) return { kind: 'mismatch', reason: 'the answer is about another key' };
  }
  return mapValue(text, place, mapping, body.contentType);
}

function mapValue(
  text: string,
  place: JsonPlace,
  { valueBytesMax, valuePointer }: LegacyMapping,
  documentType: string,
): MappedBody {
  if (place.kind !== 'found') {
    const why = place.kind === 'ambiguous' ? 'more than once' : 'not at all';
    return { kind: 'unmapped', reason: `the answer holds the value ${why}` };
  }
  const raw = text.slice(place.start, place.end);
  if (raw === 'null') return { kind: 'unmapped', reason: 'the value is null' };
  const content = raw.startsWith('"') ? (JSON.parse(raw) as string) : raw;
  if (/\p{Surrogate}/u.test(content))
    return { kind: 'unmapped', reason: 'the value cannot be written in UTF-8' };
  const value = new TextEncoder().encode(content);
  const fault = valueFault(value.length, valueBytesMax);
  if (fault !== undefined) return { kind: 'unmapped', reason: fault };
  const contentType = typeOf(raw, valuePointer.length === 0, documentType);
  return { kind: 'value', value, contentType };
}

/**
 * A whole document has the type that its source declares. A part of it has not: an object or array taken out of it is
 * just JSON, and a number or literal might as well be a line of text. A string stands for its content, whose type JSON
 * does not tell.
 */
function typeOf(raw: string, isWhole: boolean, documentType: string): string | null {
  if (raw.startsWith('"')) return null;
  if (!isWhole) return /^[[{]/.test(raw) ? 'application/json' : null;
  const said = documentType.trim();
  return contentTypeFault(said) === undefined ? said : null;
}

/** A string, or a number as it was written; null for any other value. */
function readScalar(text: string, place: JsonPlace): string | null {
  if (place.kind !== 'found') return null;
  const raw = text.slice(place.start, place.end);
  if (raw.startsWith('"')) return JSON.parse(raw) as string;
  return /^[-0-9]/.test(raw) ? raw : null;
}

/** True for `application/json`, `text/json` and `application/...+json`. No charset but UTF-8 is read. */
function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^(?:application|text)\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/.test(type.trim())) return false;
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=');
    return name.trim() !== 'charset' || /^"?(?:utf-8|utf8|us-ascii)"?$/.test(value.trim());
  });
}

/** Decodes strictly and skips a byte order mark. Returns null if the bytes are not UTF-8. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
