/**
 * One connection of a Redis client. It reads bytes, runs commands in their order, and sends all replies that are
 * ready in one write. While too many commands are unanswered or too many replies not taken, it is not read, so that
 * its cost is bounded.
 */
import type { Socket } from 'node:net';
import {
  RESP_INPUT_BYTES_SHARE,
  RESP_OUTPUT_BYTES_MAX,
  RESP_OUTPUT_BYTES_PAUSE,
  RESP_OUTPUT_BYTES_SHARE,
} from '../../core/clients/redis-limits.ts';
import { Client } from './client.ts';
import type { Line } from './client.ts';
import { execute } from './dispatch.ts';
import type { Door } from './door.ts';
import { APART_BYTES_MIN } from './reply-writer.ts';
import { RequestDecoder } from './request-decoder.ts';

/**
 * Bytes that Node reads from a socket at once (`uv_alloc_cb` of libuv asks for this many). If the client sent more,
 * Node reads again.
 */
const READ_BYTES_MAX = 65_536;

export class Connection implements Line {
  readonly client: Client;
  readonly address: string;
  readonly localAddress: string;
  readonly openedAt = Date.now();
  private readonly door: Door;
  private readonly socket: Socket;
  private readonly decoder = new RequestDecoder();
  private heardAt: number;
  /** The decoder holds a whole request that could not be begun yet. */
  private isHeld = false;
  private isPaused = false;
  private isClosing = false;
  private isEnding = false;
  /** The client has ended its side. The commands that it sent are still answered. */
  private isEnded = false;
  private isAwake = false;
  /** The piece that was read is part of more that this turn of the event loop brings. */
  private isMoreDue = false;
  private inputBytes = 0;
  private keptBytes = 0;
  private outputBytes = 0;
  private takenAt: number;

  constructor(door: Door, socket: Socket, id: number) {
    this.door = door;
    this.socket = socket;
    this.address = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.localAddress = `${socket.localAddress ?? ''}:${socket.localPort ?? 0}`;
    this.heardAt = door.now;
    this.takenAt = door.now;
    this.client = new Client(id, door, this);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('drain', () => {
      this.takenAt = door.now;
      this.wake();
    });
    socket.on('end', () => {
      this.isEnded = true;
      this.wake();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isClosing = true;
      this.client.inFlight.abandon();
      door.inputBytes -= this.inputBytes;
      this.inputBytes = 0;
      door.keptBytes -= this.keptBytes;
      this.keptBytes = 0;
      door.outputBytes -= this.outputBytes;
      this.outputBytes = 0;
      door.onClosed(this.client);
    });
  }

  idleMs(): number {
    return this.door.now - this.heardAt;
  }

  /** Many answers come in one turn. They are sent together at its end. */
  wake(): void {
    if (this.isAwake) return;
    this.isAwake = true;
    this.door.atTurnsEnd(() => {
      this.isAwake = false;
      if (!this.socket.destroyed) this.run();
    });
  }

  push(bytes: Buffer): void {
    const { socket, door } = this;
    const { ready } = this.client.queue;
    if (this.isAwake || ready.byteCount > 0) {
      ready.raw(bytes);
      return this.wake();
    }
    if (socket.destroyed || this.isEnding) return;
    if (socket.writableLength === 0) this.takenAt = door.now;
    door.counts.outputBytes += bytes.length;
    // Many connections share these bytes, so they are not copied where they have to wait.
    socket.write(bytes);
    this.countOutput();
  }

  closeInOrder(): void {
    this.isClosing = true;
    this.wake();
  }

