/**
 * Wires of real packets: each node is in a network namespace of its own. Cuts between members are made there, silently,
 * in one direction or both, while connections stay open. PostgreSQL and the legacy API are outside, behind proxies, one
 * to PostgreSQL for each node, which make the faults of those wires as usual.
 */
import type { Place } from '../../test/support/cluster.ts';
import { Direction, type Toll, type Weather } from './direction.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { FaultSpec } from './fault-spec.ts';
import { Namespaces } from './namespaces.ts';
import { DATABASE, noToll, sumOf, type Way, type Wires } from './wires.ts';

export interface Outside {
  readonly databaseUrl: string;
  readonly legacyUrl: string | null;
}

export class NamespaceNetwork implements Wires {
  readonly told = 'packets between network namespaces';
  readonly takesNewcomers = true;
  private readonly random: () => number;
  private readonly spaces = new Namespaces();
  private readonly databases = new Map<string, FaultProxy>();
  private readonly tolls = new Map<string, Toll>();
  private outside: Outside | null = null;
  private legacy: FaultProxy | null = null;

  /** Why these wires do not support this fault; null if they do. */
  static whyNot(spec: FaultSpec): string | null {
    if (spec.fault === 'cut' && spec.by === 'reset')
      return 'packets are cut in silence only: use --network proxy';
    if (['delay', 'loss', 'throttle', 'resets', 'half-close'].includes(spec.fault)) {
      return 'packets are cut, and neither late nor lost now and then: use --network proxy';
    }
    return null;
  }

  constructor(random: () => number) {
    this.random = random;
  }

  /** Where a node will run. */
  async place(name: string): Promise<Place> {
    const place = this.spaces.add(name);
    if (this.outside !== null) await this.joinDatabase(name, this.outside.databaseUrl);
    return place;
  }

  /** Sets up what nodes reach besides each other; to be called before the first of them starts. */
  async connect(names: readonly string[], outside: Outside): Promise<void> {
    this.outside = outside;
    for (const name of names) await this.joinDatabase(name, outside.databaseUrl);
    if (outside.legacyUrl === null) return;
    const quiet = [new Direction('>legacy', this.random), new Direction('legacy>', this.random)] as const;
    this.legacy = await FaultProxy.start(targetOf(outside.legacyUrl), ...quiet, this.spaces.outside);
  }

  whyNot(spec: FaultSpec): string | null {
    return NamespaceNetwork.whyNot(spec);
  }

  settingsOf(name: string): Record<string, object> {
    const { databaseUrl, legacyUrl } = this.outside!;
    const { host } = this.spaces.add(name);
    return {
      // Only this machine reaches these addresses.
      network: { insecure: true },
      grpc: { host },
      http: { host },
      postgres: { url: this.through(databaseUrl, this.databases.get(name)!) },
      ...(legacyUrl === null ? {} : { legacy: { url: this.through(legacyUrl, this.legacy!) } }),
    };
  }

  setWeather(ways: readonly Way[], weather: Weather): () => void {
    const ofDatabase = ways.filter(isOfDatabase);
    const ends = ofDatabase.map((way) => this.directionOf(way)?.add(weather));
    const between = ways.filter((way) => !isOfDatabase(way));
    const heal = between.length === 0 ? null : this.spaces.cut(between);
    return () => {
      for (const end of ends) end?.();
      const lost = heal?.() ?? 0;
      // The total over all ways; how many each one lost is not needed.
      if (lost > 0) this.tollAt(between[0]!).heldPieces += lost;
    };
  }

  tollOf(ways: readonly Way[]): Toll {
    return sumOf(
      ways.map((way) => (isOfDatabase(way) ? (this.directionOf(way)?.toll ?? noToll()) : this.tollAt(way))),
    );
  }

  resetAll(): number {
    return 0;
  }

  halfCloseAll(): number {
    return 0;
  }

  async close(): Promise<void> {
    const proxies = [...this.databases.values(), ...(this.legacy === null ? [] : [this.legacy])];
    await Promise.all(proxies.map((proxy) => proxy.close()));
    this.spaces.close();
  }

  private async joinDatabase(name: string, databaseUrl: string): Promise<void> {
    if (this.databases.has(name)) return;
    const statements = new Direction(`${name}>${DATABASE}`, this.random);
    const replies = new Direction(`${DATABASE}>${name}`, this.random);
    const { outside } = this.spaces;
    this.databases.set(name, await FaultProxy.start(targetOf(databaseUrl), statements, replies, outside));
  }

  private directionOf([from, to]: Way): Direction | undefined {
    return to === DATABASE ? this.databases.get(from)?.forward : this.databases.get(to)?.backward;
  }

  private tollAt([from, to]: Way): Toll {
    const name = `${from}>${to}`;
    const toll = this.tolls.get(name) ?? noToll();
    this.tolls.set(name, toll);
    return toll;
  }

  private through(url: string, proxy: FaultProxy): string {
    // Replaced as text: the URL contains the place of the key, which a URL parser would not accept.
    return url.replace(/127\.0\.0\.1:\d+/, `${this.spaces.outside}:${proxy.port}`);
  }
}

function isOfDatabase([from, to]: Way): boolean {
  return from === DATABASE || to === DATABASE;
}

function targetOf(url: string): { host: string; port: number } {
  const [, host, port] = /(127\.0\.0\.1):(\d+)/.exec(url)!;
  return { host: host!, port: Number(port) };
}
