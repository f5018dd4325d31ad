/** The rules for single files: the outside world, promises, sizes, exports, names and forbidden words. */
import { isEntryPoint, isGenerated, isTestFile, type TextFile } from './places.ts';
import type { SourceFacts } from './source-facts.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
/** A port should say what a node needs in few words. */
const PORT_METHODS_MAX = 6;

/** Where the outside world may be accessed directly; everywhere else it must go through a port. */
const WORLD_PLACES =
  /^(src\/(adapters|servers|cli|client|supervisor|config|process)\/|src\/main\.ts$|sim\/(main|scale-main|flags|progress|workers)\.ts$|(bench|page|scripts|verify)\/|[a-z.]+\.config\.ts$)/;

const INSTEAD: Readonly<Record<string, string>> = {
  Date: 'the Clock port',
  performance: 'the Clock port',
  'Math.random': 'the Random port, or base/prng where a seed is at hand',
  crypto: 'the Random port',
  process: 'settings handed in from config',
  console: 'the Telemetry port',
  fetch: 'the LegacySource port',
};
const TIMERS = 'the tick: deadlines share one queue';

/** Only in wire code: pure functions over bytes that Node happens to provide. */
const PURE_NODE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'node:zlib': ['crc32'],
  'node:buffer': ['Buffer', 'isUtf8'],
};

export function worldFaults(file: SourceFacts): string[] {
  if (WORLD_PLACES.test(file.path) || isTestFile(file.path) || isGenerated(file.path)) return [];
  const faults = file.globals.map(
    ({ name, line }) => `${file.path}:${line}: ${name} is not used here; instead: ${INSTEAD[name] ?? TIMERS}`,
  );
  for (const one of file.imports) {
    if (!one.specifier.startsWith('node:') || one.typeOnly) continue;
    const pure = file.path.startsWith('src/wire/') ? PURE_NODE_IMPORTS[one.specifier] : undefined;
    if (pure !== undefined && one.names.length > 0 && one.names.every((name) => pure.includes(name)))
      continue;
    faults.push(`${file.path}:${one.line}: ${one.specifier} is not imported here; instead: a port`);
  }
  return faults;
}

/** The rules of the cluster are synchronous: events in, effects out. */
export function promiseFaults(file: SourceFacts): string[] {
  if (!/^src\/(core|ports|wire)\//.test(file.path) || isTestFile(file.path)) return [];
  return file.promises.map(
    ({ name, line }) => `${file.path}:${line}: ${name} has no place here; instead: effects, or a callback`,
  );
}

export function sizeFaults(file: SourceFacts): string[] {
  if (isGenerated(file.path)) return [];
  const faults: string[] = [];
  if (file.lineCount > FILE_LINES_MAX) {
    faults.push(`${file.path}: ${file.lineCount} lines, at most ${FILE_LINES_MAX}; split by responsibility`);
  }
  for (const one of file.functions) {
    // A block of tests is a list of tests, each a function of its own.
    const lines = isTestFile(file.path) ? one.ownLineCount : one.lineCount;
    if (lines <= FUNCTION_LINES_MAX || one.excused) continue;
    const advice = 'split it, or say why on the line before: // long: reason';
    faults.push(
      `${file.path}:${one.line}: ${one.name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}; ${advice}`,
    );
  }
  return faults;
}

export function shapeFaults(file: SourceFacts): string[] {
  if (isGenerated(file.path)) return [];
  const faults: string[] = [];
  if (!file.opensWithComment) {
    faults.push(`${file.path}: must open with a short paragraph that a new colleague understands`);
  }
  if (file.defaultExportLine !== undefined && !file.path.includes('.config.')) {
    faults.push(`${file.path}:${file.defaultExportLine}: default export; export by name`);
  }
  if (file.isBarrel && !isEntryPoint(file.path)) {
    faults.push(`${file.path}: a file that only passes on others' exports; import from where it is declared`);
  }
  if (/\/(utils?|types?|helpers?|common|misc)\.tsx?$/.test(file.path)) {
    faults.push(`${file.path}: the name says nothing; name the file after what it does`);
  }
  if (file.path.startsWith('src/ports/')) {
    for (const { name, methodCount, line } of file.interfaces) {
      if (methodCount <= PORT_METHODS_MAX) continue;
      faults.push(`${file.path}:${line}: ${name} has ${methodCount} methods, at most ${PORT_METHODS_MAX}`);
    }
  }
  return faults;
}

/** Compares package.json with the record of dependencies, whose table rows begin with names and versions. */
export function dependencyFaults(packageJson: string, record: string): string[] {
  const settings = JSON.parse(packageJson) as Record<string, Record<string, string> | undefined>;
  const groups = ['dependencies', 'optionalDependencies', 'devDependencies'];
  const installed = groups.flatMap((group) =>
    Object.entries(settings[group] ?? {}).map(([name, version]) => `${name} ${version}`),
  );
  const firstCells = record.split('\n').map((line) => /^\|([^|]*)\|/.exec(line)?.[1] ?? '');
  const recorded = firstCells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)` (\d[^\s,]*)/g)].map((match) => `${match[1]!} ${match[2]!}`),
  );
  return [
    ...installed.filter((one) => !recorded.includes(one)).map((one) => `${one} is not in the record`),
    ...recorded
      .filter((one) => !installed.includes(one))
      .map((one) => `${one} is in the record and not installed`),
  ];
}

/** Spelled backwards, so that this file does not violate its own rule. */
const backwards = (text: string): string => [...text].reverse().join('');
const MARKERS = ['ODOT', 'EMXIF', 'X'.repeat(3)].map(backwards);
const NEVER = [
  ...['edualc', 'ciporhtna', 'tpgtahc', 'ianepo', 'tolipoc', 'inimeg', 'xedoc'],
  ...['mll', 'ledom egaugnal', 'tnatsissa ia', 'tnatsissa gnidoc', 'yb detareneg-ia'],
].map(backwards);
const NEVER_PATHS = ['/niam/krow/', '/derahs/krow/', 'yrarbil./krow/'].map(backwards);

const MARKER_PATTERN = new RegExp(`\\b(${MARKERS.join('|')})\\b`);
const NEVER_PATTERN = new RegExp(`\\b(${NEVER.join('|')})\\b`, 'i');

export function wordFaults({ path, text }: TextFile): string[] {
  const faults: string[] = [];
  text.split('\n').forEach((line, at) => {
    const found = MARKER_PATTERN.exec(line) ?? NEVER_PATTERN.exec(line);
    if (found !== null) faults.push(`${path}:${at + 1}: "${found[0]}" has no place in the repository`);
    const machine = NEVER_PATHS.find((one) => line.includes(one));
    if (machine !== undefined) faults.push(`${path}:${at + 1}: "${machine}" is a path of one machine`);
  });
  return faults;
}
