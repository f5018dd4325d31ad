/**
 * Parses a Dockerfile as far as its test needs: stages with their instructions, what each copies from where, and what
 * `npm ci` with given flags leaves in the image according to the lock file.
 */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** One list per stage, each beginning with its FROM; anything before the first FROM is left out. */
export function stagesOf(text: string): Instruction[][] {
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ');
  const stages: Instruction[][] = [];
  for (const line of joined.split('\n')) {
    const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === undefined) continue;
    if (word === 'FROM') stages.push([]);
    stages.at(-1)?.push({ word, rest: rest!.trim() });
  }
  return stages;
}

/** The paths that COPY takes from the checkout, not those from another stage. */
export function copiedPaths(stage: readonly Instruction[]): string[] {
  return stage
    .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from='))
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))
    .map((path) => path.replace(/^\.\//, ''));
}

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** Names of the packages that remain after `npm ci --omit=dev --omit=optional`. */
export function leanPackages(lock: string): Set<string> {
  const { packages } = JSON.parse(lock) as { packages: Record<string, Locked> };
  return new Set(
    Object.entries(packages)
      .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
      .map(([path]) => path.replace(/^.*node_modules\//, '')),
  );
}

/** Whether a build sees this path. As in Docker's `.dockerignore`, the last matching rule decides. */
export function isSent(ignore: string, path: string): boolean {
  let sent = true;
  for (const line of ignore.split('\n')) {
    const rule = line.trim();
    if (rule === '' || rule.startsWith('#')) continue;
    const keeps = rule.startsWith('!');
    if (fits(keeps ? rule.slice(1) : rule, path)) sent = keeps;
  }
  return sent;
}

/** A rule matches a path and everything below it. */
function fits(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\u0000')
    .replaceAll('**', '\u0001')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?')
    .replaceAll('\u0001', '.*');
  return new RegExp(`^${source}(?:/.*)?$`).test(path);
}
