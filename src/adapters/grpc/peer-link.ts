/**
 * The dialler's end of one link: a gRPC call on an HTTP/2 connection of its own, using `node:http2` instead of the gRPC
 * client. That client hides its connections behind a channel (a hanging connect outlives the channel, a restart of the
 * server may go unnoticed), buffers for retries, and copies each message twice. A link needs the opposite: one
 * connection that ends when it is told to, with the number of queued bytes in plain sight.
 */
import http2 from 'node:http2';
import type { ConnectionOptions } from 'node:tls';
import { decodePacket, frameHead, withPrefix } from '../../wire/packet-codec.ts';
import type { Packet } from '../../wire/packet-codec.ts';
import { PacketSplitter } from '../../wire/packet-splitter.ts';

export const LINK_PATH = '/causeway.peer.v1.Peer/Link';
/** Bytes. The answerer only ever sends its answer and signs of life. */
const ANSWER_BYTES_MAX = 128 * 1024;
/** Below this size, copying into one buffer is cheaper than two writes. */
const COPY_BYTES_MAX = 16 * 1024;
const STATUS_HEADER = 'grpc-status';
const MESSAGE_HEADER = 'grpc-message';

type Headers = http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;

export interface LinkEvents {
  onPacket(packet: Packet): void;
  /** The last event; not called if the owner destroyed the link. */
  onClosed(reason: string): void;
}

export class PeerLink {
  private readonly session: http2.ClientHttp2Session;
  private readonly stream: http2.ClientHttp2Stream;
  private readonly events: LinkEvents;
  private readonly packets = new PacketSplitter(ANSWER_BYTES_MAX);
  private closed = false;

  /** Throws if `address` is not `host:port`. No event is fired from within a call. */
  constructor(address: string, tls: ConnectionOptions | null, events: LinkEvents) {
    this.events = events;
    this.session = http2.connect(`${tls === null ? 'http' : 'https'}://${address}`, {
      ...tls,
      settings: { enablePush: false },
      // The owner bounds the queued bytes; the session's own, lower limit would end the stream.
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

  /** Bytes accepted by `send` and not yet handed to the network. */
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

  /** Sends what is queued, then ends the stream; when the answerer ends its side, the link closes. */
  finish(): void {
    this.stream.end();
  }

  /** Drops the connection at once, with everything queued. No event follows. */
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

/** Decodes gRPC's percent-encoding; a malformed message is returned as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
