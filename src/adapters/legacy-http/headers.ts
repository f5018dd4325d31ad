/**
 * The headers sent to the legacy source, with their secrets filled in. Secrets stand in the settings by
 * reference only and live in memory here; no error and no log line ever holds one.
 */
import { parseSecretReference } from '../../core/legacy-config.ts';
import type { SecretReference } from '../../core/legacy-config.ts';
import { traceparentOf } from '../../core/trace-context.ts';
import type { TraceContext } from '../../core/trace-context.ts';

/** `fault`: why it cannot be had, in words that hold nothing of it. */
type SecretRead = { readonly secret: string } | { readonly fault: string };

/** Who reads what the settings name. */
export interface Secrets {
  read(reference: SecretReference): SecretRead;
  /** A file once more, while others are served; calls back later, once. */
  readAgain(reference: SecretReference, done: (read: SecretRead) => void): void;
}

/** Written by the adapter or the HTTP client; a second hand on them could split or reroute requests. */
const RESERVED = new Set([
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

export class LegacyHeaders {
  private readonly values: Record<string, string> = {
    accept: 'application/json',
    // Asked for as it is: a compressed answer could be a thousand times larger than its transfer.
    'accept-encoding': 'identity',
  };
  private readonly secrets: Secrets;
  private readonly files: { readonly name: string; readonly reference: SecretReference }[] = [];

  /** Throws where a header is not allowed or its secret cannot be read: the source must not open without. */
  constructor(settings: Readonly<Record<string, string>>, secrets: Secrets) {
    this.secrets = secrets;
    for (const [given, setting] of Object.entries(settings)) {
      const name = given.toLowerCase();
      if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw new Error(`not a header name: ${given}`);
      if (RESERVED.has(name)) throw new Error(`the header ${given} cannot be set`);
      const reference = parseSecretReference(setting);
      if (reference?.from === 'file') this.files.push({ name, reference });
      const value = reference === null ? setting : this.resolve(given, reference);
      if (!isFieldValue(value)) throw new Error(`the header ${given} holds characters that headers cannot`);
      this.values[name] = value;
    }
  }

  current(): Readonly<Record<string, string>> {
    return this.values;
  }

  /** Reads the files again; one that cannot be read, or not be sent, leaves what was. */
  reload(): void {
    for (const { name, reference } of this.files) {
      this.secrets.readAgain(reference, (read) => {
        const value = 'fault' in read ? null : reference.prefix + read.secret;
        if (value !== null && isFieldValue(value)) this.values[name] = value;
      });
    }
  }

  private resolve(header: string, reference: SecretReference): string {
    const read = this.secrets.read(reference);
    if ('fault' in read) throw new Error(`the secret of header ${header}: ${read.fault}`);
    return reference.prefix + read.secret;
  }
}

/** Of the span that a request is part of (W3C Trace Context). */
export function traceHeaders(trace: TraceContext | undefined): Readonly<Record<string, string>> {
  if (trace === undefined) return {};
  const traceparent = traceparentOf(trace);
  return trace.state === '' ? { traceparent } : { traceparent, tracestate: trace.state };
}

function isFieldValue(value: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(value);
}
