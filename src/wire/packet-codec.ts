/**
 * The packet of a link between peers (`proto/causeway/peer/v1/peer.proto`) after gRPC's five-byte prefix, encoded and
 * decoded by hand: frames are most of a link's traffic and must not be copied through a general codec.
 */

export type Packet =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'hello'; readonly text: string }
  | { readonly kind: 'answer'; readonly text: string }
  /** Only shows that the sender is alive. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'fault'; readonly fault: string };

export const FIELD_FRAME = 1;
export const FIELD_HELLO = 2;
export const FIELD_ANSWER = 3;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;
/** gRPC: a flag (compressed or not) and the message's length, big endian. */
export const PREFIX_BYTES = 5;
const EMPTY = Buffer.alloc(0);
const ALIVE: Packet = { kind: 'alive' };

/** The bytes of a packet that precede its content of `contentBytes` bytes. */
function contentHead(field: number, contentBytes: number): number[] {
  const head = [(field << 3) | WIRE_LENGTH];
  let rest = contentBytes;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return head;
}

export function encodePacket(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(contentHead(field, content.length)), content]);
}

export function encodeText(field: number, text: string): Buffer {
  return encodePacket(field, Buffer.from(text));
}

export function encodeAlive(): Buffer {
  return EMPTY;
}

/** What precedes a frame on the stream: gRPC's prefix and the packet's header. */
export function frameHead(frameBytes: number): Buffer {
  const head = contentHead(FIELD_FRAME, frameBytes);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + head.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(head.length + frameBytes, 1);
  bytes.set(head, PREFIX_BYTES);
  return bytes;
}

/** A whole packet with gRPC's prefix. */
export function withPrefix(packet: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + packet.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(packet.length, 1);
  bytes.set(packet, PREFIX_BYTES);
  return bytes;
}

/** Never throws. The last of several contents counts, and unknown fields are skipped, as in protobuf. */
export function decodePacket(bytes: Buffer): Packet {
  let packet = ALIVE;
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    if (tag === null) return { kind: 'fault', fault: 'a packet ends within a tag' };
    const wire = tag.value & 7;
    const field = tag.value >>> 3;
    at = tag.next;
    if (wire !== WIRE_LENGTH) {
      at = skipScalar(bytes, wire, at);
      if (at < 0) return { kind: 'fault', fault: 'a packet holds a field that cannot be passed over' };
      continue;
    }
    const length = readVarint(bytes, at);
    if (length === null || length.value > bytes.length - length.next) {
      return { kind: 'fault', fault: 'a packet ends within a field' };
    }
    at = length.next + length.value;
    packet = contentOf(field, bytes.subarray(length.next, at)) ?? packet;
  }
  return packet;
}

function contentOf(field: number, content: Buffer): Packet | undefined {
  if (field === FIELD_FRAME) return { kind: 'frame', frame: content };
  if (field === FIELD_HELLO) return { kind: 'hello', text: content.toString('utf8') };
  if (field === FIELD_ANSWER) return { kind: 'answer', text: content.toString('utf8') };
  return undefined;
}

/** Where the next field begins; -1 if that cannot be determined. */
function skipScalar(bytes: Buffer, wire: number, at: number): number {
  let next = -1;
  if (wire === WIRE_VARINT) next = readVarint(bytes, at)?.next ?? -1;
  else if (wire === WIRE_FIXED64) next = at + 8;
  else if (wire === WIRE_FIXED32) next = at + 4;
  return next > bytes.length ? -1 : next;
}

/** At most ten bytes; a value above 32 bits is never one of our tags or lengths. */
function readVarint(bytes: Buffer, start: number): { value: number; next: number } | null {
  let value = 0;
  for (let index = 0; index < 10 && start + index < bytes.length; index++) {
    const byte = bytes[start + index]!;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte <= 0x7f) return { value, next: start + index + 1 };
  }
  return null;
}
