/** A node's status as a command reads it: with care, for the node may be of another build. */

export type Facts = Readonly<Record<string, unknown>>;

export function asFacts(value: unknown): Facts {
  return typeof value === 'object' && value !== null ? (value as Facts) : {};
}

export function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
}

/** The members of the cluster, by a node's word. */
export function membersOf(status: Facts): Facts[] {
  return Array.isArray(status['members']) ? status['members'].map(asFacts) : [];
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

export function isServing({ phase, leaseHeld }: Facts): boolean {
  return phase === 'serving' && leaseHeld === true;
}

/** serving, no lease, learning, ... */
export function stateOf(status: Facts): string {
  return status['phase'] === 'serving' && !isServing(status) ? 'no lease' : word(status['phase']);
}
