/**
 * The secrets that settings refer to by a variable or a file: whether they exist, and their contents. This is their
 * only reader: doors, the legacy source and `causeway doctor` get what it has read.
 */
import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import type { Config } from './config.ts';
import { headerValueFault, parseSecretReference } from '../core/legacy/legacy-config.ts';
import type { SecretReference } from '../core/legacy/legacy-config.ts';
import { SECRET_BYTES_MAX } from '../core/clients/http-limits.ts';

/** `fault` says why the secret is unusable, without revealing any of it. */
export type SecretRead = { readonly secret: string } | { readonly fault: string };

export function readSecret(reference: SecretReference, env: NodeJS.ProcessEnv): SecretRead {
  if (reference.from === 'env') return judged(reference, Buffer.from(env[reference.name] ?? ''));
  try {
    return judged(reference, bytesOf(reference.name));
  } catch (error) {
    return unreadable(reference, error);
  }
}

/**
 * Reading a pipe a second time would find no writer, and opening it would block one of few threads for ever. The
 * numeric flags work as in `open`, although the types of Node.js only allow text.
 */
const UNWAITING = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads a file again without blocking; calls back once, later. */
export function readSecretFile(reference: SecretReference, done: (read: SecretRead) => void): void {
  const chunks: Buffer[] = [];
  // Reads one byte more than allowed, to notice that the secret is too large.
  createReadStream(reference.name, { end: SECRET_BYTES_MAX, flags: UNWAITING as unknown as string })
    .on('data', (chunk) => chunks.push(Buffer.from(chunk)))
    .once('error', (error) => done(unreadable(reference, error)))
    .once('end', () => done(judged(reference, Buffer.concat(chunks))));
}

/**
 * The secrets without which a node with these settings does not start, each with the path of its setting and never with
 * its contents.
 */
export function secretFaults({ resp, legacy }: Config, env: NodeJS.ProcessEnv): string[] {
  const faults = Object.entries(legacy?.headers ?? {}).flatMap(([name, setting]) =>
    faultOf(`legacy.headers.${name}`, setting, env, (secret) => headerValueFault(name, secret)),
  );
  if (resp.port === undefined || resp.password === undefined) return faults;
  return [...faults, ...faultOf('resp.password', resp.password, env, () => undefined)];
}

/** `judge` says what is wrong with a secret that can be read. */
function faultOf(
  path: string,
  setting: string,
  env: NodeJS.ProcessEnv,
  judge: (secret: string) => string | undefined,
): string[] {
  const reference = parseSecretReference(setting);
  if (reference === null) return [];
  const read = readSecret(reference, env);
  const fault = 'fault' in read ? read.fault : judge(read.secret);
  return fault === undefined ? [] : [`${path}: ${fault}`];
}

/** Reads no more than is needed to see that a file is too large: it may be a device without an end. */
function bytesOf(path: string): Buffer {
  const bytes = Buffer.allocUnsafe(SECRET_BYTES_MAX + 1);
  const file = openSync(path, 'r');
  try {
    let filled = 0;
    for (let count = -1; count !== 0 && filled < bytes.length; filled += count)
      count = readSync(file, bytes, filled, bytes.length - filled, null);
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

function judged({ from, name }: SecretReference, bytes: Buffer): SecretRead {
  if (bytes.length > SECRET_BYTES_MAX)
    return {
      fault: `${from}:${name} has more than ${SECRET_BYTES_MAX} bytes, the most that a secret may have`,
    };
  const secret = bytes.toString('utf8').trimEnd();
  return secret === '' ? { fault: `${from}:${name} is missing or empty` } : { secret };
}

function unreadable({ from, name }: SecretReference, error: unknown): SecretRead {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return { fault: `${from}:${name} is missing or empty` };
  return { fault: `${from}:${name} cannot be read (${code})` };
}
