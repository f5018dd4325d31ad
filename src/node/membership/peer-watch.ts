/**
 * What one node concludes about the others: who is silent, who is slow, who comes and goes too often, and who has been
 * gone for long. Each of these is a rule of its own; this class feeds them the same links, stalls and epochs.
 */
import { Absences, Readmissions } from '../../core/membership/membership-plan.ts';
import type { Mutations } from '../../core/mutations.ts';
import { Slowness } from '../../core/membership/slowness.ts';
import { Suspicion } from '../../core/membership/suspicion.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipSettings } from './parts.ts';

export class PeerWatch {
  readonly suspicion: Suspicion;
  readonly slowness: Slowness;
  readonly readmissions = new Readmissions();
  readonly absences = new Absences();
  private readonly telemetry: Telemetry;

  constructor(
    self: string,
    settings: MembershipSettings,
    mutations: Mutations,
    telemetry: Telemetry,
    now: number,
  ) {
    this.suspicion = new Suspicion(self, [], settings, now);
    this.slowness = new Slowness(self, settings.slowAfterMs, mutations);
    this.telemetry = telemetry;
  }

  linkDown(name: string, now: number): void {
    this.suspicion.linkDown(name, now);
    this.slowness.linkDown(name);
  }

  /** This process did not run for a while. */
  stalled(now: number): void {
    this.suspicion.stalled(now);
    this.slowness.stalled();
  }

  onTopology(previous: Topology | null, next: Topology, now: number): void {
    this.absences.onTopology(next, now);
    this.readmissions.onTopology(previous, next, now);
    const isSilent = (name: string): boolean => this.suspicion.isSilent(name, now);
    for (const { member, lateMs, usualMs } of this.slowness.onTopology(previous, next, isSilent, now))
      this.telemetry.event('warn', 'membership.slow.removed', { member, lateMs, usualMs, epoch: next.epoch });
  }
}
