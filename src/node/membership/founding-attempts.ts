/**
 * When a node with a blank disk founds the cluster: once all configured members are there with blank disks too, and at
 * its turn among them. (PROTOCOL R27)
 */
import { allBlank } from '../../core/membership/membership-plan.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import { majorityOf } from '../../core/membership/topology.ts';
import type { Found, Founder } from './founding.ts';
import type { RegisterDriver } from './register-driver.ts';
import type { Situation } from './situation.ts';

/** Milliseconds by which each place among the configured members lets the ones before it found. */
const TURN_MS = 3_000;
/** Milliseconds between two looks at the life in force. */
const PAUSE_MS = 1_000;

export interface FoundingParts {
  readonly driver: RegisterDriver;
  readonly founder: Pick<Founder, 'prepare'>;
  /** Names of all configured members. */
  readonly configured: readonly string[];
  /** This process joins a cluster and founds none. */
  readonly joins: boolean;
  readonly suspicion: Suspicion;
  readonly mutations: Mutations;
  readonly situation: () => Situation;
}

export class FoundingAttempts {
  private readonly parts: FoundingParts;
  private isPreparing = false;
  /** Since when all founders have been there. */
  private allBlankSince: number | null = null;
  private notBefore = 0;

  constructor(parts: FoundingParts) {
    this.parts = parts;
  }

  tick(situation: Situation): void {
    const { now } = situation;
    if (!this.mayFound(situation)) {
      this.allBlankSince = null;
      return;
    }
    this.allBlankSince ??= now;
    // Even before its turn, and during an attempt: finding out whether the life in force is lived in takes a while.
    if (this.isPreparing || now < this.notBefore) return;
    this.notBefore = now + PAUSE_MS;
    this.isPreparing = true;
    this.parts.founder.prepare((found) => {
      this.isPreparing = false;
      if (found !== null) this.begin(found);
    });
  }

  private begin(found: Found): void {
    const { driver, configured, situation } = this.parts;
    const before = situation();
    const { now, own } = before;
    if (this.allBlankSince === null || !this.mayFound(before) || !driver.isFree(now)) return;
    const place = [...configured].sort().indexOf(own.name);
    if (now - this.allBlankSince < place * TURN_MS) return;
    const electorate = new Map(configured.map((name) => [name, 0]));
    driver.begin(
      (_base, propose) => found((topology) => propose(this.mayFound(situation()) ? topology : null)),
      { electorate, votesNeeded: this.foundersNeeded() },
      now,
    );
  }

  private mayFound({ topology, own, introductions, stopping, now }: Situation): boolean {
    const { configured, joins, suspicion } = this.parts;
    if (topology !== null || stopping || joins) return false;
    return allBlank(own, configured, introductions, suspicion, this.foundersNeeded(), now);
  }

  private foundersNeeded(): number {
    const { configured, mutations } = this.parts;
    return mutations.blankMajorityFounds === true ? majorityOf(configured.length) : configured.length;
  }
}
