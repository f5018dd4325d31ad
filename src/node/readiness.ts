/** When a node may be sent requests: one rule for every door's idea of health. */
import type { NodeStatus } from './api.ts';

/**
 * Why this node should not be sent requests now; empty where it is ready. PostgreSQL or legacy being down is
 * no reason: other nodes reach them no better, and what is held can still be read.
 */
export function reasonsNotReady(status: NodeStatus): string[] {
  const reasons: string[] = [];
  if (status.phase !== 'serving') reasons.push(`the node is ${status.phase}, not serving`);
  if (status.phase === 'starting' && status.record.state === 'down') {
    reasons.push(`PostgreSQL is awaited (${status.record.reason})`);
  }
  if (!status.leaseHeld) reasons.push('the node holds no lease');
  return reasons;
}
