/**
 * Operations that other nodes hand to this one, and the way of their answers back. An answer that finds no link is
 * kept until the next one is up: the asker hears of a broken link, but not that an answer met none.
 */
import { failure } from '../core/errors.ts';
import type { ForwardRead, ForwardReadAnswer, ForwardWrite, ForwardWriteAnswer } from '../core/message.ts';
import { startRead } from './get.ts';
import { startWrite } from './put.ts';
import type { Serving } from './serving.ts';

/** Answers kept per peer; beyond it the oldest go, and their askers wait for their deadlines. */
const KEPT_COUNT_MAX = 1_000;

type Answer = ForwardReadAnswer | ForwardWriteAnswer;

export interface ForwardServiceParts {
  readonly serving: Serving;
  readonly send: (peer: string, message: Answer) => void;
  readonly isLinked: (peer: string) => boolean;
  /** False where the node takes no more. */
  readonly admit: () => boolean;
  readonly leave: () => void;
  readonly draining: () => boolean;
}

export class ForwardService {
  private readonly parts: ForwardServiceParts;
  private readonly kept = new Map<string, Answer[]>();

  constructor(parts: ForwardServiceParts) {
    this.parts = parts;
  }

  onRequest(peer: string, message: ForwardRead | ForwardWrite): void {
    const { serving, admit, leave, draining } = this.parts;
    const { request, hops, timeoutMs } = message;
    const refusal = admit() ? null : failure(draining() ? 'not_ready' : 'overloaded');
    if (message.kind === 'forwardRead') {
      if (refusal !== null) {
        return this.answer(peer, {
          kind: 'forwardReadAnswer',
          request,
          result: { kind: 'failed', failure: refusal },
        });
      }
      const { key, miss } = message;
      return startRead(serving, { key, timeoutMs, hops, miss, mayAskLegacy: true }, (result) => {
        leave();
        this.answer(peer, { kind: 'forwardReadAnswer', request, result });
      });
    }
    if (refusal !== null) {
      return this.answer(peer, {
        kind: 'forwardWriteAnswer',
        request,
        result: { kind: 'failed', failure: refusal },
      });
    }
    startWrite(serving, { operation: message.operation, timeoutMs, hops }, (result) => {
      leave();
      this.answer(peer, { kind: 'forwardWriteAnswer', request, result });
    });
  }

  onLinkUp(peer: string): void {
    const kept = this.kept.get(peer);
    if (kept === undefined) return;
    this.kept.delete(peer);
    for (const answer of kept) this.parts.send(peer, answer);
  }

  private answer(peer: string, message: Answer): void {
    if (this.parts.isLinked(peer)) return this.parts.send(peer, message);
    let kept = this.kept.get(peer);
    if (kept === undefined) this.kept.set(peer, (kept = []));
    kept.push(message);
    if (kept.length > KEPT_COUNT_MAX) kept.shift();
  }
}
