/**
 * Maps a key to the URL of its resource in the legacy source, so that no key, however hostile, can name a resource
 * other than its own. Everything but the key is fixed when the template is compiled; the key is percent-encoded; and
 * the finished URL is parsed again and compared before it is used.
 *
 * Why encoding alone is not enough: `encodeURIComponent('..')` is `..`, which URL parsers remove together with the
 * segment before it, and servers that decode before they normalise do the same to `%2F..%2F` (RFC 3986 5.2.4). A key
 * that cannot be named safely is refused: its reader gets an error, never an absence.
 */

/** Characters: far above any real address, and far below what servers refuse once a key has been inserted. */
const TEMPLATE_CHARS_MAX = 2048;
const PLACEHOLDER = /\{(\+?)key\}/g;

export interface LegacyUrlTemplate {
  readonly origin: string;
  /** The fixed text around the keys; one entry more than `slots`. */
  readonly literals: readonly string[];
  readonly slots: readonly KeySlot[];
  /** Segments of the path, for a key without slashes. */
  readonly segmentCount: number;
  readonly emptySegmentCount: number;
}

interface KeySlot {
  readonly keepSlash: boolean;
  readonly inQuery: boolean;
}

export type CompiledUrl =
  | { readonly kind: 'template'; readonly template: LegacyUrlTemplate }
  | { readonly kind: 'invalid'; readonly reason: string };

export type BuiltUrl =
  /** `path` is the request target: path and query. */
  | { readonly kind: 'url'; readonly url: string; readonly path: string }
  | { readonly kind: 'unaddressable'; readonly reason: string };

