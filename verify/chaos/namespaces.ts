/**
 * Separate hosts for nodes on one Linux machine: a network namespace each, connected by a router in another one. So
 * nodes exchange packets on a wire that can be cut in one direction, while connections stay open. Packets that are cut
 * off are routed to nowhere; this only needs `ip`.
 *
 * Names include the process that created them. Everything is removed by `close`, with the process, or, if that was
 * killed, by the next process that creates some.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { reasonOf } from '../../src/base/reason-of.ts';
import type { Place } from '../../test/support/cluster.ts';

const PREFIX = 'causeway';
const FOLDER = '/var/run/netns';
/** Networks 10.213.0 to 10.213.255, whichever is not in use on this machine. */
const NETWORKS = '10.213';
const NETWORK_COUNT = 256;
const ROUTER_HOST = 254;
const OUTSIDE_HOST = 253;
/** Numbers of routing tables and rules begin here. */
const TABLE_FIRST = 1_000;
const QUIET =
  'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6';

export class Namespaces {
  /** How many this process has made, over all networks. */
  private static made = 0;
  /** The address of the outside world as nodes see it: servers that they must reach listen there. */
  readonly outside: string;
  private readonly name: string;
  private readonly network: string;
  private readonly places = new Map<string, { readonly place: Place; readonly link: string }>();
  private cuts = 0;
  private readonly onExit = (): void => this.close();

  /** Why this is not possible on this machine; null if it is. */
  static whyNot(): string | null {
    if (process.platform !== 'linux') return 'network namespaces are made on Linux only';
    if (process.getuid?.() !== 0) return 'making network namespaces needs root';
    for (const tool of ['ip', 'nsenter']) {
      if (!isInstalled(tool)) return `network namespaces are made by ${tool}, which is not installed`;
    }
    try {
      const trial = new Namespaces();
      try {
        trial.add('trial');
        trial.cut([['trial', 'trial']])();
      } finally {
        trial.close();
      }
      return null;
    } catch (error) {
      return `this machine lets nobody make network namespaces (${firstLineOf(error)})`;
    }
  }

