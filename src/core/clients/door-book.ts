/**
 * The doors of all members, as each process announced them when it introduced itself. They are not part of the
 * topology: an address may change with each start of a process, and nobody has to agree on it. What a member announced
 * last is kept while it is away; a process that has just started has not heard from everybody yet. (decision 38)
 */
import { DOORS_AWAITED_MS } from './client-limits.ts';
import { NO_DOORS, isDoorAddress } from './door-address.ts';
import type { DoorAddresses } from './door-address.ts';

export class DoorBook {
  readonly ownName: string;
  readonly own: DoorAddresses;
  /** Incremented whenever an announcement changes something. */
  version = 0;
  private readonly heard = new Map<string, DoorAddresses>();
  /** Monotonic ms until which waiting for the others makes sense; null when nobody is awaited. */
  private awaitedUntil: number | null = null;

  constructor(ownName: string, own = NO_DOORS) {
    this.ownName = ownName;
    this.own = own;
  }

  /** This process starts to listen to the others. */
  begin(now: number): void {
    this.awaitedUntil = now + DOORS_AWAITED_MS;
  }

  /** A member, or a process about to become one, has introduced itself. */
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
   * True shortly after the start, while some members have not been heard from. A client told then to ask this node for
   * everything would keep doing so, because no node ever redirects it.
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

/** Clients are sent to these addresses, so anything malformed becomes ''. */
function wellFormed(address: string): string {
  return isDoorAddress(address) ? address : '';
}
