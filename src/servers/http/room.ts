/**
 * Bounds the memory that clients of the HTTP door can use on a node: bytes of requests being read, bytes of answers not
 * yet taken, and requests begun on one connection (a client may send many before it reads). Beyond a bound, a request
 * is refused with a definite failure before anything is begun. The bound per connection applies to every page of the
 * door, the others only to the routes for programs.
 */
import type { Socket } from 'node:net';
import {
  HTTP_ANSWER_BYTES_TOTAL_MAX,
  HTTP_BODY_BYTES_TOTAL_MAX,
  HTTP_CONNECTION_REQUESTS_MAX,
  HTTP_LISTINGS_MAX,
  HTTP_REQUESTS_IGNORED_MAX,
} from '../../core/clients/http-limits.ts';
import type { Wire } from './key-path.ts';
import { Refusal } from './problem.ts';
import { onceTaken } from './unsent.ts';

export class Unanswered {
  private readonly begun = new WeakMap<Socket, number>();
  /** Connections on which one was refused, with how many came after it. */
  private readonly refused = new WeakMap<Socket, number>();

  /**
   * Counts the request until its answer was taken. Returns null if the request may begin, and `after` if one before it
   * on its connection was refused: that refusal closes the connection, so nothing is to be done for this one. A client
   * that sends many of these is cut off at once, since reading them takes time, too.
   */
  begin({ incoming, outgoing }: Required<Wire>): Refusal | 'after' | null {
    const { socket } = incoming;
    const after = this.refused.get(socket);
    if (after !== undefined) {
      this.refused.set(socket, after + 1);
      if (after >= HTTP_REQUESTS_IGNORED_MAX) socket.destroy();
      return 'after';
    }
    const others = this.begun.get(socket) ?? 0;
    if (others >= HTTP_CONNECTION_REQUESTS_MAX) {
      this.refused.set(socket, 0);
      return new Refusal(503, `${others} requests of this connection are not answered`, 'overloaded', CLOSE);
    }
    this.begun.set(socket, others + 1);
    outgoing.once('close', () => this.begun.set(socket, this.begun.get(socket)! - 1));
    return null;
  }
}

export class Room {
  private bodyBytes = 0;
  private answerBytes = 0;
  private listings = 0;

  begin(): void {
    if (this.answerBytes >= HTTP_ANSWER_BYTES_TOTAL_MAX)
      throw new Refusal(503, 'too many bytes of answers wait to be taken', 'overloaded');
  }

  /** Counts the bytes of an answer until its client has taken it, or has gone. */
  answer({ incoming, outgoing }: Wire, bytes: number): void {
    if (incoming === undefined || outgoing === undefined) return;
    this.answerBytes += bytes;
    onceTaken({ incoming, outgoing }, () => (this.answerBytes -= bytes));
  }

  /** Reads the whole body. Its bytes are counted as they arrive, until `release`. */
  async read(request: Request, bytesMax: number): Promise<Body> {
    const told = Number(request.headers.get('content-length') ?? 0);
    if (told > bytesMax) throw tooLarge(bytesMax);
    if (bytesMax === 0) return NOTHING;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const release = (): void => {
      this.bodyBytes -= bytes;
      bytes = 0;
    };
    try {
      for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += part.length;
        this.bodyBytes += part.length;
        if (bytes > bytesMax) throw tooLarge(bytesMax);
        if (this.bodyBytes > HTTP_BODY_BYTES_TOTAL_MAX)
          throw new Refusal(503, 'too many bytes of requests are being read', 'overloaded', CLOSE);
        parts.push(part);
      }
    } catch (error) {
      release();
      throw error instanceof Refusal ? error : new Refusal(400, 'the body did not come to its end');
    }
    return { bytes: Buffer.concat(parts, bytes), release };
  }

  /** Runs a listing, which reads the whole cluster page by page; only a limited number run at once. */
  async list<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    if (this.listings >= HTTP_LISTINGS_MAX)
      throw new Refusal(503, `${this.listings} listings are under way at this node`, 'overloaded');
    this.listings += 1;
    try {
      return await run();
    } finally {
      this.listings -= 1;
    }
  }
}

export interface Body {
  readonly bytes: Buffer;
  /** To be called once the bytes are no longer needed. */
  readonly release: () => void;
}

const NOTHING: Body = { bytes: Buffer.alloc(0), release: () => undefined };

/** Requests that follow on this connection are not read. */
const CLOSE = { Connection: 'close' };

function tooLarge(bytesMax: number): Refusal {
  return new Refusal(413, `the body has more than ${bytesMax} bytes`, 'invalid_argument', CLOSE);
}
