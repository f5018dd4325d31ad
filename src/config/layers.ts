/**
 * Settings given as text, in environment variables and flags, by the path of the setting: `grpc.port` is
 * CAUSEWAY_GRPC_PORT, `cluster.ownersMin` is CAUSEWAY_CLUSTER_OWNERS_MIN. DATABASE_URL and LEGACY_URL are read because
 * other tools set them too.
 */

import { nearest } from '../base/nearest.ts';

type Kind = 'text' | 'number' | 'boolean' | 'json' | 'members';

/** Every setting that fits into one text. Headers and routes are easier to write in a file, but JSON works here. */
export const SETTING_KINDS: Readonly<Record<string, Kind>> = {
  'cluster.name': 'text',
  'cluster.members': 'members',
  'cluster.replicas': 'number',
  'cluster.ownersMin': 'number',
  'cluster.healAfterMs': 'number',
  'cluster.slowAfterMs': 'number',
  'node.name': 'text',
  'node.dataDir': 'text',
  'node.weight': 'number',
  'node.address': 'text',
  'node.zone': 'text',
  'node.host': 'text',
  'node.join': 'text',
  'node.replace': 'text',
  'grpc.host': 'text',
  'grpc.port': 'number',
  'http.host': 'text',
  'http.port': 'number',
  'http.address': 'text',
  'resp.host': 'text',
  'resp.port': 'number',
  'resp.address': 'text',
  'resp.password': 'text',
  'resp.members': 'members',
  'resp.mayFlush': 'boolean',
  'resp.idleMsMax': 'number',
  'resp.connectionsMax': 'number',
  postgres: 'text',
  'postgres.url': 'text',
  'postgres.compat': 'text',
  'postgres.statementTimeoutMs': 'number',
  'postgres.connectTimeoutMs': 'number',
  legacy: 'text',
  'legacy.url': 'text',
  'legacy.headers': 'json',
  'legacy.value': 'text',
  'legacy.echo': 'text',
  'legacy.trustedEscapes': 'text',
  'legacy.timeoutMs': 'number',
  'legacy.concurrencyMax': 'number',
  routes: 'json',
  'copy.bytesPerSecondMax': 'number',
  'scrub.recordsPerSecondMax': 'number',
  'scrub.bytesPerSecondMax': 'number',
  'scrub.pauseMs': 'number',
  'record.outage': 'text',
  'record.readyNeedsIt': 'boolean',
  'record.spoolBytesMax': 'number',
  'record.spoolEntriesMax': 'number',
  'disk.reserveBytes': 'number',
  'disk.reserveShareMax': 'number',
  'tombstones.keepMs': 'number',
  'cache.bytes': 'number',
  'limits.valueBytesMax': 'number',
  'limits.delayMsMax': 'number',
  'network.insecure': 'boolean',
  'network.dial': 'members',
  'metrics.enabled': 'boolean',
  'log.level': 'text',
  'log.keys': 'text',
  'log.slowMs': 'number',
  'log.slowPerSecondMax': 'number',
  'shutdown.graceMs': 'number',
};

/** The path of the first system's legacy API below its base URL. */
const LEGACY_PATH = '/legacy/data/{key}';
const PREFIX = 'CAUSEWAY_';
/** Variables of the command line's client commands, which are therefore no mistake. */
const OTHER_VARIABLES = new Set(['CAUSEWAY_NODES']);

export function variableOf(path: string): string {
  return PREFIX + path.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase();
}

