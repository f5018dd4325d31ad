/** Import cycles, unreachable files, and exports that no other file uses. */
import { isEntryPoint, isGenerated, isTestFile } from './places.ts';
import type { SourceFacts } from './source-facts.ts';

/** One fault for each cycle of imports that exist at run time; `import type` and `import()` do not count. */
export function cycleFaults(files: readonly SourceFacts[]): string[] {
  const targets = new Map(files.map((file) => [file.path, eagerTargets(file)]));
  const faults: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    state.set(path, 'open');
    trail.push(path);
    for (const target of targets.get(path) ?? []) {
      if (state.get(target) === 'open') {
        const cycle = [...trail.slice(trail.indexOf(target)), target];
        faults.push(`import cycle: ${cycle.join(' -> ')} (move what both need below both)`);
      } else if (state.get(target) === undefined) {
        visit(target);
      }
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of targets.keys()) if (state.get(path) === undefined) visit(path);
  return faults;
}

/** Files that no entry point and no test reaches, by imports or by naming the file in a string. */
export function deadFileFaults(files: readonly SourceFacts[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const queue = files
    .map((file) => file.path)
    .filter((path) => isEntryPoint(path) || path.endsWith('.test.ts'));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const one of file.imports) if (one.target !== undefined) queue.push(...withDeclarations(one.target));
    queue.push(...namedInStrings(file, files));
  }
  return files
    .filter((file) => !reached.has(file.path))
    .map((file) => `${file.path}: reached from no entry point and no test; use it or delete it`);
}

/** An export that only its own file uses should not be one; the linter finds what nobody uses once it is not exported. */
export function unusedExportFaults(files: readonly SourceFacts[]): string[] {
  const taken = new Set<string>();
  for (const { target, names, isWhole } of files.flatMap((file) => file.imports)) {
    if (isWhole) taken.add(`${target} *`);
    for (const name of names) taken.add(`${target} ${name}`);
  }
  return files
    .filter(({ path }) => !isEntryPoint(path) && !isGenerated(path) && !taken.has(`${path} *`))
    .flatMap(({ path, exports }) =>
      exports
        .filter(({ name }) => !taken.has(`${path} ${name}`))
        .map(({ name, line }) => `${path}:${line}: ${name} is exported, and no other file imports it`),
    );
}

function eagerTargets(file: SourceFacts): string[] {
  return file.imports
    .filter((one) => one.target !== undefined && !one.typeOnly && !one.dynamic)
    .map((one) => one.target!);
}

function withDeclarations(target: string): string[] {
  return [target, target.replace(/\.js$/, '.d.ts')];
}

/** Programs that are started as processes are named, not imported. */
function namedInStrings(file: SourceFacts, files: readonly SourceFacts[]): string[] {
  const named = file.strings
    .filter((text) => /\.(ts|js|mjs)$/.test(text))
    .map((text) => text.replace(/^.*\//, ''));
  if (named.length === 0 || (!isTestFile(file.path) && !isEntryPoint(file.path))) return [];
  return files.map((one) => one.path).filter((path) => named.includes(path.replace(/^.*\//, '')));
}
