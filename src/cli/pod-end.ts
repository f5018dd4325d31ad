/**
 * What the end of a pod means. A StatefulSet gives a pod the same signal whether its process is to be started again (an update, a
 * drained machine) or its place was taken away (fewer `replicas`); a member of a cluster must tell the two apart, for in the second case
 * others have to get what it holds first. (decision 32)
 */

/** Of a StatefulSet, what decides. */
export interface Wanted {
  readonly replicas: number;
  /** Ordinal of the first pod. */
  readonly start: number;
  /** The whole set is being removed. */
  readonly isDeleted: boolean;
}

/** `stops`: with all others. There is nobody to leave anything to, nor to wait for, and the disks stay for another day. */
export type PodEnd = 'leaves' | 'restarts' | 'stops';

/** `wanted` null: there is no such set any more. */
export function podEnd(ordinal: number, wanted: Wanted | null): PodEnd {
  if (wanted === null || wanted.isDeleted || wanted.replicas === 0) return 'stops';
  const { start, replicas } = wanted;
  return ordinal < start || ordinal >= start + replicas ? 'leaves' : 'restarts';
}

/** `causeway-12` is 12 of `causeway`; undefined where the name is none of that set. */
export function ordinalOf(pod: string, set: string): number | undefined {
  const digits = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : '';
  return /^(0|[1-9]\d{0,5})$/.test(digits) ? Number(digits) : undefined;
}
