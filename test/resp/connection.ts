/**
 * A client connection that hides nothing: bytes out, replies in, each as a frame. What a RESP3 server pushes is kept
 * separately. Waiting has a deadline, because a server under test may well say nothing.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parseFrame } from './frame.ts';
import type { Frame } from './frame.ts';

const WAIT_MS_MAX = 20_000;
/** After this many milliseconds without a byte, bytes that were sent raw count as answered. */
const QUIET_MS = 25;

export class RespConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  /** Called when bytes have arrived, or the end. */
  #onNews: () => void = () => undefined;
  readonly pushes: Frame[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (part) => {
      this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part]);
      this.#onNews();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#onNews();
    });
  }

  static open(port: number): Promise<RespConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RespConnection(socket));
      });
    });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next reply; 'closed' if the server closed the connection first. */
  async reply(takesPush: boolean): Promise<Frame | 'closed'> {
    const deadline = Date.now() + WAIT_MS_MAX;
    for (;;) {
      const frame = this.#take();
      if (frame === undefined) {
        if (this.#closed) return 'closed';
        await this.#news(deadline);
      } else if (frame.kind === 'list' && frame.type === '>' && !takesPush) this.pushes.push(frame);
      else return frame;
    }
  }

  /** The next pushed message. */
  async push(): Promise<Frame | 'closed'> {
    const kept = this.pushes.shift();
    return kept ?? this.reply(true);
  }

  /**
   * All bytes until the server is done: as many as expected, or until it has closed, or until it is quiet if nothing is
   * known.
   */
  async raw(expected: number | 'closed' | undefined): Promise<{ bytes: Buffer; closed: boolean }> {
    const deadline = Date.now() + WAIT_MS_MAX;
    while (!this.#closed) {
      if (typeof expected === 'number' && this.#received.length >= expected) break;
      const quietMs = expected === 'closed' ? Infinity : QUIET_MS;
      const isQuiet = await this.#news(deadline, typeof expected === 'number' ? undefined : quietMs);
      if (isQuiet) break;
    }
    const bytes = this.#received;
    this.#received = Buffer.alloc(0);
    return { bytes, closed: this.#closed };
  }

  /** All bytes up to this text, or until the server has closed. */
  async until(end: string): Promise<Buffer> {
    const deadline = Date.now() + WAIT_MS_MAX;
    while (!this.#closed && !this.#received.includes(end)) await this.#news(deadline);
    return this.#received;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(): Frame | undefined {
    if (this.#received.length === 0) return undefined;
    const parsed = parseFrame(this.#received, 0);
    if (parsed === undefined) return undefined;
    this.#received = this.#received.subarray(parsed.end);
    return parsed.frame;
  }

  /** Resolves to true if it stayed quiet for that long. */
  #news(deadline: number, quietMs?: number): Promise<boolean> {
    const left = deadline - Date.now();
    return new Promise((resolve, reject) => {
      const ms = Math.max(0, Math.min(left, quietMs ?? left));
      const timer = setTimeout(() => {
        this.#onNews = () => undefined;
        if (quietMs !== undefined && left > 0) resolve(true);
        else reject(new Error(`no answer within ${WAIT_MS_MAX} ms`));
      }, ms);
      this.#onNews = () => {
        clearTimeout(timer);
        this.#onNews = () => undefined;
        resolve(false);
      };
    });
  }
}
