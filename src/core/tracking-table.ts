/**
 * Which clients keep a copy of which key: the memory behind Redis' client-side caching. A client that has gone stays in
 * it until the key changes, as in Redis; how many keys there are is bounded by whoever looks at `keyCount`.
 */

export class TrackingTable {
  /** One client is what most keys have: a number costs nothing beside the key. */
  private readonly keepers = new Map<string, number | Set<number>>();
  private items = 0;

  get keyCount(): number {
    return this.keepers.size;
  }

  /** Pairs of a key and a client. */
  get itemCount(): number {
    return this.items;
  }

  add(key: string, client: number): void {
    const known = this.keepers.get(key);
    if (known === client) return;
    if (known === undefined) this.keepers.set(key, client);
    else if (typeof known === 'number') this.keepers.set(key, new Set([known, client]));
    else if (known.has(client)) return;
    else known.add(client);
    this.items += 1;
  }

  has(key: string, client: number): boolean {
    const known = this.keepers.get(key);
    return known === client || (typeof known === 'object' && known.has(client));
  }

  keys(): Iterable<string> {
    return this.keepers.keys();
  }

  /** The key's clients, who are forgotten with that. */
  take(key: string): readonly number[] {
    const known = this.keepers.get(key);
    if (known === undefined) return [];
    this.keepers.delete(key);
    const clients = typeof known === 'number' ? [known] : [...known];
    this.items -= clients.length;
    return clients;
  }

  /** All clients that keep anything, each once; the table is empty with that. */
  takeAll(): ReadonlySet<number> {
    const clients = new Set<number>();
    for (const known of this.keepers.values()) {
      if (typeof known === 'number') clients.add(known);
      else for (const client of known) clients.add(client);
    }
    this.keepers.clear();
    this.items = 0;
    return clients;
  }

  /** The key that has stood in the table for longest. */
  oldest(): string | undefined {
    return this.keepers.keys().next().value;
  }
}
