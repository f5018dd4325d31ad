/**
 * Requests that a client pipelines on one connection take effect in order: consecutive reads run concurrently, while a
 * request that changes something runs alone (RFC 9112, 9.3.2). Without this, Node would begin all of them at once.
 */
import type { Socket } from 'node:net';

/**
 * The requests of one connection. Each promise settles when the requests begun so far (`changes`: those that change
 * something) have ended.
 */
interface Line {
  changes: Promise<void>;
  all: Promise<void>;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const SETTLED = Promise.resolve();

export class InOrder {
  private readonly lines = new WeakMap<Socket, Line>();

  /** Calls `begin` when the request's turn has come. */
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
  // The outcome is reported to the client, and does not matter to the requests that follow.
}
