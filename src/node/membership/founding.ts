/**
 * PostgreSQL's part in a founding. The row of the cluster's life is taken by compare-and-set, so that only one of two
 * halves can begin; the table's content decides above which version this life starts. Without a system of record the
 * first life is 1, and there is no earlier data. (PROTOCOL R8, R27)
 */
import { FoundingLook, isUnlived } from '../../core/lives/founding-look.ts';
import { livingIn, livingText } from '../../core/lives/lives.ts';
import type { StandingLife } from '../../core/lives/lives.ts';
import type { Introduction } from '../../core/membership/membership-message.ts';
import { PROTOCOL_UNTOLD } from '../../core/membership/protocol-versions.ts';
import { foundTopology } from '../../core/membership/topology-change.ts';
import { foundedOn } from '../../core/system-of-record/record-standing.ts';
import type { RecordStanding, Topology } from '../../core/membership/topology.ts';
import { counterOf } from '../../core/version.ts';
import type { Random } from '../../ports/random.ts';
import type { Founding, RecordError, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { MembershipParts } from './parts.ts';
import type { Neighbours } from './neighbours.ts';

export interface FoundingFacts {
  readonly clusterId: string;
  readonly life: number;
  /** The counter above which all versions of this life start. */
  readonly floorCounter: number;
  /** The table has no rows that the owners would have to load. */
  readonly loaded: boolean;
  /** Null if there is no system of record. */
  readonly record: RecordStanding | null;
}

/** A life that was taken, or is to be taken, from PostgreSQL: which life it follows, and its name. */
interface BegunFounding {
  readonly expectLife: number;
  readonly clusterId: string;
}

/** Takes the founding row and proposes the first topology, or null if the row could not be taken. */
export type Found = (propose: (topology: Topology | null) => void) => void;

export class Founder {
  private readonly parts: MembershipParts;
  private readonly neighbours: Pick<Neighbours, 'meetLiving'>;
  private readonly introductions: () => ReadonlyMap<string, Introduction>;
  /** The last founding that this process began: nobody lives in it, or this node would know. */
  private begun: BegunFounding | null = null;
  private readonly look = new FoundingLook();
  /** The life on whose end this founder waits, 0 if none: reported once. */
  private lifeAwaited = 0;

  constructor(
    parts: MembershipParts,
    neighbours: Pick<Neighbours, 'meetLiving'>,
    introductions: () => ReadonlyMap<string, Introduction>,
  ) {
    this.parts = parts;
    this.neighbours = neighbours;
    this.introductions = introductions;
  }

  /**
   * Reads the life in force. `begin` then gets a function that takes the next life; or null if PostgreSQL does not
   * answer, or somebody may live in the life in force: members named there are contacted, and may admit this node. Call
   * it repeatedly, because a life is replaced only when nobody has been seen in it for a while.
   *
   * The life is read before anyone is asked for a vote. So if another founder takes a life in between, ours fails; and
   * a life taken earlier is either seen in the votes or can no longer be chosen. If it were read later, a life could be
   * taken although an earlier one has been chosen: a cluster whose every statement is fenced. (R27)
   */
  prepare(begin: (found: Found | null) => void): void {
    const { parts } = this;
    this.lookAt((standing) => {
      if (typeof standing === 'string') return begin(this.refuse(standing));
      if (!this.isClear(standing)) return begin(this.await(standing!));
      this.lifeAwaited = 0;
      begin((propose) =>
        this.take(standing?.life ?? 0, (result) =>
          propose(
            typeof result === 'string'
              ? this.refuse(result)
              : firstTopology(result, parts, this.introductions()),
          ),
        ),
      );
    });
  }

  /** Voting may have taken a while, so the life in force is checked once more. */
  private take(expectLife: number, done: (result: FoundingFacts | string) => void): void {
    this.lookAt((standing) => {
      if (typeof standing === 'string') return done(standing);
      if ((standing?.life ?? 0) !== expectLife) return done('another founding came first');
      if (!this.isClear(standing)) return done('somebody has come up in the life in force');
      const { expectLife: replaced, clusterId } = this.toTake(standing);
      takeFounding(this.parts.systemOfRecord, replaced, clusterId, done);
    });
  }

  /**
   * The life to take. A life that this process took before, and in which nobody lives, is taken again, as is one that
   * it may still be taking: it was outvoted, a founder was briefly unreachable, or the answer was lost or late. All
   * founders were asked since and none has accepted anything, so its first topology was not chosen, and under an older
   * ballot it cannot be any more. Taking yet another life would look like a cluster that was lost. (R27)
   */
  private toTake(standing: StandingLife | null): BegunFounding {
    const { begun, parts } = this;
    const expectLife = standing?.life ?? 0;
    if (begun !== null && parts.mutations?.foundAnew !== true)
      if (begun.expectLife === expectLife || isUnlived(standing, begun.clusterId)) return begun;
    this.begun = { expectLife, clusterId: drawClusterId(parts.random) };
    return this.begun;
  }

  private lookAt(done: (standing: StandingLife | string | null) => void): void {
    readLife(this.parts.systemOfRecord, (standing) => {
      if (typeof standing === 'string') this.look.failed();
      done(standing);
    });
  }

  private isClear(standing: StandingLife | null): boolean {
    const { mutations, clock } = this.parts;
    if (mutations?.foundBesideLiving === true) return true;
    if (mutations?.trustOldNote === true && livingIn(standing) === null) return true;
    return this.look.isClear(standing, this.begun?.clusterId ?? '', clock.now());
  }

  private await(standing: StandingLife): null {
    const living = livingIn(standing) ?? [];
    const isNews = this.neighbours.meetLiving(living) || this.lifeAwaited !== standing.life;
    this.lifeAwaited = standing.life;
    if (isNews)
      this.parts.telemetry.event('warn', 'membership.founding.awaits', {
        life: standing.life,
        living: livingText(living),
      });
    return null;
  }

  private refuse(reason: string): null {
    this.parts.telemetry.event('warn', 'membership.founding.failed', { reason });
    return null;
  }
}

/** Reads the life in force: null if there is none, or a text that says why it is unknown. May call back at once. */
export function readLife(
  record: SystemOfRecord | null,
  done: (standing: StandingLife | string | null) => void,
): void {
  if (record === null) return done(null);
  record.readLife((error, standing) => done(error === null ? standing : reasonOf(error)));
}

/**
 * Calls back once, with the reason as a text if the founding was not taken, or its outcome is unknown. May call back at
 * once.
 */
export function takeFounding(
  record: SystemOfRecord | null,
  expectLife: number,
  clusterId: string,
  done: (result: FoundingFacts | string, isKnown: boolean) => void,
): void {
  if (record === null) return done({ clusterId, life: 1, floorCounter: 1, loaded: true, record: null }, true);
  record.found(expectLife, clusterId, (error, founding) => {
    if (error !== null) return done(reasonOf(error), false);
    done(factsOf(founding, clusterId, expectLife + 1), true);
  });
}

/** The cluster id is random for each founding, so it tells whose compare-and-set succeeded. */
function factsOf(founding: Founding | null, clusterId: string, life: number): FoundingFacts | string {
  if (founding === null) return 'the founding row is missing';
  if (founding.clusterId !== clusterId || founding.life !== life) return 'another founding came first';
  return {
    clusterId,
    life,
    floorCounter: counterOf(founding.highestVersion) + 1,
    loaded: !founding.hasRows,
    record: foundedOn(founding.identity),
  };
}

function reasonOf(error: RecordError): string {
  return `the system of record: ${error.message}`;
}

/** The first epoch, with the members as they introduced themselves. */
function firstTopology(
  facts: FoundingFacts,
  parts: MembershipParts,
  introductions: ReadonlyMap<string, Introduction>,
): Topology {
  const members = parts.members.map(({ name, address, weight }) => {
    const { incarnation = 0, zone = '', host = '' } = introductions.get(name) ?? {};
    return { name, address, zone, host, weight, incarnation };
  });
  const { replicaCount, ownerCountMin, leaseMs, clockDrift, healAfterMs } = parts.settings;
  const { place } = parts;
  const settings = { replicaCount, ownerCountMin, leaseMs, clockDrift, healAfterMs };
  const protocol = Math.min(
    ...parts.members.map(({ name }) => introductions.get(name)?.protocol ?? PROTOCOL_UNTOLD),
  );
  return foundTopology({ ...facts, members, place, ...settings, protocol });
}

/** 128 random bits in hexadecimal. */
export function drawClusterId(random: Random): string {
  let id = '';
  for (let digit = 0; digit < 32; digit++) id += Math.floor(random.next() * 16).toString(16);
  return id;
}
