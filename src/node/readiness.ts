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
  const { setAside, inDoubt } = status.store;
  if (inDoubt) {
    reasons.push(
      `its store was damaged and lies in ${setAside.at(-1) ?? 'another place'}: it waits for members that know the cluster to let it in, and where none does, for an operator (docs/CONFIGURATION.md, "A damaged store")`,
    );
  }
  const { state, freeBytes, reserveBytes } = status.disk;
  // One that refuses writes stays, and is read from like any other.
  if (state === 'low') {
    const free = `${freeBytes} bytes are free, and ${reserveBytes} are to stay so`;
    reasons.push(`its disk is nearly full, so it takes no part in writes: ${free}`);
  }
  if (!status.leaseHeld) reasons.push('the node holds no lease');
  return reasons;
}
