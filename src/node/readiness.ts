/** When a node may be sent requests: one rule for every door's idea of health. */
import type { NodeStatus } from './api.ts';

/** A node without a place in a cluster: the founding that would give it one takes PostgreSQL's word. (R27) */
const MAY_NEED_RECORD: ReadonlySet<NodeStatus['phase']> = new Set(['starting', 'founding']);

/**
 * Why this node should not be sent requests now; empty where it is ready. PostgreSQL or legacy being down is
 * no reason: other nodes reach them no better, and what is held can still be read.
 */
export function reasonsNotReady(status: NodeStatus): string[] {
  const reasons: string[] = [];
  if (status.phase !== 'serving') reasons.push(`the node is ${status.phase}, not serving`);
  if (MAY_NEED_RECORD.has(status.phase) && status.record.state === 'down') {
    reasons.push(`PostgreSQL is awaited (${status.record.reason})`);
  }
  if (!status.leaseHeld) reasons.push('the node holds no lease');
  return reasons;
}
