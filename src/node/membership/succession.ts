/**
 * Another life of the cluster, at one node: begun here by an operator, or heard of from a member that has begun it. A
 * process from an earlier life is told as soon as it introduces itself. (DESIGN 3, PROTOCOL R27)
 */
import type { Introduction, LifeName, Succession } from '../../core/membership/membership-message.ts';
import { sameLife } from '../../core/membership/register.ts';
import { survivorsOf } from '../../core/lives/succession.ts';
import type { Survivor } from '../../core/lives/succession.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Situation } from './situation.ts';
import { belongsSomewhere } from './peer-table.ts';
import type { PeerTable } from './peer-table.ts';
import type { MembershipSelf } from './self.ts';
import type { Voice } from './voice.ts';
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
  /** A peer is from a later life that is not known to descend from ours. */
  readonly onLater: () => void;
}

export class SuccessionDesk {
  private readonly parts: SuccessionParts;

  constructor(parts: SuccessionParts) {
    this.parts = parts;
  }

  /** The lives that precede the present one, as far as this disk took part in them. */
  get ancestors(): readonly LifeName[] {
    return this.parts.self.identity.ancestors;
  }

  /** Members that are up with the disks that the cluster remembers, including this one if it is a member. */
  survivors(topology: Topology): Survivor[] {
    const { situation, suspicion } = this.parts;
    const { own, introductions, now } = situation();
    return survivorsOf(topology, own, introductions, (name) => suspicion.isPresent(name, now));
  }

  /** The first topology of the life is in force at once: nobody is left whose vote it would need. */
  begin(topology: Topology): void {
    const { self, peers, driver, voice, telemetry, adopt } = this.parts;
    telemetry.event('warn', 'membership.succession', { life: topology.life, epoch: topology.epoch });
    // Before this node introduces itself under the new life: the others would take it for a stranger.
    voice.broadcast({ kind: 'succession', ancestors: self.lineage, topology });
    driver.beginLife(topology);
    adopt(topology);
    peers.onLife(self.identity);
  }

  /** A life is believed if its members say that it descends from ours, or if it is in force according to PostgreSQL. */
  onNews({ ancestors, topology }: Succession): void {
    const { self, onLater } = this.parts;
    const { identity } = self;
    if (topology.life <= identity.life) return;
    const isOurs = ancestors.some((each) => sameLife(each, identity));
    if (isOurs || self.isInForce(topology)) this.begin(topology);
    else onLater();
  }

  /**
   * Lives that were founded anew know nothing of earlier ones: a node that hears of a life later than its own asks
   * PostgreSQL.
   */
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
