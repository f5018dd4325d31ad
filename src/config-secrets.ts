/**
 * Secrets that settings name by a variable or a file: whether they are there, and what they are for who needs them. The only reader
 * of them: doors, the legacy source and `causeway doctor` are handed what it reads.
 */
import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import type { Config } from './config.ts';
import { parseSecretReference } from './core/legacy-config.ts';
import type { SecretReference } from './core/legacy-config.ts';
import { SECRET_BYTES_MAX } from './core/http-limits.ts';

/** `fault`: why nothing may be opened with it, in words that hold nothing of it. */
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
 * A pipe that is read again has no writer any more: opening it would keep one of few threads waiting for ever. Numbers are taken as
 * in `open`, though the types of Node.js tell of text alone.
 */
const UNWAITING = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file once more, while others are served; calls back later, once. */
export function readSecretFile(reference: SecretReference, done: (read: SecretRead) => void): void {
  const chunks: Buffer[] = [];
  // The last byte is one too many.
  createReadStream(reference.name, { end: SECRET_BYTES_MAX, flags: UNWAITING as unknown as string })
    .on('data', (chunk) => chunks.push(Buffer.from(chunk)))
    .once('error', (error) => done(unreadable(reference, error)))
    .once('end', () => done(judged(reference, Buffer.concat(chunks))));
}

/** Each by the path of its setting, and never with the secret: those without which a node with these settings does not start. */
export function secretFaults({ resp, legacy }: Config, env: NodeJS.ProcessEnv): string[] {
  const settings: (readonly [path: string, setting: string])[] = Object.entries(legacy?.headers ?? {}).map(
    ([name, setting]) => [`legacy.headers.${name}`, setting],
  );
  if (resp.port !== undefined && resp.password !== undefined) settings.push(['resp.password', resp.password]);
  return settings.flatMap(([path, setting]) => {
    const reference = parseSecretReference(setting);
    const read = reference === null ? null : readSecret(reference, env);
    return read !== null && 'fault' in read ? [`${path}: ${read.fault}`] : [];
  });
}

/** No more of it than is needed to tell that it is too large: it may be a device without an end. */
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
