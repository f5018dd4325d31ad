/**
 * The dialler's end of one link: a gRPC call on an HTTP/2 connection of its own, over `node:http2` instead of
 * the gRPC client. That client keeps connections alive behind its channel (a hang in connecting outlives the
 * channel, a server's restart may go unnoticed), buffers for retries, and copies each message twice; a link
 * needs the opposite: one connection that dies when it is told to, and the bytes still queued in plain sight.
 */
import http2 from 'node:http2';
import type { ConnectionOptions } from 'node:tls';
import { decodePacket, frameHead, withPrefix } from '../../wire/packet-codec.ts';
import type { Packet } from '../../wire/packet-codec.ts';
import { PacketSplitter } from '../../wire/packet-splitter.ts';

export const LINK_PATH = '/causeway.peer.v1.Peer/Link';
/** Bytes. An answer or a sign of life is all that the answerer ever sends. */
const ANSWER_BYTES_MAX = 128 * 1024;
/** Below this one copied buffer is cheaper than two writes. */
const COPY_BYTES_MAX = 16 * 1024;
const STATUS_HEADER = 'grpc-status';
const MESSAGE_HEADER = 'grpc-message';

type Headers = http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;

export interface LinkEvents {
  onPacket(packet: Packet): void;
  /** The last event, unless the link was destroyed by its owner. */
  onClosed(reason: string): void;
}

export class PeerLink {
  private readonly session: http2.ClientHttp2Session;
  private readonly stream: http2.ClientHttp2Stream;
  private readonly events: LinkEvents;
  private readonly packets = new PacketSplitter(ANSWER_BYTES_MAX);
  private closed = false;

  /** Throws where the address is no `host:port`. Events never come from within a call. */
  constructor(address: string, tls: ConnectionOptions | null, events: LinkEvents) {
    this.events = events;
    this.session = http2.connect(`${tls === null ? 'http' : 'https'}://${address}`, {
      ...tls,
      settings: { enablePush: false },
      // The bytes queued are bounded by the owner; the session's own limit would end the stream below it.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    this.session.on('error', (error: Error) => this.close(error.message));
    this.session.on('goaway', () => this.close('the peer is stopping'));
    this.session.on('close', () => this.close('the connection was closed'));
    this.stream = this.session.request({
      ':method': 'POST',
      ':path': LINK_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.stream.on('error', (error: Error) => this.close(error.message));
    this.stream.on('response', (headers: Headers) => this.readHeaders(headers));
    this.stream.on('trailers', (headers: Headers) => this.readHeaders(headers));
    this.stream.on('data', (chunk: Buffer) => this.readBytes(chunk));
    this.stream.on('close', () => this.close('the stream was closed'));
  }

  /** Bytes taken and not yet handed to the network. */
  get queuedBytes(): number {
    return this.stream.writableLength;
  }

  writePacket(packet: Uint8Array): void {
    this.stream.write(withPrefix(packet));
  }

  writeFrame(frame: Uint8Array): void {
    const head = frameHead(frame.length);
    if (frame.length <= COPY_BYTES_MAX) {
      this.stream.write(Buffer.concat([head, frame], head.length + frame.length));
      return;
    }
    this.stream.cork();
    this.stream.write(head);
    this.stream.write(frame);
    this.stream.uncork();
  }

  /** Sends what is queued, then ends the stream; the answerer's end of it closes the link. */
  finish(): void {
    this.stream.end();
  }

  /** Drops the connection at once with all that is queued. No event follows. */
  destroy(): void {
    this.closed = true;
    this.session.destroy();
  }

  private close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.session.destroy();
    this.events.onClosed(reason);
  }

  private readHeaders(headers: Headers): void {
    const httpStatus = headers[':status'];
    if (httpStatus !== undefined && httpStatus !== 200) this.close(`HTTP status ${httpStatus}`);
    const status = headers[STATUS_HEADER];
    if (status === undefined) return;
    const message = headers[MESSAGE_HEADER];
    const words = typeof message === 'string' && message !== '' ? `: ${decoded(message)}` : '';
    this.close(`the peer ended the link (gRPC status ${String(status)}${words})`);
  }

  private readBytes(chunk: Buffer): void {
    const isReadable = this.packets.push(chunk, (packet) => {
      if (!this.closed) this.events.onPacket(decodePacket(packet));
    });
    if (!isReadable) this.close('the answerer sent something too large or compressed');
  }
}

/** gRPC percent-encodes its messages; a malformed one is shown as it came. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
