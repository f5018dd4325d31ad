/**
 * What a process learns before it joins a cluster: name, settings and members, as one member reports them or, if none
 * answers, as they were when it joined before. (DESIGN 3)
 */
import * as fs from 'node:fs';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../base/replace-file.ts';
import type { ClusterFacts } from '../client/index.ts';
import type { ClusterTold } from '../config/join.ts';
import { settingText } from '../wire/handshake.ts';

const FILE = 'joined.json';
const TIMEOUT_MS = 5_000;
/** Timeout for a founder, which goes on without an answer: at the first start nobody can give one. */
const FOUNDER_TIMEOUT_MS = 2_000;

export interface JoinedCluster {
  readonly facts: ClusterFacts;
  readonly told: ClusterTold;
}

/** Nobody at that address tells of a cluster now; the message is for the operator. */
export class SilentMember extends Error {}

/**
 * Throws a `SilentMember` if nobody answers and nothing was learnt before. `dataDir` is null for a founder, which saves
 * nothing.
 */
export async function learnCluster(address: string, dataDir: string | null): Promise<JoinedCluster> {
  const { connect, CausewayError } = await import('../client/index.ts');
  const client = connect({
    nodes: [address],
    timeoutMs: dataDir === null ? FOUNDER_TIMEOUT_MS : TIMEOUT_MS,
  });
  try {
    const facts = await client.describe();
    return { facts, told: toldBy(facts) };
  } catch (error) {
    if (!(error instanceof CausewayError)) throw error;
    const path = dataDir === null ? '' : join(dataDir, FILE);
    if (path !== '' && existsSync(path)) {
      const facts = JSON.parse(readFileSync(path, 'utf8')) as ClusterFacts;
      return { facts, told: toldBy(facts) };
    }
    throw new SilentMember(`the member at ${address} does not tell of its cluster: ${error.message}`, {
      cause: error,
    });
  } finally {
    client.close();
  }
}

/** To be called once the directory is this node's own. */
export function keepCluster(dataDir: string, facts: ClusterFacts): void {
  replaceFile({ ...fs, dirname }, join(dataDir, FILE), `${JSON.stringify(facts)}\n`);
}

/** Why the cluster would not let this process in; undefined if it would. */
export function whyNotJoin(
  facts: ClusterFacts,
  name: string,
  replaces: string | undefined,
  isKnown: boolean,
): string | undefined {
  const same = facts.members.find((member) => member.name === name);
  if (same?.alive === true && !isKnown) return `a member named ${name} is alive: choose another name`;
  if (replaces === undefined || same !== undefined) return undefined;
  const lost = facts.members.find((member) => member.name === replaces);
  if (lost === undefined) return `there is no member named ${replaces} to replace`;
  return lost.alive ? `${replaces} is alive: it is not replaced while it is` : undefined;
}

/**
 * The first setting in which the process differs from the cluster and for which it would be refused; undefined if there
 * is none.
 */
export function whatDiffers(
  { clusterName, settings }: ClusterFacts,
  own: Readonly<Record<string, string>>,
  name: string,
): string | undefined {
  const theirs = new Map(settings.map((each) => [each.name, each.value]));
  const shown = (value: string | undefined): string => (value === undefined ? 'nothing' : `'${value}'`);
  for (const setting of new Set([...theirs.keys(), ...Object.keys(own)].sort())) {
    const there = theirs.get(setting);
    const here = own[setting];
    if (here === there) continue;
    const hint =
      setting === 'legacy' ? '; compare the three with those of a member (causeway config show)' : '';
    return `setting ${settingText(setting)}: ${shown(there)} in the cluster ${clusterName}, ${shown(here)} at ${name}${hint}`;
  }
  return undefined;
}

/** Whether a node in this directory has joined before. */
export function hasJoined(dataDir: string): boolean {
  return existsSync(join(dataDir, FILE));
}

function toldBy(facts: ClusterFacts): ClusterTold {
  const settings = new Map(facts.settings.map(({ name, value }) => [name, value]));
  const number = (name: string): Record<string, number> => {
    const value = Number(settings.get(name));
    return Number.isFinite(value) ? { [name.split('.')[1]!]: value } : {};
  };
  const routes = (JSON.parse(`[${settings.get('routes') ?? ''}]`) as [string, boolean][]).map(
    ([prefix, writeThrough]) => ({ prefix, writeThrough }),
  );
  return {
    layer: {
      cluster: { name: facts.clusterName, ...number('cluster.replicas'), ...number('cluster.ownersMin') },
      limits: number('limits.valueBytesMax'),
      routes,
    },
    members: facts.members.map(({ name, address }) => ({ name, address })),
  };
}
