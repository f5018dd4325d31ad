/**
 * The wires of a cluster that was started for the run: members dial each other, and PostgreSQL, through fault proxies,
 * one for each pair, so that every direction of every pair has its own weather. Bytes from one member to another are
 * the same direction, whoever dialled. Clients reach the nodes directly: a node that is cut off must not answer them
 * wrongly.
 */
import { Direction, type Toll, type Weather } from './direction.ts';
import { FaultProxy, type Target } from './fault-proxy.ts';
import { DATABASE, sumOf, type Way, type Wires } from './wires.ts';

export interface WiredNode {
  readonly name: string;
  readonly address: string;
}

export class FaultNetwork implements Wires {
  readonly told = 'connections through proxies';
  /** Members dial by settings that they were started with. */
  readonly takesNewcomers = false;
  readonly names: readonly string[];
  private readonly databaseUrl: string;
  private readonly random: () => number;
  private readonly directions = new Map<string, Direction>();
  private readonly members = new Map<string, FaultProxy>();
  private readonly databases = new Map<string, FaultProxy>();

  static async start(
    nodes: readonly WiredNode[],
    databaseUrl: string,
    random: () => number,
  ): Promise<FaultNetwork> {
    const network = new FaultNetwork(nodes, databaseUrl, random);
    const { hostname, port } = new URL(databaseUrl);
    const database = { host: hostname, port: Number(port) };
    for (const caller of nodes) {
      for (const called of nodes) {
        if (caller === called) continue;
        const proxy = await network.proxy(targetOf(called.address), caller.name, called.name);
        network.members.set(wayName([caller.name, called.name]), proxy);
      }
      network.databases.set(caller.name, await network.proxy(database, caller.name, DATABASE));
    }
    return network;
  }

  private constructor(nodes: readonly WiredNode[], databaseUrl: string, random: () => number) {
    this.names = nodes.map(({ name }) => name);
    this.databaseUrl = databaseUrl;
    this.random = random;
  }

  /** The setting `network.dial` of a member. */
  dialOf(caller: string): { name: string; address: string }[] {
    return this.names
      .filter((name) => name !== caller)
      .map((name) => ({ name, address: `127.0.0.1:${this.members.get(wayName([caller, name]))!.port}` }));
  }

  databaseUrlOf(caller: string): string {
    const url = new URL(this.databaseUrl);
    url.host = `127.0.0.1:${this.databases.get(caller)!.port}`;
    return url.href;
  }

  whyNot(): null {
    return null;
  }

  settingsOf(name: string): Record<string, object> {
    // A member that was added later is connected directly.
    if (!this.names.includes(name)) return {};
    return { network: { dial: this.dialOf(name) }, postgres: { url: this.databaseUrlOf(name) } };
  }

  setWeather(ways: readonly Way[], weather: Weather): () => void {
    const ends = ways.map((way) => this.direction(way).add(weather));
    return () => ends.forEach((end) => end());
  }

  tollOf(ways: readonly Way[]): Toll {
    const tolls = ways.map((way) => this.direction(way).toll);
    return sumOf(tolls);
  }

  resetAll(ways: readonly Way[]): number {
    return this.proxiesOf(ways).reduce((count, proxy) => count + proxy.resetAll(), 0);
  }

  halfCloseAll(ways: readonly Way[]): number {
    return this.proxiesOf(ways).reduce((count, proxy) => count + proxy.halfCloseAll(), 0);
  }

  async close(): Promise<void> {
    const all = [...this.members.values(), ...this.databases.values()];
    await Promise.all(all.map((proxy) => proxy.close()));
  }

  private proxy(target: Target, from: string, to: string): Promise<FaultProxy> {
    return FaultProxy.start(target, this.direction([from, to]), this.direction([to, from]));
  }

  private direction(way: Way): Direction {
    const name = wayName(way);
    let direction = this.directions.get(name);
    if (direction === undefined) {
      direction = new Direction(name, this.random);
      this.directions.set(name, direction);
    }
    return direction;
  }

  private proxiesOf(ways: readonly Way[]): FaultProxy[] {
    const found = ways.flatMap(([from, to]) => [
      this.members.get(wayName([from, to])),
      this.members.get(wayName([to, from])),
      to === DATABASE ? this.databases.get(from) : undefined,
    ]);
    return [...new Set(found.filter((proxy) => proxy !== undefined))];
  }
}

function wayName([from, to]: Way): string {
  return `${from}>${to}`;
}

function targetOf(address: string): Target {
  const [host, port] = address.split(':');
  return { host: host!, port: Number(port) };
}