  cut(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  isClosed(): boolean {
    return this.socket.destroyed;
  }

  untakenBytes(): number {
    return this.socket.writableLength;
  }

  isStuck(): boolean {
    const isOver = this.socket.writableLength > RESP_OUTPUT_BYTES_SHARE;
    return isOver && this.door.now - this.takenAt >= this.door.lingerMs;
  }

  private onData(chunk: Buffer): void {
    if (this.isClosing) return;
    this.heardAt = this.door.now;
    this.door.counts.inputBytes += chunk.length;
    this.decoder.push(chunk);
    this.isMoreDue = chunk.length >= READ_BYTES_MAX;
    this.run();
  }

  private run(): void {
    const { client, door, decoder } = this;
    const { queue } = client;
    if (queue.ready.byteCount === 0) queue.ready.lend(door.scratch);
    let isStalled = false;
    let isFull = false;
    while (!this.isClosing) {
      if (this.isOutputFull()) {
        isStalled = isFull = true;
        break;
      }
      if (door.turns.isOver) {
        isStalled = true;
        this.wake();
        break;
      }
      if (!this.isHeld) {
        decoder.isTrusted = client.isTrusted;
        const decoded = decoder.next();
        if (decoded === 'incomplete') break;
        if (decoded === 'broken') {
          if (client.replyMode === 'on') queue.out.error(`ERR ${decoder.fault}`);
          this.isClosing = true;
          break;
        }
      }
      this.isHeld = !execute(client, decoder.args);
      if (!this.isHeld) continue;
      isStalled = true;
      break;
    }
    this.beginDue();
    if (this.isEnded && !isStalled) this.isClosing = true;
    // A later answer must not be written into the buffer that was lent.
    if (this.socket.destroyed) return queue.ready.forget();
    this.flush();
    if (queue.parked > 0) queue.resumeParked();
    this.pause(isStalled);
    this.countOutput();
    // What the system has taken at once is followed by no event.
    if (isFull && !this.isOutputFull()) this.wake();
    if (!this.isHeld) decoder.trim();
    this.countKept();
    this.countInput(decoder.keptBytes, isStalled);
    if (this.isClosing && queue.unanswered === 0) this.end();
  }

  /**
   * Commands that came in one piece are begun together, so that writes of one key go as one. A long pipeline comes in
   * several pieces: if each were begun by itself, a key in two of them would take the whole pipeline two rounds.
   */
  private beginDue(): void {
    if (!this.isMoreDue) return this.client.inFlight.beginDue();
    this.isMoreDue = false;
    this.wake();
  }

  /** Ends the connection. The client gets some time to take its replies, and to end its side. */
  private end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    const { socket } = this;
    const { lingerMs } = this.door;
    socket.end();
    // For a client that takes nothing more.
    socket.setTimeout(lingerMs, () => socket.destroy());
    socket.once('finish', () => {
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => clearTimeout(timer));
    });
  }

  /** So much waits for the client that no further command is begun. */
  private isOutputFull(): boolean {
    const bytes = this.socket.writableLength + this.client.queue.heldBytes;
    return bytes >= (this.door.isOutputFull() ? RESP_OUTPUT_BYTES_SHARE : RESP_OUTPUT_BYTES_PAUSE);
  }

  private flush(): void {
    const { socket, door } = this;
    const { ready } = this.client.queue;
    const isBehind = socket.writableLength > 0;
    if (!isBehind) this.takenAt = door.now;
    const whole = ready.takenWhole();
    if (whole !== undefined) this.write(whole, isBehind);
    else {
      const pieces = ready.taken();
      if (pieces.length === 0) return;
      socket.cork();
      for (const piece of pieces) this.write(piece, isBehind);
      socket.uncork();
    }
    // Bytes that the system has not taken at once still lie in the lent buffer.
    if (!isBehind && socket.writableLength > 0) door.renewScratch();
    if (socket.writableLength > RESP_OUTPUT_BYTES_MAX) socket.destroy();
  }

  /** What has to wait keeps the memory in which it lies, which may be far more than it has bytes: it is copied. */
  private write(piece: Uint8Array, isBehind: boolean): void {
    const { counts, scratch } = this.door;
    counts.outputBytes += piece.length;
    const isOfMore = piece.length < APART_BYTES_MIN || piece.buffer === scratch.buffer;
    this.socket.write(isBehind && isOfMore ? Buffer.from(piece) : piece);
  }

  /** Updates the count, over all connections, of bytes that were answered and not taken. */
  private countOutput(): void {
    if (this.socket.destroyed) return;
    const bytes = this.client.queue.outputBytes;
    this.door.outputBytes += bytes - this.outputBytes;
    this.outputBytes = bytes;
  }

  /** Updates the count, over all connections, of bytes that are kept between commands. */
  private countKept(): void {
    const { keptBytes } = this.client;
    this.door.keptBytes += keptBytes - this.keptBytes;
    this.keptBytes = keptBytes;
  }

  private pause(isStalled: boolean): void {
    if (isStalled === this.isPaused) return;
    this.isPaused = isStalled;
    if (isStalled) this.socket.pause();
    else this.socket.resume();
  }

  /** Updates the count, over all connections, of bytes of commands that are incomplete or wait to be begun. */
  private countInput(keptBytes: number, isStalled: boolean): void {
    const { door } = this;
    const bytes = keptBytes + this.client.inFlight.waitingBytes;
    door.inputBytes += bytes - this.inputBytes;
    this.inputBytes = bytes;
    // A connection that is not read takes up no more room.
    if (keptBytes > RESP_INPUT_BYTES_SHARE && !isStalled && door.isInputFull()) {
      door.counts.cut += 1;
      this.socket.destroy();
    }
  }
}