export function compileLegacyUrl(text: string): CompiledUrl {
  if (text.length > TEMPLATE_CHARS_MAX) return invalid(`longer than ${TEMPLATE_CHARS_MAX} characters`);
  if (/[\s\\#\p{Cc}]/u.test(text)) return invalid('contains a space, backslash, # or control character');
  const places = [...text.matchAll(PLACEHOLDER)];
  if (places.length === 0) return invalid('has no {key}');
  if (/[{}]/.test(text.replaceAll(PLACEHOLDER, ''))) return invalid('knows only {key} and {+key}');

  let marker = 'keygoeshere';
  while (text.toLowerCase().includes(marker)) marker += 'x';
  const url = parse(text.replaceAll(PLACEHOLDER, marker));
  if (url === null) return invalid('is not an absolute URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return invalid('must be http or https');
  if (url.username !== '' || url.password !== '') return invalid('must not hold credentials: use a header');
  const literals = (url.pathname + url.search).split(marker);
  if (literals.length !== places.length + 1) return invalid('the key may stand in the path or query only');
  // A fixed `%` or `%2` before the key would turn the key's first characters into an escape.
  if (literals.some((literal) => /%(?![0-9A-Fa-f]{2})/.test(literal)))
    return invalid('holds a broken % escape');

  const slots: KeySlot[] = [];
  let before = '';
  for (const [index, place] of places.entries()) {
    before += literals[index]!;
    const query = before.indexOf('?');
    const inQuery = query >= 0;
    if (inQuery && !/[?&][^&=]+=[^&]*$/.test(before))
      return invalid('in a query the key must be a value, as in ?k={key}');
    slots.push({ keepSlash: place[1] === '+', inQuery });
    before += 'k';
  }
  const segments = segmentsOf(before + literals.at(-1)!);
  const template: LegacyUrlTemplate = {
    origin: url.origin,
    literals,
    slots,
    segmentCount: segments.length,
    emptySegmentCount: segments.filter((segment) => segment === '').length,
  };
  const trial = buildLegacyUrl(template, 'k');
  return trial.kind === 'url' ? { kind: 'template', template } : invalid(trial.reason);
}

function invalid(reason: string): CompiledUrl {
  return { kind: 'invalid', reason };
}

export function buildLegacyUrl(template: LegacyUrlTemplate, key: string): BuiltUrl {
  if (key === '') return refuse('the key is empty');
  if (!key.isWellFormed()) return refuse('the key holds a lone surrogate, which UTF-8 cannot name');
  // Servers written in C end a string at a NUL, and would answer for the shorter key.
  if (key.includes('\0')) return refuse('the key holds a NUL');
  const encoded = encode(key);
  const encodedWithSlashes = encoded.replaceAll('%2F', '/');
  let path = template.literals[0]!;
  for (const [index, slot] of template.slots.entries()) {
    path += (slot.keepSlash ? encodedWithSlashes : encoded) + template.literals[index + 1]!;
  }
  const url = template.origin + path;
  const fault = findUrlFault(template, key, url);
  return fault === null ? { kind: 'url', url, path } : refuse(fault);
}

function refuse(reason: string): BuiltUrl {
  return { kind: 'unaddressable', reason };
}

/**
 * Encodes every byte outside RFC 3986's unreserved set, which is narrower than what `encodeURIComponent` leaves alone.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Parses `url` as a URL parser would and checks it against the intention: null if it names exactly the key's resource.
 * Independent of how the URL was built, so that a fault in building it cannot pass.
 */
export function findUrlFault(template: LegacyUrlTemplate, key: string, url: string): string | null {
  const parsed = parse(url);
  if (parsed === null) return 'the URL cannot be parsed';
  if (parsed.origin !== template.origin) return 'the URL leaves its origin';
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') return 'the URL gains parts';
  const path = parsed.pathname + parsed.search;
  if (parsed.origin + path !== url) return 'a segment of the key would be dropped or rewritten';
  if (!path.startsWith(template.literals[0]!)) return 'the URL leaves its prefix';
  const segments = segmentsOf(path);
  const slashes = template.slots.some((slot) => slot.keepSlash) ? key.split('/').length - 1 : 0;
  const slashSlots = template.slots.filter((slot) => slot.keepSlash && !slot.inQuery).length;
  if (segments.length !== template.segmentCount + slashes * slashSlots)
    return 'the key changes the number of segments';
  if (segments.filter((segment) => segment === '').length !== template.emptySegmentCount)
    return 'the key makes an empty segment';
  if (segments.some(hasDotSegment)) return 'the key makes a segment of dots';
  return holdsKey(template, key, path) ? null : 'the URL does not decode to the key';
}

/** Also finds dot segments of servers that decode first and split afterwards, at either kind of slash. */
function hasDotSegment(segment: string): boolean {
  const decoded = decode(segment);
  return decoded === null || decoded.split(/[/\\]/).some((part) => part === '.' || part === '..');
}

/** Walks the path along the template: the fixed text must match, and what lies between must decode to the key. */
function holdsKey(template: LegacyUrlTemplate, key: string, path: string): boolean {
  const fixed = template.literals.reduce((sum, literal) => sum + literal.length, 0);
  const total = path.length - fixed;
  let at = template.literals[0]!.length;
  let used = 0;
  for (const [index, slot] of template.slots.entries()) {
    const literal = template.literals[index + 1]!;
    const length = encodedLength(key, slot.keepSlash);
    if (decode(path.slice(at, at + length)) !== key) return false;
    at += length;
    used += length;
    if (!path.startsWith(literal, at)) return false;
    at += literal.length;
  }
  return used === total && at === path.length;
}

function encodedLength(key: string, keepSlash: boolean): number {
  let length = 0;
  for (const byte of new TextEncoder().encode(key)) {
    const kept = isUnreserved(byte) || (keepSlash && byte === 0x2f);
    length += kept ? 1 : 3;
  }
  return length;
}

function isUnreserved(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isLetter || isDigit || byte === 0x2d || byte === 0x2e || byte === 0x5f || byte === 0x7e;
}

function segmentsOf(path: string): string[] {
  const query = path.indexOf('?');
  return (query < 0 ? path : path.slice(0, query)).split('/').slice(1);
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
