/**
 * Frames between members over gRPC, on the port that also serves clients. Each member dials every other. A link carries
 * the dialler's frames in one direction and signs of life in both, so that both sides notice within `silentTicksMax`
 * ticks when the other died, a wire was cut or a process was stopped, and at once when a socket was closed.
 */
import { randomBytes } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { Server, ServerOptions } from '@grpc/grpc-js';
import { assert } from '../../base/assert.ts';
import { FRAME_BYTES_MAX, PEER_QUEUE_BYTES_MAX, VALUE_BYTES_MAX } from '../../core/limits.ts';
import type { Random } from '../../ports/random.ts';
import type { PeerHello, Transport, TransportHandler } from '../../ports/transport.ts';
import { takeLinks } from './link-call.ts';
import { LINK_TIMING, PeerDialer } from './peer-dialer.ts';
import type { LinkTiming } from './peer-dialer.ts';
import { PeerListener, PEER_SERVICE } from './peer-listener.ts';

/** Bytes. A frame is closed once it has passed its limit, so its last message may exceed the limit. */
export const FRAME_BYTES_ACCEPTED_MAX = FRAME_BYTES_MAX + VALUE_BYTES_MAX + 512 * 1024;
/** Milliseconds that queued frames may take to leave when the transport is closed. */
const CLOSE_MS_MAX = 300;
const CLOSE_POLL_MS = 10;

/**
 * What the shared server needs for peers: room for their frames, and keepalives that end a dead dialler's connection.
 */
export const PEER_SERVER_OPTIONS = {
  'grpc.max_receive_message_length': FRAME_BYTES_ACCEPTED_MAX + 1024,
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 5000,
} as const satisfies ServerOptions;

export interface GrpcTransportOptions {
  /** The peer service is added to this server; its owner starts and stops it. */
  readonly server: Server;
  readonly random: Random;
  /** TLS options for dialling; null for no TLS. */
  readonly tls?: ConnectionOptions | null;
  /** Maps a peer's name to where it is dialled, if that is not its known address. */
  readonly dialAt?: ReadonlyMap<string, string>;
  readonly maxQueueBytes?: number;
  readonly timing?: Partial<LinkTiming>;
}

export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  return new GrpcTransport(options);
}

class GrpcTransport implements Transport {
  private readonly options: GrpcTransportOptions;
  private readonly timing: LinkTiming;
  private readonly listener: PeerListener;
  private readonly dialers = new Map<string, PeerDialer>();
  private readonly run = randomBytes(8).toString('hex');
  private hello: PeerHello | null = null;
  private handler: TransportHandler | null = null;
  private ticker: NodeJS.Timeout | null = null;
  private attempts = 0;
  private closed = false;

  constructor(options: GrpcTransportOptions) {
    this.options = options;
    this.timing = { ...LINK_TIMING, ...options.timing };
    this.listener = new PeerListener(this.timing, FRAME_BYTES_ACCEPTED_MAX, (name) =>
      this.dialers.get(name)?.hurry(),
    );
    options.server.addService(PEER_SERVICE, {
      link: (call: Parameters<PeerListener['answer']>[0]) => this.listener.answer(call),
    });
  }

  /** To be called once the server is bound. False means that frames take the longer way through grpc-js. */
  onBound(): boolean {
    return takeLinks(this.options.server, (stream) => this.listener.take(stream));
  }

  start(hello: PeerHello, handler: TransportHandler): void {
    assert(this.hello === null, 'a transport is started once');
    this.hello = hello;
    this.handler = handler;
    this.listener.start(hello, handler);
    this.ticker = setInterval(() => this.tick(), this.timing.aliveEveryMs);
  }

  dial(name: string, known: string): void {
    const { hello, handler } = this;
    assert(hello !== null && handler !== null, 'a transport dials after its start');
    const address = this.options.dialAt?.get(name) ?? known;
    if (this.closed || this.dialers.get(name)?.address === address) return;
    const { random, tls = null, maxQueueBytes = PEER_QUEUE_BYTES_MAX } = this.options;
    this.forget(name);
    const dialer = new PeerDialer({
      name,
      address,
      hello,
      run: this.run,
      nextAttempt: () => ++this.attempts,
      tls,
      timing: this.timing,
      queueBytesMax: maxQueueBytes,
      random,
      onUp: (protocol) => this.closed || handler.onLinkUp(name, protocol),
      onDown: (reason) => this.closed || handler.onLinkDown(name, reason),
      onRefused: (reason) => this.closed || handler.onRefused(name, reason),
    });
    this.dialers.set(name, dialer);
  }

  forget(name: string): void {
    this.dialers.get(name)?.end();
    this.dialers.delete(name);
  }

  send(name: string, frame: Uint8Array): boolean {
    assert(frame.length <= FRAME_BYTES_ACCEPTED_MAX, 'a frame is within its limit');
    return !this.closed && (this.dialers.get(name)?.send(frame) ?? false);
  }

  queuedBytes(name: string): number {
    return this.dialers.get(name)?.queuedBytes ?? 0;
  }

  /**
   * Gives queued frames a moment to leave, then ends everything. Peers take the end of their links to this member as
   * the end of its process, so these end last: its answers have been read by then. No events are reported, except that
   * `done` is called.
   */
  close(done: () => void): void {
    this.closed = true;
    if (this.ticker !== null) clearInterval(this.ticker);
    this.listener.turnDeaf();
    for (const dialer of this.dialers.values()) dialer.finish();
    let waitedMs = 0;
    const poll = setInterval(() => {
      waitedMs += CLOSE_POLL_MS;
      for (const [name, dialer] of this.dialers) {
        if (dialer.isEnded || waitedMs >= CLOSE_MS_MAX) this.forget(name);
      }
      if (this.dialers.size > 0) return;
      clearInterval(poll);
      this.listener.close();
      done();
    }, CLOSE_POLL_MS);
  }

  private tick(): void {
    for (const dialer of this.dialers.values()) dialer.tick();
    this.listener.tick();
  }
}
