/**
 * Asks PostgreSQL every few seconds whether this node's life of the cluster is the one in force, and notes there that the node
 * is up. Lives need not hear of one another: blank disks may have founded a later one, or an operator may have begun it, on
 * the other side of a partition or without any member that this node knows. Whose life is over serves nothing more, starts
 * nothing and grants no lease; it looks for those who are up in the life in force, and is let in by them. (PROTOCOL R27)
 */
import { LIFE_ASK_EVERY_MS } from '../core/life-limits.ts';
import { isLifeOver, lifeAt, livingHere, livingIn, wantsSign } from '../core/lives.ts';
import type { LivingMember, StandingLife } from '../core/lives.ts';
import type { Mutations } from '../core/mutations.ts';
import type { Topology } from '../core/topology.ts';
import type { SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { MembershipSelf } from './membership-self.ts';

export interface LifeWatchParts {
  readonly own: LivingMember;
  readonly self: MembershipSelf;
  readonly record: SystemOfRecord | null;
  readonly telemetry: Telemetry;
  readonly topology: () => Topology | null;
  readonly isHeard: (name: string) => boolean;
  /** Dials them, and listens to them. */
  readonly meet: (members: readonly LivingMember[]) => void;
  readonly onOver: () => void;
  readonly mutations: Mutations;
}

export class LifeWatch {
  private readonly parts: LifeWatchParts;
  private askedAt = -Infinity;
  private isAsking = false;
  private isAnswered = false;
  private lifeAsked = 0;

  constructor(parts: LifeWatchParts) {
    this.parts = parts;
  }

  /**
   * Members that nobody serves beside may start together: their life is not over, or PostgreSQL could not be asked. What they
   * hold can be read without it; and they go on asking.
   */
  get mayStart(): boolean {
    const { record, self, mutations } = this.parts;
    if (record === null || mutations.ignoreLaterLife === true) return true;
    return this.isAnswered && !self.isOver;
  }

  /** Somebody says that he is of a later life: that is asked for at once. */
  heardOfLater(): void {
    this.askedAt = -Infinity;
  }

  tick(now: number): void {
    const { record } = this.parts;
    const topology = this.parts.topology();
    if (record === null || topology === null || this.isAsking) return;
    // Of a life that has just begun it is noted at once that somebody lives in it.
    if (now - this.askedAt < LIFE_ASK_EVERY_MS && topology.life === this.lifeAsked) return;
    this.askedAt = now;
    this.lifeAsked = topology.life;
    this.isAsking = true;
    record.readLife((error, standing) => {
      this.isAsking = false;
      this.isAnswered = true;
      const known = this.parts.topology();
      if (known === null) return;
      if (error === null) this.onAnswer(record, known, standing);
      else this.endIfOver(lifeAt(known, record.seen()));
    });
  }

  private onAnswer(record: SystemOfRecord, topology: Topology, standing: StandingLife | null): void {
    const { own, isHeard } = this.parts;
    const { identity } = this.parts.self;
    this.endIfOver(standing);
    if (identity.id === 0 || !wantsSign(identity, standing)) return;
    this.isAsking = true;
    record.signLife(identity, livingHere(own, topology, isHeard), () => (this.isAsking = false));
  }

  private endIfOver(standing: StandingLife | null): void {
    const { self, telemetry, meet, onOver, mutations } = this.parts;
    const { life } = self.identity;
    if (!isLifeOver(self.identity, standing) || mutations.ignoreLaterLife === true) return;
    if (self.endLife(standing)) {
      telemetry.event('warn', 'membership.life.over', { life, inForce: standing.life });
      onOver();
    }
    meet(livingIn(standing) ?? []);
  }
}
