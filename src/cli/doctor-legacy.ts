/**
 * Asks a legacy API for keys that nobody has, and for those that the operator has named, exactly as a node would ask.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Pool } from 'undici';
import type { Config } from '../config/config.ts';
import { readSecret } from '../config/secrets.ts';
import { mapBody, meaningOfStatus } from '../core/legacy/legacy-answer.ts';
import { parseSecretReference } from '../core/legacy/legacy-config.ts';
import { buildLegacyUrl, compileLegacyUrl } from '../core/legacy/legacy-url.ts';
import { LEGACY_BODY_BYTES_MAX } from '../core/limits.ts';
import type { LegacyUrlTemplate } from '../core/legacy/legacy-url.ts';
import { parseJsonPointer } from '../core/legacy/json-slice.ts';
import type { Answer, Hard, NamedKey, NobodysKey } from './doctor-legacy-rules.ts';

type Legacy = NonNullable<Config['legacy']>;

interface Settings {
  readonly legacy: Legacy;
  /** The largest value that a node accepts. */
  readonly valueBytesMax: number;
}

/** Special characters to test, with the probe key around each. */
const HARD: readonly (Hard & { readonly text: string })[] = [
  { name: 'a slash', escape: '%2F', text: '/' },
  { name: 'a backslash', escape: '%5C', text: '\\' },
  { name: 'a percent sign', escape: '%25', text: '%' },
  { name: 'a space', escape: '%20', text: ' ' },
  { name: 'a plus sign', escape: '%2B', text: '+' },
  { name: 'other letters', escape: '%C3%BC%E6%97%A5', text: '\u00fc\u65e5' },
  { name: 'two dots', escape: 'a..b', text: '..' },
];

export class LegacyProbe {
  readonly #legacy: Legacy;
  readonly #valueBytesMax: number;
  readonly #template: LegacyUrlTemplate;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #pool: Pool;
  readonly #signal: AbortSignal;

  private constructor(
    { legacy, valueBytesMax }: Settings,
    template: LegacyUrlTemplate,
    headers: Record<string, string>,
    signal: AbortSignal,
  ) {
    this.#legacy = legacy;
    this.#valueBytesMax = valueBytesMax;
    this.#template = template;
    this.#headers = headers;
    this.#signal = signal;
    this.#pool = new Pool(template.origin, { connections: 2, connect: { timeout: legacy.timeoutMs } });
  }

