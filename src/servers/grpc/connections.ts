/**
 * Counts and bounds the connections to the gRPC door. On a connection beyond the bound the first call is answered with
 * a status that says so, and the connection is closed. Cluster members use the same port: a connection on which a
 * member opens its link is always let in.
 */
import type { Http2Server, Http2Session, ServerHttp2Stream } from 'node:http2';
import { failure } from '../../core/errors.ts';
import {
  GRPC_CONNECTIONS_BEYOND_MAX,
  GRPC_CONNECTIONS_MAX,
  GRPC_FIRST_CALL_MS_MAX,
  GRPC_LOOK_MS,
} from '../../core/clients/grpc-limits.ts';
import { turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

export interface ConnectionOptions {
  readonly statusOf: StatusOf;
  /** The method that members call to open a link; if omitted, no members connect here. */
  readonly memberPath?: string;
  readonly connectionsMax?: number;
}

const LOOKS_MAX = GRPC_FIRST_CALL_MS_MAX / GRPC_LOOK_MS;

export class Connections {
  /** How many connections were closed because there were too many. */
  rejected = 0;
  private readonly max: number;
  private readonly statusOf: StatusOf;
  private readonly memberPath: string | undefined;
  private readonly open = new Set<Http2Session>();
  /** Connections beyond the bound, with the number of the `look` at which each arrived. */
  private readonly beyond = new Map<Http2Session, number>();
  private looks = 0;

  constructor({ statusOf, memberPath, connectionsMax = GRPC_CONNECTIONS_MAX }: ConnectionOptions) {
    this.statusOf = statusOf;
    this.memberPath = memberPath;
    this.max = connectionsMax;
  }

  /** Number of open connections, including those beyond the bound. */
  get count(): number {
    return this.open.size;
  }

  watch(server: Http2Server): void {
    server.maxConnections = this.max + GRPC_CONNECTIONS_BEYOND_MAX;
    server.on('drop', () => (this.rejected += 1));
    server.on('session', (session) => {
      this.open.add(session);
      if (this.open.size - this.beyond.size > this.max) this.beyond.set(session, this.looks);
      session.once('close', () => {
        this.open.delete(session);
        this.beyond.delete(session);
      });
    });
  }

  /**
   * If the call arrived on a connection beyond the bound: answers it with a refusal, closes the connection, returns
   * true.
   */
  turnsAway(stream: ServerHttp2Stream, path: string): boolean {
    const { session } = stream;
    if (this.beyond.size === 0 || session === undefined || !this.beyond.has(session)) return false;
    const hasRoom = this.open.size - this.beyond.size < this.max;
    if (hasRoom || this.isOfMembers(path)) {
      this.beyond.delete(session);
      return false;
    }
    const why = `this node has ${this.max} connections open: use one of them, or another node`;
    // Nobody else listens to this stream; without a listener, an error of its connection would end the process.
    stream.on('error', () => undefined);
    turnAway(stream, this.statusOf(failure('overloaded', why)));
    this.close(session);
    return true;
  }

  isOfMembers(path: string): boolean {
    return path === this.memberPath;
  }

  /**
   * Called every GRPC_LOOK_MS. Closes connections beyond the bound that begin no call in time, and destroys those that
   * were closed but that the client keeps open.
   */
  look(): void {
    this.looks += 1;
    for (const [session, since] of this.beyond) {
      if (this.looks - since <= LOOKS_MAX) continue;
      if (session.closed) session.destroy();
      else this.close(session);
    }
  }

  private close(session: Http2Session): void {
    if (session.closed) return;
    this.rejected += 1;
    session.close();
  }
}
