/**
 * Writes one batch of rows through a pipeline until all of them are settled: rows that failed are repeated as long as
 * others succeed, and for a while after that. Rows either replace whatever stands, or, with `keepsFromMs`, leave alone
 * what was written at that time or later: then each is written on the condition that what was found still stands.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CausewayClient, CausewayError, Entry, Expected, Pipeline } from '../client/index.ts';
import type { Output } from './client-command.ts';
import type { Row } from './import-rows.ts';
import { Stall } from './stall.ts';

const RETRY_DELAY_MS = 200;
const RETRY_DELAY_MS_MAX = 5_000;

export class RowWriter {
  /** Rows that were left out since their keys have other, newer values. */
  leftCount = 0;
  readonly #client: CausewayClient;
  readonly #stderr: Output;
  readonly #keepsFromMs: number | undefined;
  #pipeline: Pipeline | undefined;

  /**
   * `keepsFromMs`: values written at this time (milliseconds since 1970) or later are left as they are; -Infinity: all
   * values; undefined: none.
   */
  constructor(client: CausewayClient, stderr: Output, keepsFromMs: number | undefined) {
    this.#client = client;
    this.#stderr = stderr;
    this.#keepsFromMs = keepsFromMs;
  }

  async close(): Promise<void> {
    await this.#pipeline?.close();
  }

  /** Each key may occur once among the rows. Resolves to undefined when all are settled, else to the reason why not. */
  async write(rows: readonly Row[], operationId: Uint8Array | undefined): Promise<string | undefined> {
    let left = rows;
    const stall = new Stall(this.#stderr);
    for (let delayMs = RETRY_DELAY_MS; left.length > 0; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX)) {
      const { failed, error } = await this.#attempt(left, operationId);
      if (error === undefined) return undefined;
      if (error.code === 'invalid_argument' || error.code === 'not_supported') return error.message;
      if (failed.length < left.length) stall.end();
      const fault = `${error.code}: ${error.message}`;
      if (stall.isOver(fault)) return fault;
      left = failed;
      await delay(delayMs);
    }
    return undefined;
  }

  async #attempt(
    rows: readonly Row[],
    operationId: Uint8Array | undefined,
  ): Promise<{ failed: Row[]; error: CausewayError | undefined }> {
    const { CausewayError } = await import('../client/index.ts');
    const failed: Row[] = [];
    let error: CausewayError | undefined;
    const note = (row: Row, fault: unknown): void => {
      if (!(fault instanceof CausewayError)) throw fault;
      failed.push(row);
      error = fault;
      // The pipeline may have ended; the next attempt opens another one, perhaps to another node.
      if (fault.code === 'transport' || fault.code === 'not_ready') this.#pipeline = undefined;
    };
    try {
      this.#pipeline ??= await this.#client.pipeline();
    } catch (fault) {
      note(rows[0]!, fault);
      return { failed: [...rows], error };
    }
    const pipeline = this.#pipeline;
    const writes: Promise<void>[] = [];
    for (const row of rows) {
      await pipeline.room();
      writes.push(this.#put(pipeline, row, operationId).catch((fault: unknown) => note(row, fault)));
    }
    await Promise.all(writes);
    if (this.#pipeline !== pipeline) await pipeline.close();
    return { failed, error };
  }

  async #put(pipeline: Pipeline, row: Row, operationId: Uint8Array | undefined): Promise<void> {
    const { key, value, ttlMs, contentType } = row;
    const options = { ttlMs, contentType, operationId };
    if (this.#keepsFromMs === undefined) return void (await pipeline.set(key, value, options));
    for (let expected: Expected = 'absent'; ; await pipeline.room()) {
      const compared = await pipeline.compareAndSet(key, expected, value, options);
      if (compared.applied) return;
      const { current } = compared;
      // An attempt whose outcome was unknown may have written it; so may an import before this one.
      if (current !== undefined && isSame(row, current)) return;
      if (current !== undefined && current.updatedAtMs >= this.#keepsFromMs) return void this.leftCount++;
      expected = current === undefined ? 'absent' : { version: current.version };
    }
  }
}

function isSame({ value, contentType }: Row, { value: found, contentType: typeFound }: Entry): boolean {
  return Buffer.compare(value, found) === 0 && contentType === typeFound;
}
