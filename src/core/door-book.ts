/**
 * Where the doors of the members are, by what each process says of itself when it introduces itself. It is no part of the
 * topology: an address may be another with each start of a process, and nobody has to agree on it. What somebody said
 * last is kept while he is away; a process that was just started has not heard all yet. (decision 38)
 */
import { DOORS_AWAITED_MS } from './client-limits.ts';
import { NO_DOORS, isDoorAddress } from './door-address.ts';
import type { DoorAddresses } from './door-address.ts';

export class DoorBook {
  readonly ownName: string;
  readonly own: DoorAddresses;
  /** Grows with whatever is told anew. */
  version = 0;
  private readonly heard = new Map<string, DoorAddresses>();
  /** Monotonic ms until which it is worth waiting for the others; null: nobody is waited for. */
  private awaitedUntil: number | null = null;

  constructor(ownName: string, own = NO_DOORS) {
    this.ownName = ownName;
    this.own = own;
  }

  /** This process begins to listen to the others. */
  begin(now: number): void {
    this.awaitedUntil = now + DOORS_AWAITED_MS;
  }

  /** A member, or who is to become one, has introduced itself. */
  hear(name: string, said: DoorAddresses): void {
    const [http, resp] = [wellFormed(said.http), wellFormed(said.resp)];
    const before = this.heard.get(name);
    if (before?.http === http && before.resp === resp) return;
    this.heard.set(name, { http, resp });
    this.version += 1;
  }

  forget(name: string): void {
    if (this.heard.delete(name)) this.version += 1;
  }

  of(name: string): DoorAddresses {
    return name === this.ownName ? this.own : (this.heard.get(name) ?? NO_DOORS);
  }

  /**
   * Soon after the start: are members still to be heard of? A client that is told to ask this node for everything would
   * go on doing so, since nobody ever sends it elsewhere.
   */
  awaits(members: readonly { readonly name: string; readonly alive: boolean }[], now: number): boolean {
    if (this.awaitedUntil === null) return false;
    const isMissing = members.some(
      ({ name, alive }) => alive && name !== this.ownName && !this.heard.has(name),
    );
    if (isMissing && now < this.awaitedUntil) return true;
    this.awaitedUntil = null;
    return false;
  }
}

/** Clients are sent there: what is no address is none. */
function wellFormed(address: string): string {
  return isDoorAddress(address) ? address : '';
}
