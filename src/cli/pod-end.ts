/**
 * Decides what the end of a pod means. A StatefulSet sends a pod the same signal whether it is to be restarted (an
 * update, a drained machine) or its place was removed (fewer `replicas`). A cluster member must tell the two apart,
 * because in the second case others must first take over what it holds. (decision 32)
 */

/** The deciding fields of a StatefulSet. */
export interface Wanted {
  readonly replicas: number;
  /** Ordinal of the first pod. */
  readonly start: number;
  /** The whole set is being deleted. */
  readonly isDeleted: boolean;
}

/** `stops`: together with all others. There is nobody to take over and nobody to wait for, and the disks are kept. */
export type PodEnd = 'leaves' | 'restarts' | 'stops';

/** `wanted` is null if the StatefulSet no longer exists. */
export function podEnd(ordinal: number, wanted: Wanted | null): PodEnd {
  if (wanted === null || wanted.isDeleted || wanted.replicas === 0) return 'stops';
  const { start, replicas } = wanted;
  return ordinal < start || ordinal >= start + replicas ? 'leaves' : 'restarts';
}

/** The ordinal in a pod's name: 12 for `causeway-12` of `causeway`. Undefined if the pod is not part of that set. */
export function ordinalOf(pod: string, set: string): number | undefined {
  const digits = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : '';
  return /^(0|[1-9]\d{0,5})$/.test(digits) ? Number(digits) : undefined;
}