  constructor() {
    removeStale();
    Namespaces.made += 1;
    const { pid } = process;
    this.name = `${PREFIX}-${pid}-${startOf(pid)}-${Namespaces.made}`;
    this.network = freeNetwork(pid + Namespaces.made);
    this.outside = `${this.network}.${OUTSIDE_HOST}`;
    process.once('exit', this.onExit);
    try {
      this.build();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  add(node: string): Place {
    const known = this.places.get(node);
    if (known !== undefined) return known.place;
    const number = this.places.size + 1;
    const [namespace, link, host] = [`${this.name}-n${number}`, `n${number}`, `${this.network}.${number}`];
    ip([
      `netns add ${namespace}`,
      `link add ${link} netns ${this.router} type veth peer name eth0 netns ${namespace}`,
    ]);
    inside(namespace, QUIET);
    const gateway = `${this.network}.${ROUTER_HOST}`;
    ipIn(namespace, [
      'link set lo up',
      `address add ${host}/32 dev eth0`,
      'link set eth0 up',
      `route add ${gateway} dev eth0`,
      `route add default via ${gateway}`,
    ]);
    ipIn(this.router, [
      `address add ${gateway}/32 dev ${link}`,
      `link set ${link} up`,
      `route add ${host} dev ${link}`,
    ]);
    const place = { host, command: ['nsenter', `--net=${join(FOLDER, namespace)}`] };
    this.places.set(node, { place, link });
    return place;
  }

  /**
   * From now on packets of exactly these ways vanish. The returned function ends that, and returns how many did. Ways
   * between nodes that have no place here are not affected.
   */
  cut(ways: readonly (readonly [from: string, to: string])[]): () => number {
    this.cuts += 1;
    const [sink, table] = [`s${this.cuts}`, TABLE_FIRST + this.cuts];
    const rules = ways.flatMap(([from, to]) => {
      const [ours, theirs] = [this.places.get(from), this.places.get(to)];
      if (ours === undefined || theirs === undefined) return [];
      return [`iif ${ours.link} to ${theirs.place.host} lookup ${table} priority ${table}`];
    });
    ip([`link add ${sink} netns ${this.router} type veth peer name p${sink} netns ${this.nowhere}`]);
    ipIn(this.nowhere, [`link set p${sink} up`]);
    // Without ARP, nobody is asked whether they accept what is sent there.
    ipIn(this.router, [
      `link set ${sink} arp off`,
      `link set ${sink} up`,
      `route add default dev ${sink} table ${table}`,
      ...rules.map((rule) => `rule add ${rule}`),
    ]);
    let isEnded = false;
    return () => {
      if (isEnded) return 0;
      isEnded = true;
      const packets = this.packetsInto(sink);
      ipIn(this.router, [...rules.map((rule) => `rule delete ${rule}`), `link delete ${sink}`]);
      return packets;
    };
  }

  /** Processes in it must have ended. Calling it twice has no effect. */
  close(): void {
    process.off('exit', this.onExit);
    // It would be removed with the router, but the kernel takes its time for that.
    if (existsSync(`/sys/class/net/${this.link}`)) ip([`link delete ${this.link}`]);
    remove(namespaces().filter((name) => name === this.name || name.startsWith(`${this.name}-`)));
  }

  private get router(): string {
    return `${this.name}-router`;
  }

  /** The outer end of the router's wire. */
  private get link(): string {
    return `cw${this.network.split('.')[2]!}`;
  }

  /** Where packets go that are cut off. */
  private get nowhere(): string {
    return `${this.name}-nowhere`;
  }

  private build(): void {
    const { outside, router, network } = this;
    const gateway = `${network}.${ROUTER_HOST}`;
    const { link } = this;
    ip([
      `netns add ${router}`,
      `netns add ${this.nowhere}`,
      `link add ${link} type veth peer name outside netns ${router}`,
    ]);
    inside(this.nowhere, QUIET);
    inside(router, `${QUIET}; echo 1 > /proc/sys/net/ipv4/ip_forward`);
    ipIn(router, [
      'link set lo up',
      `address add ${gateway}/32 dev outside`,
      'link set outside up',
      `route add ${outside} dev outside`,
    ]);
    ip([
      `address add ${outside}/32 dev ${link}`,
      `link set ${link} up`,
      `route add ${gateway} dev ${link} src ${outside}`,
      `route add ${network}.0/24 via ${gateway} dev ${link} src ${outside}`,
    ]);
  }

  private packetsInto(link: string): number {
    const text = execFileSync('ip', ['-n', this.router, '-s', '-j', 'link', 'show', 'dev', link], {
      encoding: 'utf8',
    });
    const [told] = JSON.parse(text) as { stats64: { tx: { packets: number; dropped: number } } }[];
    return told!.stats64.tx.packets + told!.stats64.tx.dropped;
  }
}

function ip(commands: readonly string[]): void {
  run(['-batch', '-'], commands);
}

function ipIn(namespace: string, commands: readonly string[]): void {
  run(['-n', namespace, '-batch', '-'], commands);
}

function run(words: readonly string[], commands: readonly string[]): void {
  execFileSync('ip', words, { input: `${commands.join('\n')}\n`, stdio: ['pipe', 'pipe', 'pipe'] });
}

function inside(namespace: string, command: string): void {
  execFileSync('nsenter', [`--net=${join(FOLDER, namespace)}`, 'sh', '-c', command], { stdio: 'pipe' });
}

function namespaces(): string[] {
  const text = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

/** Everything attached to them, including the links to the outside, goes with them. */
function remove(names: readonly string[]): void {
  if (names.length > 0) ip(names.map((name) => `netns delete ${name}`));
}

/** Removes what was left by processes that were killed before they could clean up. */
function removeStale(): void {
  remove(
    namespaces().filter((name) => {
      const [, pid, start] = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-`).exec(name) ?? [];
      return pid !== undefined && startOf(Number(pid)) !== start;
    }),
  );
}

/**
 * When a process began, in the kernel's own count; '' if there is none. A process id may be reused, but not together
 * with this.
 */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19]!;
  } catch {
    return '';
  }
}

function freeNetwork(first: number): string {
  const routes = execFileSync('ip', ['-4', 'route', 'show', 'table', 'all'], { encoding: 'utf8' });
  for (let tried = 0; tried < NETWORK_COUNT; tried += 1) {
    const network = `${NETWORKS}.${(first + tried) % NETWORK_COUNT}`;
    if (!routes.includes(`${network}.`)) return network;
  }
  throw new Error(`every network of ${NETWORKS}.0.0/16 is in use here`);
}

function isInstalled(tool: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, tool)));
}

function firstLineOf(error: unknown): string {
  const { stderr } = error as { stderr?: Buffer };
  const text = stderr?.toString() || reasonOf(error);
  return text.trim().split('\n')[0]!;
}
