/**
 * Settings that are part of every epoch and never change after the founding. A node whose settings say something else
 * reports it at its start: an operator who changed them at all nodes would otherwise believe that they are in force.
 */
import type { Topology } from '../../core/membership/topology.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipSettings } from './parts.ts';

const FIXED = [
  ['cluster.replicas', 'replicaCount'],
  ['cluster.ownersMin', 'ownerCountMin'],
  ['cluster.healAfterMs', 'healAfterMs'],
] as const;

export function reportFixedSettings(
  telemetry: Telemetry,
  configured: MembershipSettings,
  inForce: Topology,
): void {
  for (const [setting, field] of FIXED) {
    if (configured[field] === inForce[field]) continue;
    const fields = { setting, configured: configured[field], inForce: inForce[field] };
    telemetry.event('warn', 'membership.settings.fixed', fields);
  }
}
