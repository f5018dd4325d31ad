/**
 * The part of a founding that PostgreSQL decides: the row of the cluster's life is taken by compare-and-set, so
 * that of two halves only one can begin, and what stands in the table says above which version this life
 * starts. Without a system of record the first life is 1 and nothing stands anywhere. (PROTOCOL R8, R27)
 */
import { FoundingLook, isUnlived } from '../core/founding-look.ts';
import { livingIn, livingText } from '../core/lives.ts';
import type { StandingLife } from '../core/lives.ts';
import type { Introduction } from '../core/membership-message.ts';
import { PROTOCOL_UNTOLD } from '../core/protocol-versions.ts';
import { foundTopology } from '../core/topology-change.ts';
import { foundedOn } from '../core/record-standing.ts';
import type { RecordStanding, Topology } from '../core/topology.ts';
import { counterOf } from '../core/version.ts';
import type { Random } from '../ports/random.ts';
import type { Founding, RecordError, SystemOfRecord } from '../ports/system-of-record.ts';
import type { MembershipParts } from './membership-parts.ts';
import type { Neighbours } from './neighbours.ts';

export interface FoundingFacts {
  readonly clusterId: string;
  readonly life: number;
  /** Counter above which all versions of this life start. */
  readonly floorCounter: number;
  /** Nothing stands in the table that the owners would have to load. */
  readonly loaded: boolean;
  /** Null: there is none. */
  readonly record: RecordStanding | null;
}

/** A life that was, or was to be, taken from PostgreSQL: after which one, and under which name. */
interface BegunFounding {
  readonly expectLife: number;
  readonly clusterId: string;
}

/** Takes the founding row and proposes the first topology, or null where it was not to be had. */
export type Found = (propose: (topology: Topology | null) => void) => void;

export class Founder {
  private readonly parts: MembershipParts;
  private readonly neighbours: Pick<Neighbours, 'meetLiving'>;
  private readonly introductions: () => ReadonlyMap<string, Introduction>;
  /** The last founding that this process has begun: nobody lives in it, or this node would know. */
  private begun: BegunFounding | null = null;
  private readonly look = new FoundingLook();
  /** The life beside which this founder waits, 0 for none: told once. */
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
   * Reads which life stands; `begin` then gets what takes the one after it, or null where PostgreSQL does not say, or somebody may
   * live in that one: who is named there is met, and may let this node in. To be called again and again, for a life is
   * left behind only when nobody was seen in it for a while. It is
   * read before anyone is asked for a vote. So a founding that another founder took meanwhile makes ours fail, and one
   * taken before is either seen in the votes or can no longer be chosen. Read only later, a life could be taken although
   * an earlier one has been chosen: a cluster whose every statement is fenced. (R27)
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

  /** Votes may have taken a while: it is looked once more. */
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
   * What this process took before and nobody lives in is taken once more, as is what it may still take: votes were outbid, a founder
   * was not heard for a moment, or the answer was lost or comes late. Every founder was asked since and none has accepted
   * anything, so its first topology was not chosen, and under an older ballot it cannot be any more. Another life would look
   * like a cluster that was lost. (R27)
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

/** The life that stands, null for none, or in words why it is not known. May call back at once. */
export function readLife(
  record: SystemOfRecord | null,
  done: (standing: StandingLife | string | null) => void,
): void {
  if (record === null) return done(null);
  record.readLife((error, standing) => done(error === null ? standing : reasonOf(error)));
}

/** Calls back once, with the reason in words where the founding was not taken, or nobody knows. May call back at once. */
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

/** The cluster id is drawn anew for each founding, so it tells whose compare-and-set succeeded. */
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

/** The first epoch, of the members as they introduced themselves. */
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

/** 128 bits in hexadecimal. */
export function drawClusterId(random: Random): string {
  let id = '';
  for (let digit = 0; digit < 32; digit++) id += Math.floor(random.next() * 16).toString(16);
  return id;
}