  /** Throws if a header refers to a secret that does not exist. */
  static async open(settings: Settings, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<LegacyProbe> {
    const { legacy } = settings;
    const compiled = compileLegacyUrl(legacy.url);
    if (compiled.kind === 'invalid') throw new Error(`legacy.url ${compiled.reason}`);
    const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity' };
    for (const [name, value] of Object.entries(legacy.headers)) headers[name] = secretOf(name, value, env);
    return new LegacyProbe(settings, compiled.template, headers, signal);
  }

  async nobodysKeys(): Promise<NobodysKey[]> {
    const tag = randomBytes(6).toString('hex');
    const asked: NobodysKey[] = [{ hard: null, answer: await this.#ask(`causeway-doctor-${tag}`) }];
    for (const { text, ...hard } of HARD)
      asked.push({ hard, answer: await this.#ask(`causeway-doctor-${tag}${text}x`) });
    return asked;
  }

  async namedKey(key: string): Promise<NamedKey> {
    const built = buildLegacyUrl(this.#template, key);
    if (built.kind === 'unaddressable')
      return { key, answer: { kind: 'broken', reason: '' }, meaning: 'unaddressable', reason: built.reason };
    const { answer, body, contentType } = await this.#fetch(built.path, key);
    if (answer.kind === 'broken') return { key, answer, meaning: 'unusable', reason: answer.reason };
    if (meaningOfStatus(answer.status) === 'absent') return { key, answer, meaning: 'absent', reason: '' };
    const mapping = {
      valuePointer: parseJsonPointer(this.#legacy.value)!,
      echoPointer: this.#legacy.echo === undefined ? null : parseJsonPointer(this.#legacy.echo),
      valueBytesMax: this.#valueBytesMax,
    };
    const mapped = mapBody(mapping, key, { contentType, framed: true, bytes: body });
    if (meaningOfStatus(answer.status) === 'value' && mapped.kind === 'value')
      return { key, answer, meaning: 'value', reason: '' };
    const reason = 'reason' in mapped ? mapped.reason : `the status is ${answer.status}`;
    return { key, answer, meaning: 'unusable', reason };
  }

  /** Whether a path with `..` leads to an existing key. Null unless the URL template ends in its key. */
  async stepsBack(key: string): Promise<{ plain: boolean; escaped: boolean } | null> {
    const built = buildLegacyUrl(this.#template, key);
    if (
      built.kind === 'unaddressable' ||
      this.#template.literals.length !== 2 ||
      this.#template.slots[0]!.inQuery
    )
      return null;
    const [before, after] = this.#template.literals as [string, string];
    const escaped = built.path.slice(before.length, built.path.length - after.length);
    const isFound = async (step: string): Promise<boolean> => {
      const { answer } = await this.#fetch(`${before}x${step}${escaped}${after}`, key);
      return answer.kind === 'answer' && meaningOfStatus(answer.status) === 'value';
    };
    return { plain: await isFound('/../'), escaped: await isFound('%2F..%2F') };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #ask(key: string): Promise<Answer> {
    const built = buildLegacyUrl(this.#template, key);
    if (built.kind === 'unaddressable') return { kind: 'broken', reason: built.reason };
    return (await this.#fetch(built.path, key)).answer;
  }

  /** `path` is sent as it is: any URL parser on the way would resolve what it contains. */
  async #fetch(
    path: string,
    key: string,
  ): Promise<{ answer: Answer; body: Uint8Array; contentType: string }> {
    const began = performance.now();
    try {
      const timeout = AbortSignal.timeout(this.#legacy.timeoutMs);
      const signal = AbortSignal.any([this.#signal, timeout]);
      const { statusCode, headers, body } = await this.#pool.request({
        ...{ method: 'GET', path, headers: this.#headers, signal },
      });
      const bytes = await bytesOf(body);
      const contentType = String(headers['content-type'] ?? '');
      const shape = shapeOf(bytes, contentType, key);
      const location = String(headers['location'] ?? '').slice(0, 200);
      const tookMs = performance.now() - began;
      return {
        answer: { kind: 'answer', status: statusCode, shape, location, tookMs },
        body: bytes,
        contentType,
      };
    } catch (error) {
      return { answer: { kind: 'broken', reason: reasonOf(error) }, body: new Uint8Array(), contentType: '' };
    }
  }
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let count = 0;
  for await (const chunk of body) {
    count += chunk.length;
    if (count > LEGACY_BODY_BYTES_MAX) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Removes the key, times and request numbers, in which two pages from the same template may differ. */
function shapeOf(bytes: Uint8Array, contentType: string, key: string): string {
  let text = Buffer.from(bytes).toString('utf8');
  const names = [key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1), key.replaceAll(' ', '+')];
  for (const name of names) text = text.replaceAll(name, 'KEY');
  const kind = contentType.split(';')[0]!.trim().toLowerCase();
  const words = text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/gi, 'N');
  return `${kind} ${createHash('sha256').update(words).digest('hex').slice(0, 16)}`;
}

function secretOf(name: string, value: string, env: NodeJS.ProcessEnv): string {
  const reference = parseSecretReference(value);
  if (reference === null) return value;
  const read = readSecret(reference, env);
  if ('fault' in read) throw new Error(`the secret of the header ${name}: ${read.fault}`);
  return reference.prefix + read.secret;
}

/** The error code if there is one, because messages may contain an address. */
function reasonOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError') return 'it does not answer in time';
  if (code === 'UND_ERR_SOCKET') return 'it hangs up instead of answering';
  return code ?? message;
}
