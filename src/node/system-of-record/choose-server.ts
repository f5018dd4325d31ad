/** Which PostgreSQL a node uses: the one that its epoch names, and no other. */
import { serverOf } from '../../core/system-of-record/record-standing.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { NodeParts } from '../node-parts.ts';

/** Called before anything acts in the epoch: no answer of another PostgreSQL may count in it. (R30) */
export function chooseServer({ systemOfRecord, mutations }: NodeParts, topology: Topology): void {
  const server = serverOf(topology);
  if (server === undefined) return;
  // Lets a test break the rule that a life is taken from PostgreSQL.
  const isUnfenced = mutations?.succeedUnfenced === true;
  systemOfRecord?.choose(isUnfenced ? { ...server, life: 0 } : server);
}
