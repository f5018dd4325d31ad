/**
 * The peers with which a node keeps links: members of its topology, configured members while it knows of no topology,
 * and processes that ask to join. Each is dialled, listened to and monitored from the moment it is known until it is
 * none of these. (DESIGN 3, PROTOCOL R31)
 */
import { JOINERS_MAX } from '../../core/limits.ts';
import { livingText } from '../../core/lives/lives.ts';
import type { LivingMember } from '../../core/lives/lives.ts';
import type { Introduction } from '../../core/membership/membership-message.ts';
import { protocolInForce } from '../../core/membership/protocol-versions.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import { memberByName } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { MembershipParts } from './parts.ts';
import type { PeerTable } from './peer-table.ts';
import type { UnlinkedPeer } from '../status.ts';

/** Milliseconds for which a former member is still told that it is none. */
const PARTING_MS = 3_000;
/** Milliseconds without a lease after which the peers that are not linked are reported. */
const LINKS_AWAITED_MS = 5_000;

export class Neighbours {
  private readonly parts: MembershipParts;
  private readonly peers: PeerTable;
  private readonly suspicion: Suspicion;
  /** Addresses that are dialled, by name. */
  private readonly dialled = new Map<string, string>();
  private readonly joiners = new Set<string>();
  /** Former members, and until when their links are kept. */
  private readonly parting = new Map<string, number>();
  /** What other processes take for the founding members, where it differs from this node's view. */
  private readonly differing = new Map<string, string>();
  private livingTold = '';
  /** When this node last held a lease, or was started. */
  private leaseSeenAt = Infinity;
  private unlinkedTold = '';
  private isStarted = false;

  constructor(parts: MembershipParts, peers: PeerTable, suspicion: Suspicion) {
    this.parts = parts;
    this.peers = peers;
    this.suspicion = suspicion;
  }

  /** Starts dialling. A topology left on disk may be old, so configured members are dialled as well. */
  start(topology: Topology | null): void {
    this.isStarted = true;
    const now = this.parts.clock.now();
    this.leaseSeenAt = now;
    this.parts.doors.begin(now);
    for (const { name, address } of this.parts.members) this.meet(name, address, now);
    for (const { name, address } of topology?.members ?? []) this.meet(name, address, now);
  }

  /** A later topology: new members are dialled, and former ones are dropped. */
  onTopology(next: Topology, isMember: boolean): void {
    if (!this.isStarted) return;
    // A process outside the cluster counts nobody as heard before hearing it: it must hear all members before it is
    // admitted.
    const heardAt = isMember ? this.parts.clock.now() : -Infinity;
    for (const { name, address } of next.members) {
      this.joiners.delete(name);
      this.parting.delete(name);
      this.meet(name, address, heardAt);
    }
    for (const [name, address] of this.dialled) {
      if (this.peers.speaksLess(name, protocolInForce(next))) this.dialAnew(name, address);
      if (memberByName(next, name) !== undefined || this.joiners.has(name) || this.parting.has(name))
        continue;
      this.parting.set(name, this.parts.clock.now() + PARTING_MS);
    }
  }

  /**
   * The link must be set up again, because its version no longer suffices: the handshake then tells both sides why.
   * (decision 19)
   */
  private dialAnew(name: string, address: string): void {
    this.parts.forget(name);
    this.peers.get(name)!.linked = false;
    this.suspicion.linkDown(name, this.parts.clock.now());
    this.parts.dial(name, address);
  }

  tick(now: number, holdsLease: boolean): void {
    for (const [name, until] of this.parting) if (until <= now) this.part(name);
    if (holdsLease) this.leaseSeenAt = now;
    if (now - this.leaseSeenAt >= LINKS_AWAITED_MS) this.reportUnlinked();
    else this.unlinkedTold = '';
  }

  /** Peers with which no link works in both directions, and the addresses that are dialled for them. */
  unlinked(): UnlinkedPeer[] {
    return [...this.dialled]
      .filter(([name]) => !this.parting.has(name) && !this.joiners.has(name) && !this.peers.isLinked(name))
      .map(([name, address]) => ({ name, address }));
  }

  /** Once for each change: the usual reason why a node waits is an address, or a port that is closed. */
  private reportUnlinked(): void {
    const members = livingText(this.unlinked());
    if (members === this.unlinkedTold) return;
    this.unlinkedTold = members;
    if (members !== '') this.parts.telemetry.event('warn', 'membership.links_awaited', { members });
  }

  /** A process introduces itself; one that asks to join is monitored from now on. */
  onIntroduction(name: string, introduction: Introduction, topology: Topology | null): void {
    if (name === this.parts.self.name || introduction.name !== name) return;
    if (topology === null) this.compareFounders(name, introduction.founders);
    if (introduction.joins && this.parting.delete(name)) this.joiners.add(name);
    if (
      this.peers.get(name) !== undefined ||
      !introduction.joins ||
      topology === null ||
      this.joiners.size >= JOINERS_MAX
    )
      return;
    this.joiners.add(name);
    this.meet(name, introduction.address, this.parts.clock.now());
  }

  /**
   * Members that are up in the life in force, according to PostgreSQL; nobody else may have told of them. Returns false
   * if they were known.
   */
  meetLiving(members: readonly LivingMember[]): boolean {
    for (const { name, address } of members) {
      if (this.dialled.has(name)) this.redial(name, address);
      else this.meet(name, address, -Infinity);
    }
    const told = livingText(members);
    const isNews = told !== this.livingTold;
    this.livingTold = told;
    return isNews;
  }

  onPeerGone(name: string): void {
    if (this.joiners.delete(name)) this.part(name);
  }

  /** Two founders with different lists of members would wait forever: this is reported once for each. */
  private compareFounders(name: string, theirs: string): void {
    const ours = foundersOf(this.parts);
    if (theirs === '' || ours === '' || theirs === ours || this.differing.get(name) === theirs) return;
    this.differing.set(name, theirs);
    this.parts.telemetry.event('error', 'membership.founders.differ', {
      peer: name,
      here: ours,
      there: theirs,
    });
  }

  /** A member that comes back at another address is dialled there, once it is known to be that member. */
  follow(name: string, { address, doors }: Introduction): void {
    this.parts.doors.hear(name, doors);
    this.redial(name, address);
  }

  private redial(name: string, address: string): void {
    if (address === '' || this.dialled.get(name) === address) return;
    this.dialled.set(name, address);
    this.parts.dial(name, address);
  }

  private meet(name: string, address: string, heardAt: number): void {
    if (name === this.parts.self.name || this.dialled.has(name)) return;
    this.peers.add(name);
    this.suspicion.add(name, heardAt);
    this.dialled.set(name, address);
    this.parts.dial(name, address);
  }

  private part(name: string): void {
    this.parting.delete(name);
    this.dialled.delete(name);
    this.peers.remove(name);
    this.suspicion.remove(name);
    this.parts.doors.forget(name);
    this.parts.forget(name);
  }
}

/** The members that will found the cluster, on which all of them must agree; '' if this process founds none. */
export function foundersOf(parts: MembershipParts): string {
  if (parts.joins !== null) return '';
  return parts.members
    .map(({ name, address }) => `${name}=${address}`)
    .sort()
    .join(',');
}
