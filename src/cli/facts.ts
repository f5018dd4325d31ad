/** Reads a node's status defensively, because the node may be of another version. */

export type Facts = Readonly<Record<string, unknown>>;

export function asFacts(value: unknown): Facts {
  return typeof value === 'object' && value !== null ? (value as Facts) : {};
}

export function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
}

/** The members of the cluster, as this node knows them. */
export function membersOf(status: Facts): Facts[] {
  return Array.isArray(status['members']) ? status['members'].map(asFacts) : [];
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

export function isServing({ phase, leaseHeld }: Facts): boolean {
  return phase === 'serving' && leaseHeld === true;
}

/** For example "serving", "no lease" or "learning". */
export function stateOf(status: Facts): string {
  return status['phase'] === 'serving' && !isServing(status) ? 'no lease' : word(status['phase']);
}
