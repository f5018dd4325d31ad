/** Describes what keeps a simulated cluster from coming to rest. */
import type { SimClients } from './clients.ts';
import type { SimCluster } from './cluster.ts';

export function unrestOf(cluster: SimCluster, clients: SimClients): string {
  const nodes = cluster.nodes.map((sim) => {
    const status = sim.node?.status();
    if (status === undefined) return `${sim.name} down`;
    const learned = Math.round(status.learnedShare * 100);
    return `${sim.name} ${status.phase} epoch ${status.epoch} lease ${status.leaseHeld} learned ${learned}% in flight ${status.keysInFlight} driven ${status.record.drive?.isDriven} moving ${status.slotsMoving} of ${status.members.map((member) => `${member.name}${member.alive ? '' : '(gone)'}:${member.slotsComplete}+${member.slotsLearning}`).join(' ')}`;
  });
  return [...nodes, `clients pending ${clients.pending}`].join('; ');
}
