/** Secrets that settings name by a variable or a file: whether they are there, and what they are for who needs them. */
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { parseSecretReference } from './core/legacy-config.ts';
import type { SecretReference } from './core/legacy-config.ts';

/** Undefined where it is missing, cannot be read or is empty: nothing may be opened without it. */
export function secretBehind({ from, name }: SecretReference, env: NodeJS.ProcessEnv): string | undefined {
  const secret = from === 'env' ? env[name] : readSecret(name);
  return secret === undefined || secret.trim() === '' ? undefined : secret.trimEnd();
}

/** Each by the path of its setting, and never with the secret: those without which a node with these settings does not start. */
export function secretFaults({ resp, legacy }: Config, env: NodeJS.ProcessEnv): string[] {
  const settings: (readonly [path: string, setting: string])[] = Object.entries(legacy?.headers ?? {}).map(
    ([name, setting]) => [`legacy.headers.${name}`, setting],
  );
  if (resp.port !== undefined && resp.password !== undefined) settings.push(['resp.password', resp.password]);
  return settings.flatMap(([path, setting]) => {
    const reference = parseSecretReference(setting);
    if (reference === null || secretBehind(reference, env) !== undefined) return [];
    return [`${path}: ${reference.from}:${reference.name} is missing or empty`];
  });
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
