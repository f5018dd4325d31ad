/**
 * Gathers this node's messages to each peer over a turn of the event loop, into frames bounded in count and bytes. A
 * frame carries the sender's epoch at the moment when a message is handed in, so messages of two epochs never share a
 * frame. (PROTOCOL: every message carries its epoch)
 */
import { VALIDATE_MS } from '../../core/gather-limits.ts';
import { FRAME_BYTES_MAX, FRAME_MESSAGES_MAX } from '../../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../../core/membership/protocol-versions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transport } from '../../ports/transport.ts';
import { isTellable } from '../../wire/content-type-codec.ts';
import { FrameEncoder } from '../../wire/message-codec.ts';
import { Departure } from '../departure.ts';

interface Box {
  readonly name: string;
  readonly encoder: FrameEncoder;
  /** Header of the frame that has been begun; null if none has. */
  header: FrameHeader | null;
  /** Protocol version of the link when it last came up. */
  protocol: number;
}

export class PeerOutbox {
  private readonly transport: Transport;
  private readonly header: () => FrameHeader;
  private readonly boxes = new Map<string, Box>();
  /** The same boxes, in the order in which they are flushed. */
  private readonly inOrder: Box[] = [];
  private readonly departure: Departure;

  constructor(transport: Transport, clock: Clock, header: () => FrameHeader) {
    this.transport = transport;
    this.departure = new Departure(clock, () => this.flush());
    this.header = header;
  }

  send(name: string, message: PeerMessage): void {
    const box = this.boxOf(name);
    if (box.protocol < PROTOCOL_MAX && !isTellable(message, box.protocol)) return;
    const header = this.header();
    if (box.header !== null && !sameHeader(box.header, header)) this.flushBox(box);
    if (box.header === null) {
      box.encoder.begin(header, box.protocol);
      box.header = header;
    }
    box.encoder.add(message);
    if (box.encoder.messageCount >= FRAME_MESSAGES_MAX || box.encoder.byteCount >= FRAME_BYTES_MAX / 2) {
      this.flushBox(box);
    } else {
      // No client's answer waits for a Validate, so it rides with the next frame.
      this.departure.ask(message.kind === 'validate' ? VALIDATE_MS : 0);
    }
  }

  /**
   * Sends a message of membership: a heartbeat, a vote, a topology. It is sent at once, behind what has been gathered
   * for the peer, and not at the end of the turn. `node:http2` writes at the end of a turn what it was given within
   * that turn; anything later would be written one turn later. `isFollowed`: one more such message to this peer comes
   * at once, in the same frame.
   */
  sendNow(name: string, message: PeerMessage, isFollowed = false): void {
    this.send(name, message);
    if (isFollowed) return;
    const box = this.boxOf(name);
    if (box.header !== null) this.flushBox(box);
  }

  /** A link has come up. Messages that were gathered for a link of another version are lost with that link. */
  onLinkUp(name: string, protocol: number): void {
    const box = this.boxOf(name);
    if (box.protocol === protocol) return;
    box.protocol = protocol;
    box.header = null;
  }

  /** Protocol version of the link to the peer when it last came up. */
  protocolOf(name: string): number {
    return this.boxes.get(name)?.protocol ?? PROTOCOL_MIN;
  }

  private boxOf(name: string): Box {
    let box = this.boxes.get(name);
    if (box === undefined) {
      box = { name, encoder: new FrameEncoder(), header: null, protocol: PROTOCOL_MIN };
      this.boxes.set(name, box);
      this.inOrder.push(box);
    }
    return box;
  }

  private flush(): void {
    for (const box of this.inOrder) if (box.header !== null) this.flushBox(box);
  }

  private flushBox(box: Box): void {
    box.header = null;
    this.transport.send(box.name, box.encoder.finish());
  }
}

function sameHeader(a: FrameHeader, b: FrameHeader): boolean {
  return a === b || (a.epoch === b.epoch && a.incarnation === b.incarnation && a.from === b.from);
}
