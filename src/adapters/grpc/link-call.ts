/**
 * The answerer's end of a link, as packets in both directions. The work of grpc-js around a stream (each message
 * copied, a promise per message, the stream paused and resumed, a second stream on top) costs more than the frames of a
 * write do. So if grpc-js offers a way to do it, the call is taken from `node:http2` directly. (decision 59)
 */
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { PREFIX_BYTES, withPrefix } from '../../wire/packet-codec.ts';
import { PacketSplitter } from '../../wire/packet-splitter.ts';
import { LINK_PATH } from './peer-link.ts';

export interface LinkCall {
  /** A lower bound of the signs of life that wait to be sent. */
  readonly waiting: number;
  write(packet: Buffer): void;
  /** Ends the call gracefully. */
  end(): void;
  fail(code: status, details: string): void;
  /**
   * Called once the dialler is accepted as a member: packets may be up to this size from now on, and more bytes may be
   * in flight. Omitted where no lower limit applies before that.
   */
  accept?(packetBytesMax: number): void;
}

export interface LinkCallEvents {
  onPacket(packet: Buffer): void;
  /** Nothing more will arrive, whichever side ended the call. May be called more than once. */
  onGone(): void;
}

export type LibraryStream = ServerDuplexStream<Buffer, Buffer>;

/** The call as grpc-js hands it over. */
export function libraryCall(call: LibraryStream, events: LinkCallEvents): LinkCall {
  call.on('data', (packet: Buffer) => events.onPacket(packet));
  for (const event of ['end', 'cancelled', 'close', 'error']) call.on(event, () => events.onGone());
  return {
    get waiting() {
      return call.writableLength;
    },
    write: (packet) => void call.write(packet),
    end: () => void call.end(),
    fail: (code, details) => void call.emit('error', { code, details }),
  };
}

/**
 * How many bytes the other end may send before it learns that they were read. With the default of 64 KiB it would be
 * told with every second or third frame of a busy link, and its event loop would be woken just for that.
 */
const WINDOW_BYTES = 4 * 1024 * 1024;
const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };

/**
 * Connections with the larger window. Usually each peer has a connection of its own, but a proxy may carry the links of
 * many on one, and Node closes a connection with more than ten unacknowledged SETTINGS frames.
 */
const widened = new WeakSet<Http2Session>();

/** The same, directly on the HTTP/2 stream. A packet may have at most `packetBytesMax` bytes until `accept`. */
export class DirectLinkCall implements LinkCall {
  private readonly stream: ServerHttp2Stream;
  /** Null once the call was ended; the other side may leave its half open and keep sending for as long as it likes. */
  private packets: PacketSplitter | null;
  private readonly events: LinkCallEvents;
  private trailers = trailersOf(status.OK, 'OK');

  constructor(stream: ServerHttp2Stream, packetBytesMax: number, events: LinkCallEvents) {
    this.stream = stream;
    this.packets = new PacketSplitter(packetBytesMax);
    this.events = events;
    stream.on('data', (piece: Buffer) => this.onData(piece));
    for (const event of ['end', 'aborted', 'close', 'error']) stream.on(event, () => events.onGone());
    stream.on('wantTrailers', () => stream.sendTrailers(this.trailers));
  }

  get waiting(): number {
    return this.stream.writableLength / PREFIX_BYTES;
  }

  accept(packetBytesMax: number): void {
    if (this.packets !== null) this.packets.packetBytesMax = packetBytesMax;
    const { session } = this.stream;
    if (session === undefined || session.destroyed || widened.has(session)) return;
    widened.add(session);
    session.setLocalWindowSize(WINDOW_BYTES);
    session.settings({ initialWindowSize: WINDOW_BYTES });
  }

  write(packet: Buffer): void {
    if (this.isOver) return;
    if (!this.stream.headersSent) this.stream.respond(HEAD, { waitForTrailers: true });
    this.stream.write(withPrefix(packet));
  }

  end(): void {
    this.packets = null;
    if (this.isOver) return;
    if (this.stream.headersSent) this.stream.end();
    else this.stream.respond({ ...HEAD, ...this.trailers }, { endStream: true });
  }

  fail(code: status, details: string): void {
    this.trailers = trailersOf(code, details);
    this.end();
  }

  private get isOver(): boolean {
    return this.stream.destroyed || this.stream.closed || this.stream.writableEnded;
  }

  private onData(piece: Buffer): void {
    const { packets } = this;
    if (packets === null || packets.push(piece, (packet) => this.events.onPacket(packet))) return;
    this.fail(status.INVALID_ARGUMENT, 'a packet is compressed or too large');
    this.events.onGone();
  }
}

function trailersOf(code: status, details: string): { 'grpc-status': string; 'grpc-message': string } {
  return { 'grpc-status': String(code), 'grpc-message': encodeURI(details) };
}

/**
 * Hands the links that are dialled to this server to `take`. The server must be bound. Returns false if grpc-js offers
 * no way to do this; links then go through grpc-js.
 */
export function takeLinks(server: Server, take: (stream: ServerHttp2Stream) => void): boolean {
  // A private field of grpc-js, whose version is pinned. A test notices if the field disappears; everything works
  // without it.
  const { http2Servers } = server as unknown as { readonly http2Servers?: Map<Http2Server, unknown> };
  if (http2Servers === undefined || http2Servers.size === 0) return false;
  for (const http2Server of http2Servers.keys()) {
    const others = http2Server.listeners('stream');
    http2Server.removeAllListeners('stream');
    http2Server.on('stream', (stream, headers, flags) => {
      if (isLink(headers)) return take(stream);
      for (const other of others) other.call(http2Server, stream, headers, flags);
    });
  }
  return true;
}

function isLink(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['grpc-encoding'];
  const isPlain = encoding === undefined || encoding === 'identity';
  const isGrpc = headers['content-type']?.startsWith('application/grpc') === true;
  return headers[':path'] === LINK_PATH && isPlain && isGrpc;
}
