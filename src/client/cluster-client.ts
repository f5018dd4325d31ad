/** The part of the client that operators use: questions to nodes, and orders to the cluster. */
import { factsOfServer } from './cluster-facts.ts';
import type {
  AdoptRecordOrder,
  ClusterFacts,
  ClusterLoss,
  ClusterQuorum,
  MovePlan,
  PlannedChange,
  RecordServerFacts,
  ScrubRate,
} from './cluster-facts.ts';
import type { Calls } from './calls.ts';
import { checkedKey, entryOf } from './entry.ts';
import { METHODS } from './methods.ts';
import type { CallOptions, Inspected } from './options.ts';

/** Every call fails with a {@link CausewayError}. A `node` is its address, host:port. */
export class ClusterClient {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** What this particular node holds for the key in its own store. */
  async inspect(node: string, key: string, options: CallOptions = {}): Promise<Inspected> {
    const answer = await this.#calls.at(node, METHODS.inspect, { key: checkedKey(key) }, options);
    const { owner, slot, valid, tombstone, record } = answer;
    return { owner, slot, valid, tombstone, entry: record === null ? undefined : entryOf(record) };
  }

  /**
   * The status that this particular node reports about itself: the same JSON as `/v1/admin/status` over HTTP, whose
   * fields that node's `/openapi.json` describes. A node of another version may have others.
   */
  async status(node: string, options: CallOptions = {}): Promise<unknown> {
    const { json } = await this.#calls.at(node, METHODS.status, {}, options);
    return JSON.parse(json) as unknown;
  }

  /** Settings and members that the whole cluster shares, for a process that is about to join it. */
  async describe(options: CallOptions = {}): Promise<ClusterFacts> {
    return await this.#calls.call(METHODS.describe, {}, options);
  }

  /** Shows what these joins and departures would move, without changing anything. */
  async plan(change: PlannedChange, options: CallOptions = {}): Promise<MovePlan> {
    const joins = (change.joins ?? []).map(({ name, zone = '', host = '', weight = 1 }) => ({
      ...{ name, zone, host, weight },
    }));
    return await this.#calls.call(METHODS.plan, { joins, leaves: [...(change.leaves ?? [])] }, options);
  }

  /** Makes the member leave for good. Resolves to the epoch that records this; its slots begin to move then. */
  async leave(name: string, options: CallOptions = {}): Promise<number> {
    return (await this.#calls.call(METHODS.leave, { name }, options)).epoch;
  }

  /**
   * Enables the protocol version of the asked node once all members speak it. Resolves to the epoch that records this.
   */
  async finishUpgrade(options: CallOptions = {}): Promise<number> {
    return (await this.#calls.call(METHODS.finishUpgrade, {}, options)).epoch;
  }

  /**
   * Distributes the slots anew. Resolves to the epoch that records this, or to the current one if nothing had to
   * change.
   */
  async rebalance(options: CallOptions = {}): Promise<number> {
    return (await this.#calls.call(METHODS.rebalance, {}, options)).epoch;
  }

  /** The slots that have lost all complete owners, and what this particular node knows of them. Read-only. */
  async loss(node: string, options: CallOptions = {}): Promise<ClusterLoss> {
    return await this.#calls.at(node, METHODS.loss, {}, options);
  }

  /**
   * Gives up the last complete owners of all lost slots for good. `slotCount` must be the number that `loss` reported.
   * The slots are rebuilt from PostgreSQL and from what living members still hold. Resolves to the epoch that records
   * this.
   */
  async recover(slotCount: number, options: CallOptions = {}): Promise<number> {
    return (await this.#calls.call(METHODS.recover, { slots: slotCount }, options)).epoch;
  }

  /**
   * Starts a round of scrubbing at this particular node with these rate limits (0 = unlimited). Resolves to the number
   * of that round on the node.
   */
  async scrub(node: string, rate: ScrubRate, options: CallOptions = {}): Promise<number> {
    return (await this.#calls.at(node, METHODS.scrub, rate, options)).number;
  }

  /** Whether the voters that are up can choose an epoch, as this particular node sees it. Read-only. */
  async quorum(node: string, options: CallOptions = {}): Promise<ClusterQuorum> {
    return await this.#calls.at(node, METHODS.quorum, {}, options);
  }

  /**
   * For a cluster whose voters cannot choose an epoch: this particular node goes on, with the members that are up, in a
   * new life of the cluster; all other members are given up. `lost` and `lifeKept` must be what `quorum` reported for
   * this node. Resolves to the first epoch of the new life.
   */
  async succeed(
    node: string,
    order: { readonly lost: readonly string[]; readonly lifeKept: number },
    options: CallOptions = {},
  ): Promise<number> {
    const request = { ...order, lost: [...order.lost] };
    const answer = await this.#calls.at(node, METHODS.succeed, request, options);
    return answer.epoch;
  }

  /** Which PostgreSQL is in use, and which one this particular node is connected to. Read-only. */
  async recordServer(node: string, options: CallOptions = {}): Promise<RecordServerFacts> {
    const told = await this.#calls.at(node, METHODS.recordServer, {}, options);
    return factsOfServer(told);
  }

  /**
   * Adopts the PostgreSQL that this particular node is connected to, as `recordServer` reported it: it is in use from
   * then on, and what the nodes hold is committed to it. Resolves to the epoch that records this.
   */
  async adoptRecord(node: string, order: AdoptRecordOrder, options: CallOptions = {}): Promise<number> {
    return (await this.#calls.at(node, METHODS.adoptRecord, order, options)).epoch;
  }
}
