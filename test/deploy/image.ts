/**
 * What a Dockerfile says, as far as its test has to know: stages with their instructions, what each copies from where,
 * and what `npm ci` with given flags leaves in the image, by the lock file.
 */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** One list a stage, each beginning with its FROM; what stands before the first FROM is left out. */
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

/** What COPY takes from the checkout: paths, without those that come from another stage. */
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

/** Names of the packages that stay after `npm ci --omit=dev --omit=optional`. */
export function leanPackages(lock: string): Set<string> {
  const { packages } = JSON.parse(lock) as { packages: Record<string, Locked> };
  return new Set(
    Object.entries(packages)
      .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
      .map(([path]) => path.replace(/^.*node_modules\//, '')),
  );
}

/** Does a build see this path? Rules in order, the last that fits decides, as Docker reads `.dockerignore`. */
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

/** A rule fits a path and all below it. */
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
