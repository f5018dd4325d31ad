/**
 * Another life of the cluster, at one node: begun here by an operator's word, or heard of from a member that has begun it.
 * Whoever is of a life before it is told as soon as it says so. (DESIGN 3, PROTOCOL R27)
 */
import type { Introduction, LifeName, Succession } from '../core/membership-message.ts';
import { sameLife } from '../core/register.ts';
import { survivorsOf } from '../core/succession.ts';
import type { Survivor } from '../core/succession.ts';
import type { Suspicion } from '../core/suspicion.ts';
import type { Topology } from '../core/topology.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Situation } from './membership-proposals.ts';
import { belongsSomewhere } from './membership-peers.ts';
import type { PeerTable } from './membership-peers.ts';
import type { MembershipSelf } from './membership-self.ts';
import type { Voice } from './membership-voice.ts';
import type { RegisterDriver } from './register-driver.ts';

export interface SuccessionParts {
  readonly self: MembershipSelf;
  readonly peers: PeerTable;
  readonly driver: RegisterDriver;
  readonly voice: Voice;
  readonly telemetry: Telemetry;
  readonly situation: () => Situation;
  readonly suspicion: Suspicion;
  readonly adopt: (topology: Topology) => void;
  /** Somebody is of a later life, and it is not known to follow ours. */
  readonly onLater: () => void;
}

export class SuccessionDesk {
  private readonly parts: SuccessionParts;

  constructor(parts: SuccessionParts) {
    this.parts = parts;
  }

  /** Lives of which the present one came, as far as this disk was part of them. */
  get ancestors(): readonly LifeName[] {
    return this.parts.self.identity.ancestors;
  }

  /** Members that are up, with the disks that the cluster remembers; this one among them, if it is a member. */
  survivors(topology: Topology): Survivor[] {
    const { situation, suspicion } = this.parts;
    const { own, introductions, now } = situation();
    return survivorsOf(topology, own, introductions, (name) => suspicion.isPresent(name, now));
  }

  /** Its first topology is in force at once: there is nobody left whose vote it would need. */
  begin(topology: Topology): void {
    const { self, peers, driver, voice, telemetry, adopt } = this.parts;
    telemetry.event('warn', 'membership.succession', { life: topology.life, epoch: topology.epoch });
    // Before this node introduces itself under the new life: to the others it would be a stranger.
    voice.broadcast({ kind: 'succession', ancestors: self.lineage, topology });
    driver.beginLife(topology);
    adopt(topology);
    peers.onLife(self.identity);
  }

  /** A life is believed where it follows ours by what its members remember, or is in force by PostgreSQL's word. */
  onNews({ ancestors, topology }: Succession): void {
    const { self, onLater } = this.parts;
    const { identity } = self;
    if (topology.life <= identity.life) return;
    const isOurs = ancestors.some((each) => sameLife(each, identity));
    if (isOurs || self.isInForce(topology)) this.begin(topology);
    else onLater();
  }

  /** Lives that were founded anew know nothing of those before: whoever hears of one later than his asks PostgreSQL. */
  onIntroduction(name: string, introduction: Introduction): void {
    const { self, voice, onLater } = this.parts;
    const { ancestors, life } = self.identity;
    const { topology } = this.parts.situation();
    if (topology === null || self.isOver || !belongsSomewhere(introduction.clusterId)) return;
    if (introduction.life > life) onLater();
    const isBefore = introduction.life < life || ancestors.some((each) => sameLife(each, introduction));
    if (isBefore) voice.send(name, { kind: 'succession', ancestors, topology });
  }
}
