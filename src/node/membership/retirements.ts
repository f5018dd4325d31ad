/** Which former owners have finished in the slots that they give up; the next epoch may be without those. */
import type { Topology } from '../../core/membership/topology.ts';

/** Milliseconds from when the first former owner has finished until the others are no longer waited for. */
const RETIRING_PATIENCE_MS = 300;

export class Retirements {
  /** By member id: the epoch in which it said so last. */
  private readonly epochOf = new Map<number, number>();
  /** When the first of them did in this epoch. */
  private since: number | null = null;

  /** A member reports, in this epoch, that nothing is left to finish. */
  saw(id: number, epoch: number, now: number): void {
    if (this.epochOf.get(id) === epoch) return;
    this.epochOf.set(id, epoch);
    this.since ??= now;
  }

  onTopology(): void {
    this.since = null;
  }

  has(id: number, { epoch }: Topology): boolean {
    return this.epochOf.get(id) === epoch;
  }

  patienceOver(now: number): boolean {
    return this.since !== null && now - this.since > RETIRING_PATIENCE_MS;
  }
}
