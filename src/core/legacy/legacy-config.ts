/**
 * The settings of one legacy source, and their defaults. Plain data: validated where settings are read, and compiled
 * where the source is opened.
 */
import { LEGACY_BODY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts';

export interface LegacySourceConfig {
  /** `https://host/items/{key}`: `{key}` is percent-encoded, `{+key}` keeps `/`, `?k={key}` is allowed. */
  readonly url: string;
  /**
   * Sent with every request. A value may be a secret by reference, alone or after one word:
   * `env:NAME`, `file:/path`, `Bearer env:NAME`. Files are read again when the source answers 401 or 403.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON Pointer (RFC 6901) to the value in the answer; the empty pointer is the whole document. */
  readonly valuePointer: string;
  /**
   * JSON Pointer to where the answer repeats the key, or null if it does not. If given, an answer that names another
   * key is never stored. Set it whenever the source offers it.
   */
  readonly echoPointer: string | null;
  /** Those of `/`, `\\` and `%` whose escapes in a path the source is known to understand: see legacy-escapes.ts. */
  readonly trustedEscapes: string;

  /** Milliseconds for the whole fetch: waiting, all attempts and the pauses between them. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Milliseconds without a byte of the body after which the answer is given up. */
  readonly idleTimeoutMs: number;
  /** Bytes of an answer's body. The body is requested uncompressed, so these are the decoded bytes. */
  readonly bodyBytesMax: number;
  /** Bytes of a value: a value that no client could write is not read through either. */
  readonly valueBytesMax: number;

  readonly retryCountMax: number;
  /** Milliseconds: before retry n (from 0) a draw from [0, min(retryDelayMsMax, retryDelayMs * 2^n)). */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
  /** Retries allowed in ten seconds, as a share of the fetches of those ten seconds ... */
  readonly retryShareMax: number;
  /** ... plus this many for each second. */
  readonly retriesPerSecondMin: number;

  /** Requests under way at one node; further fetches queue. */
  readonly concurrencyMax: number;
  readonly queueMax: number;
  readonly queueWaitMsMax: number;

  readonly breaker: BreakerRules;
  /** Longest pause, in milliseconds, that a `Retry-After` can impose. */
  readonly pauseMsMax: number;
}

export interface BreakerRules {
  /** Milliseconds over which failures are counted. */
  readonly windowMs: number;
  /** Share of failed requests in the window at which the breaker opens ... */
  readonly failureShareMin: number;
  /** ... once the window holds this many. */
  readonly sampleCountMin: number;
  /** Milliseconds without a request after opening; doubled each time the probe fails. */
  readonly openMs: number;
  readonly openMsMax: number;
}

export const LEGACY_SOURCE_DEFAULTS: Omit<LegacySourceConfig, 'url'> = {
  headers: {},
  valuePointer: '/value',
  echoPointer: null,
  trustedEscapes: '',
  timeoutMs: 2_000,
  connectTimeoutMs: 1_000,
  idleTimeoutMs: 1_000,
  bodyBytesMax: LEGACY_BODY_BYTES_MAX,
  valueBytesMax: VALUE_BYTES_MAX,
  retryCountMax: 2,
  retryDelayMs: 50,
  retryDelayMsMax: 1_000,
  retryShareMax: 0.1,
  retriesPerSecondMin: 1,
  concurrencyMax: 32,
  queueMax: 256,
  queueWaitMsMax: 100,
  breaker: { windowMs: 10_000, failureShareMin: 0.5, sampleCountMin: 20, openMs: 5_000, openMsMax: 60_000 },
  pauseMsMax: 60_000,
};

/** Merges the given settings over the defaults. */
export function legacySourceConfig(
  settings: Partial<LegacySourceConfig> & Pick<LegacySourceConfig, 'url'>,
): LegacySourceConfig {
  return { ...LEGACY_SOURCE_DEFAULTS, ...settings };
}

/** Headers that the adapter or the HTTP client sets; a second value could split or reroute requests. */
const HEADERS_RESERVED = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Undefined if a header of this name may be sent with every request. */
export function headerNameFault(name: string): string | undefined {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return `not a header name: ${name}`;
  return HEADERS_RESERVED.has(name.toLowerCase()) ? `the header ${name} cannot be set` : undefined;
}

/** The fault tells nothing of the value, which may be a secret. */
export function headerValueFault(name: string, value: string): string | undefined {
  if (/^[\t\x20-\x7e]*$/.test(value)) return undefined;
  return `the header ${name} holds characters that headers cannot`;
}

export interface SecretReference {
  /** The text before the secret, such as `Bearer `. */
  readonly prefix: string;
  readonly from: 'env' | 'file';
  /** The name of the variable, or the path. */
  readonly name: string;
}

/** Null if the value is a literal. */
export function parseSecretReference(value: string): SecretReference | null {
  const match = /^((?:[A-Za-z][A-Za-z0-9-]* )?)(?:env:([A-Za-z_][A-Za-z0-9_]*)|file:(\/.+))$/.exec(value);
  if (match === null) return null;
  const prefix = match[1]!;
  return match[2] === undefined
    ? { prefix, from: 'file', name: match[3]! }
    : { prefix, from: 'env', name: match[2] };
}