export function environmentLayer(env: Readonly<Record<string, string | undefined>>): {
  layer: Record<string, unknown>;
  warnings: string[];
  /** The variable that gave each setting, by path. */
  names: ReadonlyMap<string, string>;
} {
  const layer: Record<string, unknown> = {};
  const warnings: string[] = [];
  const names = new Map<string, string>();
  const paths = new Map(Object.keys(SETTING_KINDS).map((path) => [variableOf(path), path]));
  if (isGiven(env.DATABASE_URL)) {
    names.set('postgres', 'DATABASE_URL');
    place(
      layer,
      'postgres',
      noneOr(env.DATABASE_URL, (url) => ({ url })),
    );
  }
  if (isGiven(env.LEGACY_URL)) {
    names.set('legacy', 'LEGACY_URL');
    place(
      layer,
      'legacy',
      noneOr(env.LEGACY_URL, (url) => ({ url: legacyTemplate(url) })),
    );
  }
  for (const [variable, text] of Object.entries(env)) {
    if (!isForSettings(variable, text)) continue;
    const path = paths.get(variable);
    if (path === undefined) {
      const meant = nearest(variable, paths.keys());
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      warnings.push(`the environment variable ${variable} is no setting and is ignored${hint}`);
    } else {
      names.set(path, variable);
      place(layer, path, valueOf(path, text));
    }
  }
  return { layer, warnings, names };
}

/** Whether the variable is meant for the settings, even if no such setting exists. */
export function isForSettings(variable: string, text: string | undefined): text is string {
  if (!variable.startsWith(PREFIX) || OTHER_VARIABLES.has(variable) || !isGiven(text)) return false;
  // Kubernetes and Docker describe neighbouring services in such variables: CAUSEWAY_GRPC_PORT=tcp://10.0.0.7:50051.
  return !/^(tcp|udp|sctp):\/\//.test(text) && !/_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_/.test(variable);
}

/** Says so, and which setting was probably meant. */
export function noSuchSetting(path: string): string {
  const settings = Object.keys(SETTING_KINDS);
  const sections = settings.map((each) => each.split('.')[0]!);
  const meant = nearest(path, [...settings, ...sections]);
  return `${path}: there is no such setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

export function pathLayer(texts: Readonly<Record<string, string>>): {
  layer: Record<string, unknown>;
  faults: string[];
} {
  const layer: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [path, text] of Object.entries(texts)) {
    if (Object.hasOwn(SETTING_KINDS, path)) place(layer, path, valueOf(path, text));
    else faults.push(noSuchSetting(path));
  }
  return { layer, faults };
}

/** Appends the path of the first system's legacy API to a base URL; a template is taken as it is. */
function legacyTemplate(url: string): string {
  return url.includes('{') ? url : url.replace(/\/+$/, '') + LEGACY_PATH;
}

/** An empty variable counts as not given: Compose files pass on unset variables as ''. */
function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function noneOr(text: string, section: (text: string) => object): unknown {
  return text === 'none' ? text : section(text);
}

/** Text that cannot be parsed is kept as it is, so that validation refuses it under its path. */
function valueOf(path: string, text: string): unknown {
  switch (SETTING_KINDS[path]!) {
    case 'text':
      return text;
    case 'number':
      return /^-?\d{1,30}(\.\d{1,30})?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return { true: true, false: false, 1: true, 0: false }[text] ?? text;
    case 'json':
      return jsonOr(text);
    case 'members':
      return text.trimStart().startsWith('[') ? jsonOr(text) : membersOf(text);
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `a=10.0.0.1:50051,b=10.0.0.2:50051` */
function membersOf(text: string): object[] {
  return text.split(',').map((member) => {
    const equals = member.indexOf('=');
    if (equals < 0) return { name: member.trim() };
    return { name: member.slice(0, equals).trim(), address: member.slice(equals + 1).trim() };
  });
}

function place(layer: Record<string, unknown>, path: string, value: unknown): void {
  const [section, member] = path.split('.') as [string, string | undefined];
  if (member === undefined) {
    layer[section] = value;
    return;
  }
  const before = layer[section];
  layer[section] = { ...(typeof before === 'object' ? before : {}), [member]: value };
}

/** Objects are merged member by member; any other value of a later layer replaces the earlier one. */
export function mergeLayers(earlier: unknown, later: unknown): unknown {
  if (!isObject(earlier) || !isObject(later)) return later;
  const merged: Record<string, unknown> = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    merged[key] = Object.hasOwn(earlier, key) ? mergeLayers(earlier[key], value) : value;
  }
  return merged;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
