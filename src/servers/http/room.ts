/**
 * What clients of the HTTP door may hold of a node's memory: bytes of requests that are being read, bytes of answers that were
 * not taken, and requests begun on one connection, which may send many before it reads. Beyond it a request is refused,
 * definitely, before anything is begun. The last holds for every page of the door, the others for those for programs.
 */
import type { Socket } from 'node:net';
import {
  HTTP_ANSWER_BYTES_TOTAL_MAX,
  HTTP_BODY_BYTES_TOTAL_MAX,
  HTTP_CONNECTION_REQUESTS_MAX,
  HTTP_LISTINGS_MAX,
} from '../../core/limits.ts';
import type { Wire } from './key-path.ts';
import { Refusal } from './problem.ts';

export class Unanswered {
  private readonly begun = new WeakMap<Socket, number>();

  /** Counted until it is answered, and its answer taken. Null: it may begin. */
  begin({ incoming, outgoing }: Wire): Refusal | null {
    if (incoming === undefined || outgoing === undefined) return null;
    const { socket } = incoming;
    const others = this.begun.get(socket) ?? 0;
    if (others >= HTTP_CONNECTION_REQUESTS_MAX)
      return new Refusal(503, `${others} requests of this connection are not answered`, 'overloaded', CLOSE);
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

  /** Of an answer, until its client has taken it. */
  answer({ outgoing }: Wire, bytes: number): void {
    if (outgoing === undefined || outgoing.closed) return;
    this.answerBytes += bytes;
    outgoing.once('close', () => (this.answerBytes -= bytes));
  }

  /** The whole body. Its bytes are counted as they come, and until `release`. */
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

  /** Reads page after page of the whole: only so many at once. */
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
  /** Once the bytes are no more held. */
  readonly release: () => void;
}

const NOTHING: Body = { bytes: Buffer.alloc(0), release: () => undefined };

/** What comes behind is not looked at. */
const CLOSE = { Connection: 'close' };

function tooLarge(bytesMax: number): Refusal {
  return new Refusal(413, `the body has more than ${bytesMax} bytes`, 'invalid_argument', CLOSE);
}
