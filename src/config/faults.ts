/**
 * What is wrong with the settings: what the schema reports (config.ts), and settings that contradict each other. Each
 * fault names the path of its setting and never a value, which may be a secret. One malformed setting does not hide the
 * faults among the others.
 */
import type { z } from 'zod';
import type { Config } from './config.ts';
import { isObject, noSuchSetting } from './layers.ts';
import { isLoopback } from '../core/clients/door-address.ts';

export function faultsOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => noSuchSetting(path === '' ? key : `${path}.${key}`));
  }
  if (path === 'postgres' && issue.input === undefined) {
    return [
      'postgres.url: is missing. Give it (or DATABASE_URL), or `postgres: none` to keep records on the nodes alone',
    ];
  }
  if (issue.input === undefined && issue.code === 'invalid_type') return [`${path}: is missing`];
  return [`${path}: ${issue.message}`];
}

/**
 * Values for required settings that are missing or malformed, so that the rest can be checked. They are never compared
 * with anything.
 */
const STAND_INS: readonly (readonly [section: string, member: string | null, value: unknown])[] = [
  ['cluster', 'members', [{ name: 'x', address: 'x:1' }]],
  ['node', 'name', 'x'],
  ['node', 'dataDir', 'x'],
  ['postgres', 'url', 'postgres://x/x'],
  ['postgres', null, null],
  ['legacy', 'url', 'http://x/{key}'],
];

/** `isKnown`: whether the setting has the value that was given, or its default. */
export function wellFormed(
  issues: readonly z.core.$ZodIssue[],
  merged: unknown,
): { readonly given: unknown; readonly isKnown: (path: string) => boolean } {
  const unknown = new Set<string>();
  const given: Record<string, unknown> = isObject(merged) ? { ...merged } : {};
  for (const [name, section] of Object.entries(given)) if (isObject(section)) given[name] = { ...section };
  const drop = (name: string, member: string | undefined): void => {
    const section = given[name];
    if (member === undefined || !isObject(section)) {
      unknown.add(name);
      delete given[name];
    } else {
      unknown.add(`${name}.${member}`);
      delete section[member];
    }
  };
  for (const issue of issues) {
    const [name, member] = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') {
      if (name !== undefined) drop(name, member);
    } else if (name === undefined) for (const key of issue.keys) delete given[key];
    else if (member === undefined) for (const key of issue.keys) drop(name, key);
    else drop(name, member);
  }
  for (const [name, member, value] of STAND_INS) standIn(given, name, member, value);
  return { given, isKnown: (path) => !unknown.has(path) && !unknown.has(path.split('.')[0]!) };
}

/**
 * The sections `cluster` and `node` are always created; an optional section, or one that may be `none`, is only
 * completed.
 */
function standIn(given: Record<string, unknown>, name: string, member: string | null, value: unknown): void {
  if (member === null) {
    if (given[name] === undefined) given[name] = value;
    return;
  }
  const isNeeded = name === 'cluster' || name === 'node';
  if (given[name] === undefined && isNeeded) given[name] = {};
  const section = given[name];
  if (isObject(section) && section[member] === undefined) section[member] = value;
}

/** Faults between settings. `isKnown` says whether a setting may be compared. */
export function crossFaults(config: Config, isKnown: (path: string) => boolean = () => true): string[] {
  const { cluster, node, network, routes } = config;
  const faults: string[] = [];
  const { members } = cluster;
  /** Reports a fault between these settings. */
  const tell = (paths: readonly string[], fault: string): void => {
    if (paths.every(isKnown)) faults.push(fault);
  };
  for (const repeated of repeats(members.map((member) => member.name)))
    tell(['cluster.members'], `cluster.members: two are named ${repeated}`);
  for (const repeated of repeats(members.map((member) => member.address)))
    tell(['cluster.members'], `cluster.members: two have the address ${repeated}`);
  if (!members.some((member) => member.name === node.name))
    tell(
      ['cluster.members', 'node.name'],
      `node.name: ${node.name} is none of cluster.members; one that joins a running cluster, or once joined it, is started with node.join`,
    );
  for (const repeated of repeats(config.resp.members.map((member) => member.name)))
    tell(['resp.members'], `resp.members: two are named ${repeated}`);
  for (const repeated of repeats(network.dial.map((way) => way.name)))
    tell(['network.dial'], `network.dial: two are named ${repeated}`);
  if (cluster.ownersMin > cluster.replicas)
    tell(['cluster.ownersMin', 'cluster.replicas'], 'cluster.ownersMin: is more than cluster.replicas');
  if (cluster.ownersMin > members.length)
    tell(
      ['cluster.ownersMin', 'cluster.members'],
      `cluster.ownersMin: is more than the ${members.length} of cluster.members: no write could succeed`,
    );
  for (const repeated of repeats(routes.map((route) => route.prefix)))
    tell(['routes'], `routes: two have the prefix ${JSON.stringify(repeated)}`);
  for (const door of network.insecure ? [] : openDoors(config))
    tell(
      ['network.insecure', `${door}.host`],
      `${door}.host: is reachable from outside, without encryption or passwords; set network.insecure to allow it`,
    );
  return faults;
}

/** The doors that are reachable from other machines. */
export function openDoors(config: Config): ('grpc' | 'http' | 'resp')[] {
  return (['grpc', 'http', 'resp'] as const).filter((door) => {
    return config[door].port !== undefined && !isLoopback(config[door].host);
  });
}

function repeats(texts: readonly string[]): Set<string> {
  return new Set(texts.filter((text, at) => texts.indexOf(text) !== at));
}

/** Descriptions of common errors. The library's own messages may quote the text of the file. */
const YAML_REASONS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'it is indented too little or too much, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a value, and below it lines that are indented as its parts',
  DUPLICATE_KEY: 'a setting stands there twice',
  MISSING_CHAR: 'a quote, a bracket, a comma or a colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a name is missing its colon, or a quote its end',
  TAB_AS_INDENT: 'a tab indents it: take spaces',
  UNEXPECTED_TOKEN: 'something stands there that does not belong there',
};

/** For example `: a tab indents it: take spaces (TAB_AS_INDENT)` */
export function yamlReason(code: string): string {
  return Object.hasOwn(YAML_REASONS, code) ? `: ${YAML_REASONS[code]!} (${code})` : ` (${code})`;
}
