/**
 * Which clients keep a copy of which key: the data behind Redis's client-side caching. A client that has gone stays in
 * the table until the key changes, as in Redis; the owner of the table bounds the number of keys by `keyCount`.
 */

export class TrackingTable {
  /** Most keys have only one client: a bare number costs nothing beside the key. */
  private readonly keepers = new Map<string, number | Set<number>>();
  private items = 0;

  get keyCount(): number {
    return this.keepers.size;
  }

  /** The number of pairs of a key and a client. */
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

  /** Removes the key and returns its clients. */
  take(key: string): readonly number[] {
    const known = this.keepers.get(key);
    if (known === undefined) return [];
    this.keepers.delete(key);
    const clients = typeof known === 'number' ? [known] : [...known];
    this.items -= clients.length;
    return clients;
  }

  /** Empties the table and returns all clients in it, each once. */
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

  /** The key that has been in the table for longest. */
  oldest(): string | undefined {
    return this.keepers.keys().next().value;
  }
}
