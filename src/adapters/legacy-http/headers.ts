/**
 * The headers sent to the legacy source, with secrets filled in. The settings contain only references; the secrets live
 * in memory here, and no error or log line ever contains one.
 */
import { headerNameFault, headerValueFault, parseSecretReference } from '../../core/legacy/legacy-config.ts';
import type { SecretReference } from '../../core/legacy/legacy-config.ts';
import { traceparentOf } from '../../core/observability/trace-context.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';

/** `fault` says why the secret cannot be read, without revealing any of it. */
type SecretRead = { readonly secret: string } | { readonly fault: string };

/** Reads the secrets that the settings refer to. */
export interface Secrets {
  read(reference: SecretReference): SecretRead;
  /** Reads a file again without blocking; calls back once, later. */
  readAgain(reference: SecretReference, done: (read: SecretRead) => void): void;
}

export class LegacyHeaders {
  private readonly values: Record<string, string> = {
    accept: 'application/json',
    // A compressed answer could expand to a thousand times its size on the wire, so none is accepted.
    'accept-encoding': 'identity',
  };
  private readonly secrets: Secrets;
  private readonly files: { readonly name: string; readonly reference: SecretReference }[] = [];

  /** Throws if a header is not allowed or its secret cannot be read: the source must not open without it. */
  constructor(settings: Readonly<Record<string, string>>, secrets: Secrets) {
    this.secrets = secrets;
    for (const [given, setting] of Object.entries(settings)) {
      const name = given.toLowerCase();
      const nameFault = headerNameFault(given);
      if (nameFault !== undefined) throw new Error(nameFault);
      const reference = parseSecretReference(setting);
      if (reference?.from === 'file') this.files.push({ name, reference });
      const value = reference === null ? setting : this.resolve(given, reference);
      const fault = headerValueFault(given, value);
      if (fault !== undefined) throw new Error(fault);
      this.values[name] = value;
    }
  }

  current(): Readonly<Record<string, string>> {
    return this.values;
  }

  /**
   * Reads the secret files again. A file that cannot be read, or whose content is not a valid header, leaves the old
   * value.
   */
  reload(): void {
    for (const { name, reference } of this.files) {
      this.secrets.readAgain(reference, (read) => {
        const value = 'fault' in read ? null : reference.prefix + read.secret;
        if (value !== null && headerValueFault(name, value) === undefined) this.values[name] = value;
      });
    }
  }

  private resolve(header: string, reference: SecretReference): string {
    const read = this.secrets.read(reference);
    if ('fault' in read) throw new Error(`the secret of header ${header}: ${read.fault}`);
    return reference.prefix + read.secret;
  }
}

/** The W3C Trace Context headers of the span that a request belongs to. */
export function traceHeaders(trace: TraceContext | undefined): Readonly<Record<string, string>> {
  if (trace === undefined) return {};
  const traceparent = traceparentOf(trace);
  return trace.state === '' ? { traceparent } : { traceparent, tracestate: trace.state };
}
