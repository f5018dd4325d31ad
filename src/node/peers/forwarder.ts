/**
 * Forwards operations to owners and receives their answers. If an answer cannot come any more (the link or the peer is
 * gone) that is reported as lost at once. The flow decides what it means: a read is sent elsewhere, a write's outcome
 * is unknown. (PROTOCOL R33)
 */
import { ChurningMap } from '../../base/churning-map.ts';
import type { Failure } from '../../core/errors.ts';
import type { ForwardMessage, ForwardReadAnswer } from '../../core/message.ts';
import { refusalOfPeer, SINCE } from '../../core/membership/protocol-versions.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type {
  CountResult,
  ReadResult,
  ScanResult,
  StaleResult,
  WriteOperation,
  WriteResult,
} from '../../core/operation.ts';

/** `watched`: the session under which the peer watches the key; 0 if it does not. */
export type ReadDone = (result: ReadResult | StaleResult | 'lost', watched: number) => void;

/** What a read asks for besides its key. */
export interface ReadFlags {
  readonly miss: boolean;
  readonly allowStale: boolean;
  readonly watch: boolean;
}

interface Pending {
  readonly peer: string;
  readonly onRead: ReadDone | null;
  readonly onWrite: ((result: WriteResult | 'lost') => void) | null;
  readonly onScan: ((result: ScanResult | 'lost') => void) | null;
  readonly onCount: ((result: CountResult | 'lost') => void) | null;
}

export class Forwarder {
  private readonly send: (peer: string, message: ForwardMessage) => void;
  private readonly isLinked: (peer: string) => boolean;
  private readonly protocolOf: (peer: string) => number;
  private readonly pending = new ChurningMap<number, Pending>();
  private next: number;

  /** `requestFirst` is random, so that an answer to an earlier process of this name matches no request here. */
  constructor(
    send: (peer: string, message: ForwardMessage) => void,
    isLinked: (peer: string) => boolean,
    protocolOf: (peer: string) => number,
    requestFirst: number,
  ) {
    this.send = send;
    this.isLinked = isLinked;
    this.protocolOf = protocolOf;
    this.next = requestFirst;
  }

  /** Why the operation cannot be forwarded to the peer although a link is up; null if it can. (decision 19) */
  whyNot(peer: string, { kind }: WriteOperation): Failure | null {
    if (kind !== 'modify' || !this.isLinked(peer)) return null;
    const protocol = this.protocolOf(peer);
    return protocol >= SINCE.modify ? null : refusalOfPeer(peer, protocol, SINCE.modify);
  }

  /** Returns the number of the request, for `forget`; 0 if no link is up and nothing was sent. */
  read(
    peer: string,
    key: string,
    flags: ReadFlags,
    hops: number,
    timeoutMs: number,
    done: ReadDone,
    trace?: TraceContext,
  ): number {
    if (!this.isLinked(peer)) return 0;
    const request = this.begin({ peer, onRead: done, onWrite: null, onScan: null, onCount: null });
    this.send(peer, { kind: 'forwardRead', request, hops, timeoutMs, key, ...flags, trace });
    return request;
  }

  write(
    peer: string,
    operation: WriteOperation,
    hops: number,
    timeoutMs: number,
    done: (result: WriteResult | 'lost') => void,
    trace?: TraceContext,
  ): number {
    if (!this.isLinked(peer)) return 0;
    const request = this.begin({ peer, onRead: null, onWrite: done, onScan: null, onCount: null });
    this.send(peer, { kind: 'forwardWrite', request, hops, timeoutMs, operation, trace });
    return request;
  }

  scan(
    peer: string,
    after: string,
    limit: number,
    hops: number,
    timeoutMs: number,
    done: (result: ScanResult | 'lost') => void,
    trace?: TraceContext,
  ): number {
    if (!this.isLinked(peer)) return 0;
    const request = this.begin({ peer, onRead: null, onWrite: null, onScan: done, onCount: null });
    this.send(peer, { kind: 'forwardScan', request, hops, timeoutMs, after, limit, trace });
    return request;
  }

  /** Why the peer cannot count although a link is up; null if it can. (decision 19) */
  whyNotCount(peer: string): Failure | null {
    if (!this.isLinked(peer)) return null;
    const protocol = this.protocolOf(peer);
    return protocol >= SINCE.keyCount ? null : refusalOfPeer(peer, protocol, SINCE.keyCount);
  }

  count(peer: string, epoch: number, done: (result: CountResult | 'lost') => void): number {
    if (!this.isLinked(peer)) return 0;
    const request = this.begin({ peer, onRead: null, onWrite: null, onScan: null, onCount: done });
    this.send(peer, { kind: 'forwardCount', request, epoch });
    return request;
  }

  forget(request: number): void {
    this.pending.delete(request);
  }

  onReadAnswer({ request, result, watched }: ForwardReadAnswer): void {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    pending?.onRead?.(result, watched);
  }

  onWriteAnswer(request: number, result: WriteResult): void {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    pending?.onWrite?.(result);
  }

  onScanAnswer(request: number, result: ScanResult): void {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    pending?.onScan?.(result);
  }

  onCountAnswer(request: number, result: CountResult): void {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    pending?.onCount?.(result);
  }

  onLost(peer: string): void {
    for (const [request, pending] of [...this.pending.entries()]) {
      if (pending.peer !== peer || !this.pending.delete(request)) continue;
      pending.onRead?.('lost', 0);
      pending.onWrite?.('lost');
      pending.onScan?.('lost');
      pending.onCount?.('lost');
    }
  }

  private begin(pending: Pending): number {
    const request = this.next;
    this.next = this.next === 0xffffffff ? 1 : this.next + 1;
    this.pending.set(request, pending);
    return request;
  }
}
