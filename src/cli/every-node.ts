/**
 * All nodes of the cluster, asked one by one. The named nodes report who the members are, and members that were not
 * named are asked as well. Each node has a connection of its own, so that one that hangs holds up nobody else.
 */
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import type { CausewayClient } from '../client/index.ts';
import { NODES_DEFAULT, nodeList } from './client-command.ts';
import type { ClientOptions } from './client-command.ts';
import { asFacts, membersOf, word } from './facts.ts';
import type { Facts } from './facts.ts';

export type Told = { readonly address: string } & (
  { readonly status: Facts } | { readonly name: string; readonly fault: string }
);

/**
 * guess: the seeds are the default addresses, and one where nothing answers is ignored. named: the user named them.
 * only: other members are not asked.
 */
type Reach = 'guess' | 'named' | 'only';
type Connect = (address: string) => CausewayClient;

/** The named nodes know all members. If those know of others, these are just joining and appear at the next look. */
const ROUNDS_MAX = 2;
/** Connect timeout in milliseconds for a member that was not named: it may not be reachable from here. */
const CONNECT_TIMEOUT_MS = 2_000;

/** Of an address that was named, and is that of nobody in the cluster. */
const NO_MEMBER = 'no member has this address: is it to be left out of --nodes (CAUSEWAY_NODES)?';

export class EveryNode {
  readonly #connect: Connect;
  readonly #clients = new Map<string, CausewayClient>();
  /** The addresses that the user has named; they are always shown, whatever happens. */
  readonly #named: ReadonlySet<string>;
  readonly #rounds: number;
  #seeds: readonly string[];

  constructor(seeds: readonly string[], reach: Reach, connect: Connect) {
    this.#seeds = seeds;
    this.#named = new Set(reach === 'guess' ? [] : seeds);
    this.#rounds = reach === 'only' ? 1 : ROUNDS_MAX;
    this.#connect = connect;
  }

  /** The status of each node, sorted by name; at least one line, even if nobody answers. */
  async look(): Promise<Told[]> {
    const told = new Map<string, Told>();
    let asking = [...new Set([...this.#named, ...this.#seeds])];
    for (let round = 0; round < this.#rounds && asking.length > 0; round++) {
      const answers = await Promise.all(asking.map((address) => this.#ask(address)));
      for (const answer of answers) told.set(answer.address, answer);
      asking = strangers([...told.values()]);
    }
    const shown = this.#shown([...told.values()]);
    this.#keep(shown.map(({ address }) => address));
    return shown;
  }

  /** The client for an address that `look` has returned. */
  clientOf(address: string): CausewayClient {
    let client = this.#clients.get(address);
    if (client === undefined) this.#clients.set(address, (client = this.#connect(address)));
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #ask(address: string): Promise<Told> {
    try {
      return { address, status: asFacts(await this.clientOf(address).status(address)) };
    } catch (error) {
      return { address, name: '?', fault: reasonOf(error) };
    }
  }

  #shown(told: readonly Told[]): Told[] {
    const members = told.flatMap((each) => ('status' in each ? membersOf(each.status) : []));
    const present = members.filter(({ standing }) => standing !== 'healed');
    const nameAt = new Map(present.map(({ name, address }) => [word(address), word(name)]));
    const answered = new Set<string>();
    const shown: Told[] = [];
    for (const each of told) {
      if (!('status' in each)) continue;
      // A node that is reached at two addresses is shown once.
      const identity = `${word(each.status['clusterId'])} ${word(each.status['name'])}`;
      if (each.status['name'] !== undefined && answered.has(identity)) continue;
      answered.add(identity);
      shown.push(each);
    }
    const isSomebodyThere = shown.length > 0;
    for (const each of told) {
      if ('status' in each) continue;
      const name = nameAt.get(each.address);
      if (name !== undefined && shown.some((other) => nameOf(other) === name)) continue;
      if (name === undefined && isSomebodyThere && !this.#named.has(each.address)) continue;
      const isNobodys = name === undefined && present.length > 0;
      const fault = isNobodys ? `${each.fault}; ${NO_MEMBER}` : each.fault;
      shown.push({ ...each, fault, name: name ?? '?' });
    }
    return shown.sort((a, b) => byName(nameOf(a), nameOf(b)));
  }

  /** The next look begins with these addresses; connections to others are closed. */
  #keep(addresses: readonly string[]): void {
    if (addresses.length > 0) this.#seeds = addresses;
    for (const [address, client] of this.#clients) {
      if (addresses.includes(address) || this.#named.has(address)) continue;
      client.close();
      this.#clients.delete(address);
    }
  }
}

/** Members that were not asked yet, neither by address nor by name. */
function strangers(told: readonly Told[]): string[] {
  const asked = new Set(told.map(({ address }) => address));
  const names = new Set(told.flatMap((each) => ('status' in each ? [word(each.status['name'])] : [])));
  const found = new Set<string>();
  for (const each of told) {
    if (!('status' in each)) continue;
    for (const member of membersOf(each.status)) {
      const address = member['address'];
      const isHealed = member['standing'] === 'healed';
      if (typeof address !== 'string' || isHealed || asked.has(address) || names.has(word(member['name'])))
        continue;
      found.add(address);
    }
  }
  return [...found];
}

export function nameOf(told: Told): string {
  return 'status' in told ? word(told.status['name']) : told.name;
}

/** Sorts node-10 after node-9. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

export interface EveryNodeOptions extends ClientOptions {
  readonly only?: boolean;
}

export function addOnlyOption(command: Command): Command {
  return command.option('--only', 'ask only the nodes that are named, not all members of their cluster');
}

/** Runs `work` with access to all nodes of the cluster. */
export async function withEveryNode(
  options: EveryNodeOptions,
  work: (nodes: EveryNode) => Promise<void>,
): Promise<void> {
  const { connect } = await import('../client/index.ts');
  const seeds = nodeList(options.nodes);
  const reach = options.only === true ? 'only' : options.nodes === NODES_DEFAULT ? 'guess' : 'named';
  const nodes = new EveryNode(seeds, reach, (address) =>
    connect({
      nodes: [address],
      timeoutMs: options.timeout,
      connectTimeoutMs: Math.min(options.timeout, CONNECT_TIMEOUT_MS),
    }),
  );
  try {
    await work(nodes);
  } finally {
    nodes.close();
  }
}
