/**
 * Reassembles packets with gRPC's prefix from the pieces in which their bytes arrive. A packet within one piece is a
 * view of it; a packet of several pieces is put together once.
 */
import { PREFIX_BYTES } from './packet-codec.ts';

export class PacketSplitter {
  /** May be changed while packets arrive, and then applies to the following ones. */
  packetBytesMax: number;
  /** Pieces of the incomplete packet. */
  private pieces: Buffer[] = [];
  private byteCount = 0;
  /** Bytes needed before looking at them: the prefix or, once that has arrived, the whole packet. */
  private wantedBytes = PREFIX_BYTES;

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax;
  }

  /**
   * Calls `onPacket`, from within the call, for each packet that is now complete. Returns false if one is compressed or
   * too large; then nothing that follows can be read.
   */
  push(piece: Buffer, onPacket: (packet: Buffer) => void): boolean {
    const bytes = this.gathered(piece);
    if (bytes === null) return true;
    let at = 0;
    let wantedBytes = PREFIX_BYTES;
    while (bytes.length - at >= PREFIX_BYTES) {
      const length = bytes.readUInt32BE(at + 1);
      if (bytes[at] !== 0 || length > this.packetBytesMax) return false;
      wantedBytes = PREFIX_BYTES + length;
      if (wantedBytes > bytes.length - at) break;
      const end = at + wantedBytes;
      onPacket(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
      wantedBytes = PREFIX_BYTES;
    }
    this.wantedBytes = wantedBytes;
    if (at < bytes.length) this.keep(at === 0 ? bytes : bytes.subarray(at));
    return true;
  }

  /** Null if the piece was kept until more arrives. */
  private gathered(piece: Buffer): Buffer | null {
    if (this.byteCount === 0) return piece;
    this.keep(piece);
    if (this.byteCount < this.wantedBytes) return null;
    const bytes = Buffer.concat(this.pieces, this.byteCount);
    this.pieces = [];
    this.byteCount = 0;
    return bytes;
  }

  private keep(piece: Buffer): void {
    this.pieces.push(piece);
    this.byteCount += piece.length;
  }
}
