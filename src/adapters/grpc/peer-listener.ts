/**
 * The answerer's ends of the links that peers dial to us: shakes hands, delivers frames, detects failure. Of one
 * process only the newest link counts: once it is accepted, nothing of an older one is delivered. While one process has
 * a link, no other process of the same name is let in.
 */
import type { ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { PeerHello, TransportHandler } from '../../ports/transport.ts';
import {
  answerTo,
  encodeAnswer,
  HANDSHAKE_BYTES_MAX,
  nameTaken,
  parseHello,
  refusalOf,
} from '../../wire/handshake.ts';
import type { DialHello } from '../../wire/handshake.ts';
import { decodePacket, encodeAlive, encodeText, FIELD_ANSWER } from '../../wire/packet-codec.ts';
import { DirectLinkCall, libraryCall } from './link-call.ts';
import type { LibraryStream, LinkCall, LinkCallEvents } from './link-call.ts';
import type { LinkTiming } from './peer-dialer.ts';
import { LINK_PATH } from './peer-link.ts';

/** Limit on streams whose dialler has not sent its hello yet. */
const STRANGERS_MAX = 256;
/** How many signs of life may wait in one stream. */
const ALIVE_QUEUED_MAX = 8;
const NOT_LISTENING = 'this member is not listening';
/** Upper bound of a packet's bytes besides its frame or hello. */
const PACKET_HEAD_BYTES_MAX = 1024;

const asIs = (bytes: Buffer): Buffer => bytes;

/** The service of `peer.proto`; its packets are left undecoded here. */
export const PEER_SERVICE = {
  link: {
    path: LINK_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const satisfies ServiceDefinition;

interface PeerStream {
  readonly call: LinkCall;
  /** Null until the hello was accepted. */
  hello: DialHello | null;
  silentTicks: number;
  ended: boolean;
  readonly watchdog: NodeJS.Timeout;
}

export class PeerListener {
  private readonly timing: LinkTiming;
  private readonly frameBytesMax: number;
  private readonly onAccepted: (name: string) => void;
  private own: PeerHello | null = null;
  private handler: TransportHandler | null = null;
  private readonly byName = new Map<string, PeerStream>();
  private readonly strangers = new Set<PeerStream>();

  /** `onAccepted` is called when a peer's link to us is established. */
  constructor(timing: LinkTiming, frameBytesMax: number, onAccepted: (name: string) => void) {
    this.timing = timing;
    this.frameBytesMax = frameBytesMax;
    this.onAccepted = onAccepted;
  }

  start(own: PeerHello, handler: TransportHandler): void {
    this.own = own;
    this.handler = handler;
  }

  /** A `Link` call that arrived through grpc-js. */
  answer(call: LibraryStream): void {
    this.listen((events) => libraryCall(call, events));
  }

  /** A `Link` call taken directly from HTTP/2. */
  take(stream: ServerHttp2Stream): void {
    this.listen((events) => new DirectLinkCall(stream, HANDSHAKE_BYTES_MAX + PACKET_HEAD_BYTES_MAX, events));
  }

  private listen(begin: (events: LinkCallEvents) => LinkCall): void {
    const stream: PeerStream = {
      call: begin({
        onPacket: (packet) => this.receive(stream, packet),
        onGone: () => this.leave(stream),
      }),
      hello: null,
      silentTicks: 0,
      ended: false,
      watchdog: setTimeout(
        () => this.cut(stream, status.DEADLINE_EXCEEDED, 'no hello came'),
        this.timing.handshakeMsMax,
      ),
    };
    if (this.handler === null) this.cut(stream, status.UNAVAILABLE, NOT_LISTENING);
    else if (this.strangers.size >= STRANGERS_MAX)
      this.cut(stream, status.RESOURCE_EXHAUSTED, 'too many handshakes');
    else this.strangers.add(stream);
  }

  /** Called every `aliveEveryMs`: sends signs of life to the peers and checks for theirs. */
  tick(): void {
    for (const stream of this.byName.values()) {
      stream.silentTicks += 1;
      if (stream.silentTicks > this.timing.silentTicksMax) {
        this.cut(stream, status.DEADLINE_EXCEEDED, 'the dialler is silent');
      } else if (stream.call.waiting < ALIVE_QUEUED_MAX) {
        stream.call.write(encodeAlive());
      }
    }
  }

  /** From now on nothing is delivered or reported, and nobody else is let in; streams go on. */
  turnDeaf(): void {
    this.handler = null;
  }

  /** Ends every stream; no event follows. */
  close(): void {
    this.turnDeaf();
    for (const stream of [...this.byName.values(), ...this.strangers]) {
      this.cut(stream, status.UNAVAILABLE, 'this member is stopping');
    }
  }

  private receive(stream: PeerStream, bytes: Buffer): void {
    if (stream.ended) return;
    stream.silentTicks = 0;
    const packet = decodePacket(bytes);
    if (packet.kind === 'alive') return;
    if (packet.kind === 'fault') {
      this.cut(stream, status.INVALID_ARGUMENT, packet.fault);
    } else if (stream.hello === null) {
      const hello = packet.kind === 'hello' ? parseHello(packet.text) : undefined;
      if (hello === undefined) this.cut(stream, status.INVALID_ARGUMENT, 'the first packet is no hello');
      else this.shakeHands(stream, hello);
    } else if (packet.kind !== 'frame') {
      this.cut(stream, status.INVALID_ARGUMENT, `an unexpected packet: ${packet.kind}`);
    } else if (packet.frame.length > this.frameBytesMax) {
      this.cut(stream, status.INVALID_ARGUMENT, `a frame of ${packet.frame.length} bytes`);
    } else {
      this.handler?.onFrame(stream.hello.name, packet.frame);
    }
  }

  private shakeHands(stream: PeerStream, hello: DialHello): void {
    if (this.own === null || this.handler === null)
      return this.cut(stream, status.UNAVAILABLE, NOT_LISTENING);
    const present = this.byName.get(hello.name);
    const refusal = refusalBeside(present?.hello, hello) ?? refusalOf(this.own, hello);
    const answer = encodeText(FIELD_ANSWER, encodeAnswer(answerTo(this.own, hello, refusal)));
    if (refusal !== null) {
      stream.call.write(answer);
      this.detach(stream);
      stream.call.end();
      this.handler.onRefused(hello.name, refusal);
      return;
    }
    if (present !== undefined) this.cut(present, status.ABORTED, 'a newer link took the place of this one');
    if (stream.ended) return;
    clearTimeout(stream.watchdog);
    this.strangers.delete(stream);
    stream.hello = hello;
    this.byName.set(hello.name, stream);
    stream.call.write(answer);
    stream.call.accept?.(this.frameBytesMax + PACKET_HEAD_BYTES_MAX);
    this.onAccepted(hello.name);
  }

  /** Ends a stream from our side with an error. */
  private cut(stream: PeerStream, code: status, reason: string): void {
    this.leave(stream, () => stream.call.fail(code, reason));
  }

  /** The stream is gone, whichever side ended it. An accepted peer is reported as gone exactly once. */
  private leave(stream: PeerStream, end: () => void = () => stream.call.end()): void {
    if (stream.ended) return;
    const accepted = this.detach(stream);
    end();
    if (accepted !== null) this.handler?.onPeerGone(accepted);
  }

  /**
   * Forgets the stream; returns the name under which it was accepted, or null. Under that name only this one is known,
   * since a newer one is accepted after it was cut.
   */
  private detach(stream: PeerStream): string | null {
    stream.ended = true;
    clearTimeout(stream.watchdog);
    this.strangers.delete(stream);
    const name = stream.hello?.name ?? null;
    if (name !== null) this.byName.delete(name);
    return name;
  }
}

/**
 * Why a standing link under that name excludes the new one. If the process behind it has died, its link is gone, or
 * will soon be found silent.
 */
function refusalBeside(standing: DialHello | null | undefined, hello: DialHello): string | null {
  if (!standing) return null;
  if (standing.run !== hello.run) return nameTaken(hello.name);
  return standing.attempt > hello.attempt ? 'attempt: a later one was accepted' : null;
}
