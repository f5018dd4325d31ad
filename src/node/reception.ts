/**
 * Where client operations enter a node: each is admitted or refused at once, started in the next turn, and counted
 * until it is answered.
 */
import type { Failure } from '../core/errors.ts';
import { valueBytesOf } from '../core/operation.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import type { Storage } from '../ports/storage.ts';
import type { Admission, Verb } from './admission.ts';
import { startRead, startStaleRead } from './get.ts';
import type { ReadRequest } from './get.ts';
import { startWrite } from './put.ts';
import { startScan } from './scan.ts';
import type { Serving } from './serving.ts';
import { UNTIMED } from './timing.ts';

export class Reception {
  private readonly serving: Serving;
  private readonly storage: Storage;
  private readonly admission: Admission;
  private readonly timing: typeof UNTIMED;

  constructor(serving: Serving, storage: Storage, admission: Admission, timing = UNTIMED) {
    this.timing = timing;
    this.serving = serving;
    this.storage = storage;
    this.admission = admission;
  }

  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void {
    const request = this.requestOf(key, timeoutMs);
    this.begin('read', done, (end) => startRead(this.serving, request, end));
  }

  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void {
    const request = this.requestOf(key, timeoutMs);
    this.begin('read', done, (end) => startStaleRead(this.serving, request, end));
  }

  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void {
    const arrivedAt = this.timing.stamp();
    const trace = this.serving.traces?.active;
    const start = (end: (result: WriteResult) => void): void =>
      startWrite(this.serving, { operation, timeoutMs, hops: 0, arrivedAt, trace }, end);
    this.begin('write', done, start, valueBytesOf(operation));
  }

  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void {
    const request = { after, limit, timeoutMs, hops: 0, trace: this.serving.traces?.active };
    this.begin('read', done, (end) => startScan(this.serving, this.storage, request, end));
  }

  private begin<Result>(
    verb: Verb,
    done: (result: Result | { kind: 'failed'; failure: Failure }) => void,
    start: (end: (result: Result) => void) => void,
    byteCount = 0,
  ): void {
    const { clock } = this.serving;
    const refusal = this.admission.refusal('client', verb, byteCount);
    if (refusal !== null) return clock.defer(() => done({ kind: 'failed', failure: refusal }));
    const mark = this.admission.markOf(verb);
    clock.defer(() =>
      start((result) => {
        this.admission.leave('client', verb, byteCount, mark);
        done(result);
      }),
    );
  }

  private requestOf(key: string, timeoutMs: number): ReadRequest {
    const trace = this.serving.traces?.active;
    const arrivedAt = this.timing.stamp();
    return { key, timeoutMs, hops: 0, miss: false, mayAskLegacy: true, arrivedAt, trace };
  }
}
