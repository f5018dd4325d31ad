/**
 * Somebody who changes rows of PostgreSQL by hand while a cluster is running: inserts values and deletes rows, now and
 * then several changes of one key in a row. In the history each change is a write of a client that gets its answer when
 * the cluster has settled the change. What the row holds in between says nothing, because one round may carry both the
 * change and a client's write.
 */
import { Prng } from '../src/base/prng.ts';
import type { HistoryCall, HistoryOutcome } from './checkers/history.ts';
import type { SimClients } from './clients.ts';
import type { EditWatch } from './edited-rows.ts';
import type { RunProfile } from './run-profile.ts';
import { VALUE_STEP } from './values.ts';
import { keepTypes } from './versions.ts';
import type { SimWorld } from './world.ts';

/** Above the numbers that clients put. */
const VALUES_FROM = 5_000n;
const BURST_MAX = 4;
const BURST_MS_MAX = 12;

/**
 * Rows are changed by hand all the time, while clients write the same keys, processes die, scrubbers compare, and
 * PostgreSQL is down, fails over, is set back or is exchanged. An edit that PostgreSQL loses with its newest changes is
 * lost.
 */
export const BY_HAND: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 100,
    keys: Array.from({ length: 12 }, (_, index) => (index === 1 ? 'count:1' : `key:${index}`)),
    hotShare: 0.1,
    thinkMsMax: 400,
    timeoutMs: 3_000,
    conditionalShare: 0.3,
    readShare: 0.5,
    ttlShare: 0.1,
    idShare: 0.3,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['kill', 'killAtStep', 'killAll', 'pause', 'stop', 'slowPeer', 'isolate', 'cutOneWay', 'wipe'],
    ...['databaseDown', 'databaseSlow', 'join', 'leave'],
    ...['databaseAway', 'databaseFailsOver', 'databaseSetBack', 'databaseMoved'],
  ] as const,
  faultMsMean: 900,
  scrubPauseMs: 300,
  handMsMean: 250,
};

/**
 * The same while all owners of slots, or most voters, are lost for good with their disks, and an operator goes on with
 * what PostgreSQL shows.
 */
export const BY_HAND_LOST: RunProfile = {
  ...BY_HAND,
  faultKinds: [
    ...['ownersLost', 'councilLost', 'ownersLost', 'councilLost', 'kill', 'killAtStep', 'pause', 'stop'],
    ...['slowPeer', 'isolate', 'wipe', 'databaseDown', 'databaseSlow', 'databaseAway', 'join'],
    ...['databaseFailsOver', 'databaseSetBack', 'databaseMoved'],
  ] as const,
  faultMsMean: 1_500,
};

interface Open {
  readonly key: string;
  readonly call: HistoryCall;
  readonly invokedAt: number;
}

export class SimHand implements EditWatch {
  writtenCount = 0;
  lostCount = 0;
  private readonly world: SimWorld;
  private readonly clients: SimClients;
  private readonly prng: Prng;
  private readonly open = new Map<number, Open>();
  private valueNext = VALUES_FROM;
  private stopped = false;

  constructor(world: SimWorld, clients: SimClients, seed: number, msMean: number) {
    this.world = world;
    this.clients = clients;
    this.prng = new Prng(seed ^ 0x4a4d);
    world.database.server.edits.watch = this;
    world.database.isEdited = true;
    this.next(msMean);
  }

  /** No further changes are made. */
  stop(): void {
    this.stopped = true;
  }

  /** A change that is still open at the end may or may not have been carried out. */
  end(): void {
    for (const each of this.open.values()) this.write(each, { kind: 'indefinite' });
    this.open.clear();
  }

  settled(id: number, version: number | null, isExact: boolean): void {
    const each = this.open.get(id);
    if (each === undefined) return;
    this.open.delete(id);
    if (version === null) {
      this.lostCount += 1;
      const isCertain = isExact && !this.mayBeForgotten(each);
      return this.write(each, { kind: isCertain ? 'definiteFailure' : 'indefinite' });
    }
    this.writtenCount += 1;
    this.clients.acknowledged.push({ key: each.key, version });
    this.write(each, { kind: 'done', version });
  }

  private next(msMean: number): void {
    const { scheduler, plan } = this.world;
    scheduler.after(this.prng.between(0, 2 * msMean), () => {
      if (this.stopped) return;
      const key = this.prng.chance(plan.hotShare) ? plan.keys[0]! : this.prng.pick(plan.keys);
      const count = this.prng.chance(0.3) ? 1 + this.prng.below(BURST_MAX) : 1;
      for (let index = 0; index < count; index += 1)
        scheduler.after(index * this.prng.between(0, BURST_MS_MAX), () => this.change(key));
      this.next(msMean);
    });
  }

  private change(key: string): void {
    const { database, cluster } = this.world;
    if (database.isDown) return;
    const before = database.standing(key)?.record;
    const isDeletion = before?.tombstone === false && this.prng.chance(0.3);
    const value = String(this.valueNext++ * VALUE_STEP);
    const invokedAt = this.clients.now;
    const id = database.edit(key, isDeletion ? null : Buffer.from(value));
    if (id === null) return;
    const isAnyUp = cluster.nodes.some(({ node }) => node !== null);
    if (!isDeletion) this.clients.types.began(value, isAnyUp && keepTypes(cluster));
    const call: HistoryCall = isDeletion ? { kind: 'delete' } : { kind: 'put', value };
    this.open.set(id, { key, call, invokedAt });
  }

  /** It may have been written by owners that were lost since, and overwritten: nobody remembers its operation id. */
  private mayBeForgotten({ key, invokedAt }: Open): boolean {
    return this.world.losses.history.some((loss) => loss.key === key && loss.returnedAt >= invokedAt);
  }

  private write({ key, call, invokedAt }: Open, outcome: HistoryOutcome): void {
    const returnedAt = outcome.kind === 'indefinite' ? Infinity : this.clients.now;
    this.clients.history.push({ key, client: 'hand', call, outcome, invokedAt, returnedAt });
  }
}
