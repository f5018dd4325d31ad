/**
 * Who may import whom: the table in STYLE as code. A rule lists, for each part of the repository, the parts that it may
 * depend on. Everything else is forbidden, so a new folder must be added here first.
 */
import { isTestFile } from './places.ts';
import type { ImportFact, SourceFacts } from './source-facts.ts';

interface Layer {
  /** Parts it may import, besides itself. A full path stands for one file, one that ends in '/' for a folder. */
  readonly may: readonly string[];
  /** Packages it may import: named ones, or all. */
  readonly packages: readonly string[] | 'all';
  /** Its imports must vanish at run time. */
  readonly typesOnly?: boolean;
}

const RULES = ['core', 'base'];
const FLOWS = ['node', 'ports', 'wire', ...RULES];
/** What a door may know of a node: its calls, whether it serves, and the trace of a call. */
const API = [
  'src/node/api.ts',
  'src/node/cluster-orders.ts',
  'src/node/status.ts',
  'src/node/readiness.ts',
  'src/ports/tracing.ts',
];

/** Where settings, adapters, the node and its doors meet. */
const MEETING_PLACE = ['adapters/*', 'servers/*', 'config', ...FLOWS, 'gen'];

const PAGE_PACKAGES = ['preact', 'preact/hooks', '@preact/signals', 'uplot'];

/** The rules that a caller must know too: what may be asked, and how it can fail. */
const CALLER_RULES = [
  'src/core/errors.ts',
  'src/core/limits.ts',
  'src/core/clients/grpc-limits.ts',
  'src/core/clients/http-limits.ts',
  'src/core/clients/check-key.ts',
  'src/core/clients/door-address.ts',
  'src/core/legacy/retry-budget.ts',
];

/** What `causeway doctor` must do exactly as a node does: ask a legacy API, and interpret its answer. */
const LEGACY_RULES = [
  'src/core/legacy/legacy-answer.ts',
  'src/core/legacy/legacy-config.ts',
  'src/core/legacy/legacy-url.ts',
  'src/core/legacy/json-slice.ts',
];

/** And recognise a database as a node does. */
const RECORD_RULES = ['src/core/system-of-record/record-dialect.ts'];

/** `adapters/*` and `servers/*`: each folder below is a separate part, so that they cannot import each other. */
const LAYERS: Readonly<Record<string, Layer>> = {
  base: { may: [], packages: [] },
  core: { may: ['base'], packages: [] },
  wire: { may: [...RULES, 'gen'], packages: ['protobufjs/minimal.js'] },
  ports: { may: ['core'], packages: [], typesOnly: true },
  node: { may: ['ports', 'wire', ...RULES], packages: [] },
  'adapters/*': { may: ['ports', 'wire', ...RULES, 'gen'], packages: 'all' },
  'servers/*': { may: [...API, 'wire', ...RULES, 'gen'], packages: 'all' },
  supervisor: { may: ['base', 'config'], packages: 'all' },
  client: {
    may: ['base', 'wire', 'gen', ...CALLER_RULES],
    packages: 'all',
  },
  cli: {
    may: ['client', 'base', 'wire', 'gen', ...CALLER_RULES, ...LEGACY_RULES, ...RECORD_RULES, 'config'],
    packages: 'all',
  },
  config: { may: RULES, packages: 'all' },
  gen: { may: [], packages: 'all' },
  process: { may: MEETING_PLACE, packages: 'all' },
  main: { may: ['process', ...MEETING_PLACE], packages: 'all' },
  // The hash of a running node, for figures that must equal those of a real one; it uses no clock and no randomness.
  sim: { may: FLOWS, packages: ['xxhash-wasm'] },
  // Runs in a browser: of a node it knows only what it is told.
  page: { may: ['src/servers/http/live-shape.ts'], packages: PAGE_PACKAGES },
  // Judges from outside, by what a client, a database and a list of processes can see.
  verify: {
    may: ['client', 'supervisor', 'wire', ...RULES, 'src/node/status.ts', 'sim/checkers/', 'test/support/'],
    packages: 'all',
  },
};

/**
 * Of the commands, only those that start things may import nodes and the supervisor: `node`, `up`, and the two programs
 * that `up` starts beside the nodes.
 */
const STARTERS = /^src\/cli\/((node|up)(-[a-z-]+)?|guard|legacy-sample)\.ts$/;
const PARTS_WITH_PARTS = new Set(['adapters', 'servers']);
const FREE = /^(test|bench|scripts)\//;

/** The part of the repository that a file belongs to; undefined if no rule applies. */
export function partOf(path: string): string | undefined {
  if (/^(sim|verify|page)\//.test(path)) return path.split('/')[0];
  const below = /^src\/(.+)$/.exec(path)?.[1];
  if (below === undefined) return undefined;
  const [first, second, third] = below.split('/');
  if (second === undefined) return first!.replace(/\.[a-z.]+$/, '');
  return PARTS_WITH_PARTS.has(first!) && third !== undefined ? `${first!}/${second}` : first!;
}

export function layerFaults(files: readonly SourceFacts[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    if (isTestFile(file.path) || FREE.test(file.path)) continue;
    const part = partOf(file.path);
    if (part === undefined) continue;
    const layer = layerOf(part);
    if (layer === undefined) {
      faults.push(`${file.path}: no layer is known for this folder; add it to test/tidy/layers.ts`);
      continue;
    }
    for (const one of file.imports) {
      const fault = importFault(file.path, part, layer, one);
      if (fault !== undefined) faults.push(`${file.path}:${one.line}: ${fault}`);
    }
  }
  return faults;
}

function importFault(path: string, part: string, layer: Layer, one: ImportFact): string | undefined {
  if (one.target === undefined) return packageFault(layer, one.specifier);
  const { target } = one;
  if (layer.may.some((may) => may.endsWith('/') && target.startsWith(may))) return undefined;
  const to = partOf(target);
  if (to === undefined || isTestFile(one.target))
    return `must not import ${one.target}: tests and tools stay outside`;
  if (layer.typesOnly === true && !one.typeOnly) return `must import types only (import type): ${one.target}`;
  if (to === part) return undefined;
  if (STARTERS.test(path) && (to === 'main' || to === 'supervisor')) return undefined;
  const allowed = layer.may.some(
    (may) => may === to || may === one.target || may === `${to.split('/')[0]}/*`,
  );
  return allowed ? undefined : `${part} must not import ${to} (${one.target})`;
}

function packageFault(layer: Layer, specifier: string): string | undefined {
  if (layer.packages === 'all' || specifier.startsWith('node:')) return undefined;
  return layer.packages.includes(specifier) ? undefined : `must not import the package ${specifier}`;
}

function layerOf(part: string): Layer | undefined {
  return LAYERS[part] ?? LAYERS[`${part.split('/')[0]!}/*`];
}
