/**
 * The settings in effect, each with its origin: a line of the file, a variable, a flag, or the default. Secrets are
 * hidden here, so that no caller who prints the list can forget to.
 */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { HIDDEN, postgresUrlShown } from '../base/credentials.ts';
import { environmentLayer, pathLayer, SETTING_KINDS, isObject } from './layers.ts';
import { loadConfig, readFileLayer } from './config.ts';
import type { ConfigSources } from './config.ts';
import { parseSecretReference } from '../core/legacy/legacy-config.ts';

export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly line: number }
  | { readonly kind: 'variable'; readonly name: string }
  /** `path` is the setting that the flag sets. */
  | { readonly kind: 'flag'; readonly path: string }
  /** Reported by a member of the cluster that is to be joined. */
  | { readonly kind: 'cluster' };

export interface ShownSetting {
  readonly path: string;
  /** Undefined if not set and without a default. Secrets are shown as `***`. */
  readonly value: unknown;
  readonly origin: Origin;
}

/** In the order of docs/CONFIGURATION.md. Throws ConfigError like `loadConfig`. */
export function settingsInEffect(sources: ConfigSources): ShownSetting[] {
  const { config } = loadConfig(sources);
  const findOrigin = originFinder(sources);
  return Object.keys(SETTING_KINDS)
    .filter((path) => isShown(config, path))
    .flatMap((path) => {
      const value = valueAt(config, path);
      // Headers are merged one by one, so each has its own origin.
      if (path === 'legacy.headers' && isObject(value) && Object.keys(value).length > 0)
        return Object.entries(value).map(([name, text]) => one(`${path}.${name}`, text, findOrigin));
      return [one(path, value, findOrigin)];
    });
}

function one(path: string, value: unknown, findOrigin: (path: string) => Origin): ShownSetting {
  return { path, value: withoutSecrets(path, value), origin: findOrigin(path) };
}

/** A section that is `none` takes one line; any other section is shown by its settings. */
function isShown(config: object, path: string): boolean {
  const [section] = path.split('.') as [string];
  const isNone = (config as Record<string, unknown>)[section] === null;
  const isSection = path === section && ['postgres', 'legacy'].includes(section);
  return isNone === isSection;
}

function originFinder(sources: ConfigSources): (path: string) => Origin {
  const flags = sources.flags ?? {};
  const flagLayer = pathLayer(flags).layer;
  const { layer: environment, names } = environmentLayer(sources.env ?? {});
  const file = readFileLayer(sources.file, []);
  const lineOf = lineFinder(sources.file);
  return (path) => {
    // The members are those that the cluster has now, whatever the layers say.
    if (path === 'cluster.members' && sources.told !== undefined) return { kind: 'cluster' };
    if (gives(flagLayer, path)) return { kind: 'flag', path: longestPrefix(Object.keys(flags), path) };
    if (gives(environment, path))
      return { kind: 'variable', name: names.get(longestPrefix([...names.keys()], path))! };
    if (gives(file, path)) return { kind: 'file', line: lineOf(path) };
    if (gives(sources.told?.layer, path)) return { kind: 'cluster' };
    return { kind: 'default' };
  };
}

/** If a layer sets a section to `none`, it gives the section itself and nothing below it. */
function gives(layer: unknown, path: string): boolean {
  let at = layer;
  for (const name of path.split('.')) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return at !== undefined;
}

function longestPrefix(paths: readonly string[], path: string): string {
  const fitting = paths.filter((each) => path === each || path.startsWith(`${each}.`));
  return fitting.sort((a, b) => b.length - a.length)[0]!;
}

function valueAt(config: unknown, path: string): unknown {
  return path.split('.').reduce((at, name) => (isObject(at) ? at[name] : undefined), config);
}

function lineFinder(file: string | undefined): (path: string) => number {
  if (file === undefined) return () => 0;
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  return (path) => {
    const node: unknown = document.getIn(path.split('.'), true);
    const range = (node as { range?: readonly number[] | null } | undefined)?.range;
    return lines.linePos(range?.[0] ?? 0).line;
  };
}

/**
 * References to secrets are shown, because they only say where a secret is; anything that may contain one is hidden.
 */
function withoutSecrets(path: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (path.startsWith('legacy.headers.')) return parseSecretReference(value) === null ? HIDDEN : value;
  if (path === 'legacy.url') return value.replace(/([?&][^=&]+=)([^&]*)/g, hiddenUnlessKey);
  if (path === 'postgres.url') return postgresUrlShown(value);
  const isSecret = /(password|secret|token)$/i.test(path);
  return isSecret && parseSecretReference(value) === null ? HIDDEN : value;
}

function hiddenUnlessKey(_whole: string, name: string, value: string): string {
  return name + (/\{\+?key\}/.test(value) ? value : HIDDEN);
}
