/**
 * Handles operations that other nodes forward to this one, and returns the answers. An answer that finds no link is
 * kept until the next link is up: the asker hears of a broken link, but not that an answer could not be sent.
 */
import { KEPT_ANSWER_BYTES_MAX } from '../../core/limits.ts';
import type {
  ForwardCount,
  ForwardCountAnswer,
  ForwardRead,
  ForwardReadAnswer,
  ForwardScan,
  ForwardScanAnswer,
  ForwardWrite,
  ForwardWriteAnswer,
} from '../../core/message.ts';
import { bytesOfResults } from '../../core/modify/change.ts';
import { valueBytesOf } from '../../core/operation.ts';
import type { ReadResult, ScanResult, StaleResult, WriteResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { Storage } from '../../ports/storage.ts';
import type { Admission } from '../admission.ts';
import { startRead, startStaleRead } from '../get.ts';
import { countHere } from '../key-count.ts';
import { startWrite } from '../put.ts';
import { startScan } from '../scan.ts';
import type { Serving } from '../serving.ts';

/** Bytes of an answer beside its content. */
const ANSWER_OVERHEAD_BYTES = 200;

type Answer = ForwardReadAnswer | ForwardWriteAnswer | ForwardScanAnswer | ForwardCountAnswer;

export interface ForwardServiceParts {
  readonly serving: Serving;
  readonly storage: Storage;
  readonly send: (peer: string, message: Answer) => void;
  readonly isLinked: (peer: string) => boolean;
  readonly isMember: (peer: string) => boolean;
  readonly admission: Admission;
}

export class ForwardService {
  private readonly parts: ForwardServiceParts;
  /** Per peer. Beyond a bound in bytes the oldest answers are dropped, and their askers wait until their deadlines. */
  private readonly kept = new Map<string, { answers: Answer[]; bytes: number }>();

  constructor(parts: ForwardServiceParts) {
    this.parts = parts;
  }

  onRequest(peer: string, message: ForwardRead | ForwardWrite | ForwardScan): void {
    const byteCount = message.kind === 'forwardWrite' ? valueBytesOf(message.operation) : 0;
    const verb = message.kind === 'forwardWrite' ? 'write' : 'read';
    const { serving, storage, admission } = this.parts;
    const refusal = admission.refusal('peer', verb, byteCount);
    if (refusal !== null) {
      return this.answer(peer, answerOf(message, { kind: 'failed', failure: refusal }));
    }
    const { timeoutMs, hops, trace } = message;
    const { keyWatch } = serving;
    // Before the read starts, so that a change made during the read is announced too.
    const isWatched = message.kind === 'forwardRead' && message.watch;
    const session = isWatched ? keyWatch.forPeers.add(message.key, peer) : 0;
    const done = (result: ReadResult | StaleResult | WriteResult | ScanResult): void => {
      admission.leave('peer', verb, byteCount, 0);
      const watched = isWatched && keyWatch.forPeers.has(message.key, session) ? session : 0;
      this.answer(peer, answerOf(message, result, watched));
    };
    if (message.kind === 'forwardRead') {
      const { key, miss } = message;
      const request = { key, timeoutMs, hops, miss, mayAskLegacy: true, trace };
      if (message.allowStale) startStaleRead(serving, request, done);
      else startRead(serving, request, done);
    } else if (message.kind === 'forwardWrite') {
      startWrite(serving, { operation: message.operation, timeoutMs, hops, trace }, done);
    } else {
      const { after, limit } = message;
      startScan(serving, storage, { after, limit, timeoutMs, hops, trace }, done);
    }
  }

  /** Answered immediately: a peer that asked in another epoch asks again. */
  onCount(peer: string, { request, epoch }: ForwardCount): void {
    const result = countHere(this.parts.serving, epoch);
    this.answer(peer, { kind: 'forwardCountAnswer', request, result });
  }

  onLinkUp(peer: string): void {
    const kept = this.kept.get(peer);
    this.kept.delete(peer);
    this.dropFormer();
    if (kept === undefined) return;
    for (const answer of kept.answers) this.parts.send(peer, answer);
  }

  private answer(peer: string, message: Answer): void {
    if (this.parts.isLinked(peer)) return this.parts.send(peer, message);
    let kept = this.kept.get(peer);
    if (kept === undefined) {
      this.dropFormer();
      this.kept.set(peer, (kept = { answers: [], bytes: 0 }));
    }
    kept.answers.push(message);
    kept.bytes += bytesOf(message);
    if (kept.bytes <= KEPT_ANSWER_BYTES_MAX) return;
    // Drops half of them at once: dropping them one by one would shift all others each time.
    let dropped = 0;
    while (kept.bytes > KEPT_ANSWER_BYTES_MAX / 2) kept.bytes -= bytesOf(kept.answers[dropped++]!);
    kept.answers = kept.answers.slice(dropped);
  }

  /** Former members do not come back for their answers: these would be kept as long as this process runs. */
  private dropFormer(): void {
    for (const peer of this.kept.keys()) if (!this.parts.isMember(peer)) this.kept.delete(peer);
  }
}

function bytesOf({ result }: Answer): number {
  switch (result.kind) {
    case 'page':
      return result.records.reduce((sum, record) => sum + recordBytes(record), ANSWER_OVERHEAD_BYTES);
    case 'value':
    case 'stale':
      return recordBytes(result.record);
    case 'conditionFailed':
      return recordBytes(result.current);
    case 'modified':
    case 'unchanged':
      return ANSWER_OVERHEAD_BYTES * (1 + result.results.length) + bytesOfResults(result.results);
    default:
      return ANSWER_OVERHEAD_BYTES;
  }
}

function recordBytes(record: KeyRecord | undefined): number {
  return ANSWER_OVERHEAD_BYTES + (record === undefined ? 0 : record.key.length + record.value.length);
}

/** The kind of the answer, and of the result, follows from the question. */
function answerOf(
  message: ForwardRead | ForwardWrite | ForwardScan,
  result: ReadResult | StaleResult | WriteResult | ScanResult,
  watched = 0,
): Answer {
  const { request } = message;
  switch (message.kind) {
    case 'forwardRead':
      return { kind: 'forwardReadAnswer', request, result: result as ReadResult | StaleResult, watched };
    case 'forwardWrite':
      return { kind: 'forwardWriteAnswer', request, result: result as WriteResult };
    case 'forwardScan':
      return { kind: 'forwardScanAnswer', request, result: result as ScanResult };
  }
}
