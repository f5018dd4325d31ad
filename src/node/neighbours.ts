/**
 * Whom a node keeps links with: the members of its topology, those it is configured with while it knows of none, and
 * processes that ask to join. Everybody is dialled, listened to and looked after from the moment he is known of until
 * he is neither of these. (DESIGN 3, PROTOCOL R31)
 */
import { JOINERS_MAX } from '../core/limits.ts';
import { livingText } from '../core/lives.ts';
import type { LivingMember } from '../core/lives.ts';
import type { Introduction } from '../core/membership-message.ts';
import { protocolInForce } from '../core/protocol-versions.ts';
import type { Suspicion } from '../core/suspicion.ts';
import { memberByName } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { MembershipParts } from './membership-parts.ts';
import type { PeerTable } from './membership-peers.ts';

/** Milliseconds for which who is no member any more is still told so. */
const PARTING_MS = 3_000;

export class Neighbours {
  private readonly parts: MembershipParts;
  private readonly peers: PeerTable;
  private readonly suspicion: Suspicion;
  /** Addresses that are dialled, by name. */
  private readonly dialled = new Map<string, string>();
  private readonly joiners = new Set<string>();
  /** Who is no member any more, and until when the link is kept. */
  private readonly parting = new Map<string, number>();
  /** What others take for the members of the founding, where it differs. */
  private readonly differing = new Map<string, string>();
  private livingTold = '';
  private isStarted = false;

  constructor(parts: MembershipParts, peers: PeerTable, suspicion: Suspicion) {
    this.parts = parts;
    this.peers = peers;
    this.suspicion = suspicion;
  }

  /** Begins to dial. A topology left on the disk may be old: who is configured is dialled as well. */
  start(topology: Topology | null): void {
    this.isStarted = true;
    const now = this.parts.clock.now();
    this.parts.doors.begin(now);
    for (const { name, address } of this.parts.members) this.meet(name, address, now);
    for (const { name, address } of topology?.members ?? []) this.meet(name, address, now);
  }

  /** A later topology: its members are met, and who is none any more is let go. */
  onTopology(next: Topology, isMember: boolean): void {
    if (!this.isStarted) return;
    // A process outside counts nobody as heard before it was: nobody counts it in before it hears all.
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

  /** It may not take part as it is: the handshake tells both sides why. (decision 19) */
  private dialAnew(name: string, address: string): void {
    this.parts.forget(name);
    this.peers.get(name)!.linked = false;
    this.suspicion.linkDown(name, this.parts.clock.now());
    this.parts.dial(name, address);
  }

  tick(now: number): void {
    for (const [name, until] of this.parting) if (until <= now) this.part(name);
  }

  /** Somebody says who he is; one that asks to join is listened to from now on. */
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

  /** Who is up in the life in force, as PostgreSQL has it: nobody else may have told of them. False: that was known. */
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

  /** Two that are to found a cluster and take others for its members will wait for ever: told once for each. */
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

  /** A member that comes back elsewhere is dialled where it says it is, once it is known to be that member. */
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

/** Who is to found the cluster, as all of them must see it; '' where this process founds none. */
export function foundersOf(parts: MembershipParts): string {
  if (parts.joins !== null) return '';
  return parts.members
    .map(({ name, address }) => `${name}=${address}`)
    .sort()
    .join(',');
}
