/** The state of a node at one moment: what its proposals are derived from. */
import type { Introduction } from '../../core/membership/membership-message.ts';
import type { Introductions } from '../../core/membership/membership-plan.ts';
import type { Member, Topology } from '../../core/membership/topology.ts';

export interface Situation {
  readonly now: number;
  readonly topology: Topology | null;
  readonly own: Introduction;
  readonly introductions: Introductions;
  readonly leaseHeld: boolean;
  readonly stopping: boolean;
  /** Nothing is known that forbids a start of the whole cluster. (lives.ts) */
  readonly mayStart: boolean;
  /** Its disk is nearly full, and nothing is left to finish. (R32) */
  readonly stepsBack: boolean;
  readonly hasReleased: (member: Member) => boolean;
}
