/**
 * What a client sends on one connection without waiting for answers takes effect in its order: requests that only read go
 * beside each other, one that changes something goes alone (RFC 9112, 9.3.2). Left to itself, the runtime begins all at once.
 */
import type { Socket } from 'node:net';

/** Of one connection: each is settled when what was begun before it has ended. */
interface Line {
  changes: Promise<void>;
  all: Promise<void>;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const SETTLED = Promise.resolve();

export class InOrder {
  private readonly lines = new WeakMap<Socket, Line>();

  /** Begins it when its turn has come. */
  run<Answer>(socket: Socket, method: string, begin: () => Promise<Answer>): Promise<Answer> {
    const line = this.lines.get(socket) ?? { changes: SETTLED, all: SETTLED };
    this.lines.set(socket, line);
    const isSafe = SAFE.has(method);
    const answered = (isSafe ? line.changes : line.all).then(begin);
    const ended = answered.then(nothing, nothing);
    if (isSafe) line.all = Promise.all([line.all, ended]).then(nothing);
    else line.all = line.changes = ended;
    return answered;
  }
}

function nothing(): void {
  // How it ended is told to its client, and is nothing to those behind it.
}
