/**
 * What probes and load balancers are told about a node: one set of rules for every door. An empty list means that all
 * is well.
 */
import { HEALTH_STORE_MS_MAX, HEALTH_TICK_MS_MAX } from '../core/limits.ts';
import { livingText } from '../core/lives/lives.ts';
import type { Phase } from '../core/membership/phases.ts';
import type { NodeStatus } from './status.ts';

/** The probes, each an HTTP path and a service name of gRPC's health service. */
export const PROBES = {
  healthy: reasonsNotHealthy,
  ready: reasonsNotReady,
  safe: reasonsNotSafeToStop,
} as const;

export type Probe = keyof typeof PROBES;

/**
 * Why this process should be restarted: it makes no progress. What other nodes, PostgreSQL or a full disk do never
 * counts, because a restart would not help.
 */
function reasonsNotHealthy({ progress }: NodeStatus): string[] {
  const reasons: string[] = [];
  const { tickAgoMs, storeBatchMs } = progress;
  if (tickAgoMs > HEALTH_TICK_MS_MAX)
    reasons.push(`its event loop makes no progress: the last tick was ${seconds(tickAgoMs)} s ago`);
  if (storeBatchMs > HEALTH_STORE_MS_MAX)
    reasons.push(`its store makes no progress: a batch has been under way for ${seconds(storeBatchMs)} s`);
  return reasons;
}

/** Phases of a node without a place in a cluster: a founding, which would give it one, needs PostgreSQL. (R27) */
const MAY_NEED_RECORD: ReadonlySet<Phase> = new Set(['starting', 'founding']);

/**
 * Why this node should not receive requests now. An outage of the legacy source is no reason, nor is one of PostgreSQL
 * by itself: other nodes reach them no better, and held records can still be read. An operator can choose otherwise
 * (`record.readyNeedsIt`).
 */
export function reasonsNotReady(status: NodeStatus): string[] {
  const reasons: string[] = [];
  if (status.phase !== 'serving') reasons.push(`the node is ${status.phase}, not serving`);
  if (status.outside !== '') reasons.push(status.outside);
  const { record } = status;
  if (record.state === 'down') {
    if (MAY_NEED_RECORD.has(status.phase)) reasons.push(`PostgreSQL is awaited (${record.reason})`);
    else if (record.isNeeded === true)
      reasons.push(`PostgreSQL is down (${record.reason}), and record.readyNeedsIt is set`);
  }
  const { setAside, inDoubt } = status.store;
  if (inDoubt) {
    reasons.push(
      `its store was damaged and lies in ${setAside.at(-1) ?? 'another place'}: it waits for members that know the cluster to let it in, and where none does, for an operator (docs/CONFIGURATION.md, "A damaged store")`,
    );
  }
  const { state, freeBytes, reserveBytes, freeFiles, reserveFiles, isGone } = status.disk;
  if (isGone) {
    reasons.push(
      'its data directory was moved, removed or replaced, so it takes no part in writes: put it back, or restart the node',
    );
  }
  // A node that refuses writes stays, and can be read from like any other.
  else if (state === 'low') {
    const bytes = `${freeBytes} bytes are free, and ${reserveBytes} are to stay so`;
    const files = `${freeFiles} files can be made there (inodes), and ${reserveFiles} are to stay possible`;
    const free = freeFiles < reserveFiles ? files : bytes;
    reasons.push(`its disk is nearly full, so it takes no part in writes: ${free}`);
  }
  if (!status.leaseHeld) {
    reasons.push('the node holds no lease');
    if (status.unlinked.length > 0) reasons.push(`no link stands with ${livingText(status.unlinked)}`);
    // If this node serves, it is the other one that is misconfigured.
    for (const { peer, reason } of status.refusals)
      reasons.push(`${peer} and this node refuse each other: ${reason}`);
  }
  return reasons;
}

/** Why a rolling restart should not stop this node now. (safe-to-stop.ts) */
function reasonsNotSafeToStop({ stopCosts }: NodeStatus): readonly string[] {
  return stopCosts;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
