/**
 * Many keys that are written once each and then again and again, with the version of the last acknowledged write of
 * each, which must be there afterwards at every node.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../src/client/index.ts';
import type { CausewayClient } from '../src/client/index.ts';
import type { Pipeline } from '../src/client/pipeline.ts';

const TIMEOUT_MS = 30_000;
/** How often a failed operation is repeated where nothing is measured: on a busy machine a lease is lost now and then. */
const ATTEMPTS_MAX = 50;
const REST_MS = 200;
/** Keys between two lines of progress. */
const TELL_EVERY = 5_000;

export class KeySpace {
  readonly count: number;
  private readonly prefix: string;
  /** By key; 0 if nothing was acknowledged. */
  private readonly versions: Float64Array;

  constructor(prefix: string, count: number) {
    this.prefix = prefix;
    this.count = count;
    this.versions = new Float64Array(count);
  }

  key(at: number): string {
    return `${this.prefix}${at}`;
  }

  drawn(): number {
    return Math.floor(Math.random() * this.count);
  }

  /** A single attempt. */
  async put(pipeline: Pipeline, at: number, value: Uint8Array): Promise<void> {
    const version = await pipeline.set(this.key(at), value);
    this.versions[at] = Math.max(this.versions[at]!, version);
  }

  /** Writes every key once, as fast as the nodes accept them. `tell` is called with the number done. */
  async fill(addresses: readonly string[], value: () => Uint8Array, tell: Tell): Promise<void> {
    await this.each(addresses, tell, (pipeline, at) => this.put(pipeline, at, value()));
  }

  /** How many keys have an acknowledged write that this node does not return, nor a later one. */
  async missingAt(address: string, tell: Tell): Promise<number> {
    let missing = 0;
    await this.each([address], tell, async (pipeline, at) => {
      const entry = await pipeline.getWithMeta(this.key(at));
      if (this.versions[at]! > 0 && (entry === undefined || entry.version < this.versions[at]!)) missing += 1;
    });
    return missing;
  }

  private async each(
    addresses: readonly string[],
    tell: Tell,
    act: (pipeline: Pipeline, at: number) => Promise<void>,
  ): Promise<void> {
    const clients: CausewayClient[] = addresses.map((address) => connect({ nodes: [address] }));
    try {
      const pipelines = await Promise.all(
        clients.map((client) => client.pipeline({ timeoutMs: TIMEOUT_MS })),
      );
      const open = new Set<Promise<void>>();
      let fault: Error | null = null;
      for (let at = 0; at < this.count && fault === null; at += 1) {
        const pipeline = pipelines[at % pipelines.length]!;
        await pipeline.room();
        const one: Promise<void> = patiently(pipeline, () => act(pipeline, at))
          .catch((error: unknown) => void (fault ??= error as Error))
          .finally(() => open.delete(one));
        open.add(one);
        if (at % TELL_EVERY === 0) tell(at);
      }
      await Promise.all(open);
      if (fault !== null) throw fault as Error;
    } finally {
      for (const client of clients) client.close();
    }
  }
}

/** Called with the number of keys done. */
type Tell = (done: number) => void;

async function patiently(pipeline: Pipeline, act: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      await delay(REST_MS);
      await pipeline.room();
    }
  }
}
