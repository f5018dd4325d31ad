/**
 * Connections to the gRPC door, counted and bounded. One beyond the bound is told so by the status of its first call, and then
 * closed. Members of the cluster come by the same port: the links that they dial are let in on any connection.
 */
import type { Http2Server, Http2Session, ServerHttp2Stream } from 'node:http2';
import { failure } from '../../core/errors.ts';
import {
  GRPC_CONNECTIONS_BEYOND_MAX,
  GRPC_CONNECTIONS_MAX,
  GRPC_FIRST_CALL_MS_MAX,
  GRPC_LOOK_MS,
} from '../../core/grpc-limits.ts';
import { turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';

export interface ConnectionOptions {
  readonly statusOf: StatusOf;
  /** By which members dial; left out: there are none. */
  readonly memberPath?: string;
  readonly connectionsMax?: number;
}

const LOOKS_MAX = GRPC_FIRST_CALL_MS_MAX / GRPC_LOOK_MS;

export class Connections {
  /** So many were closed for there being too many. */
  rejected = 0;
  private readonly max: number;
  private readonly statusOf: StatusOf;
  private readonly memberPath: string | undefined;
  private readonly open = new Set<Http2Session>();
  /** Those for which there is no room, by the look at which they came. */
  private readonly beyond = new Map<Http2Session, number>();
  private looks = 0;

  constructor({ statusOf, memberPath, connectionsMax = GRPC_CONNECTIONS_MAX }: ConnectionOptions) {
    this.statusOf = statusOf;
    this.memberPath = memberPath;
    this.max = connectionsMax;
  }

  /** All that are open. */
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

  /** Is the call one on a connection for which there is no room? Then it is told so, and the connection closed. */
  turnsAway(stream: ServerHttp2Stream, path: string): boolean {
    const { session } = stream;
    if (this.beyond.size === 0 || session === undefined || !this.beyond.has(session)) return false;
    const hasRoom = this.open.size - this.beyond.size < this.max;
    if (hasRoom || this.isOfMembers(path)) {
      this.beyond.delete(session);
      return false;
    }
    const why = `this node has ${this.max} connections open: use one of them, or another node`;
    // Nobody else listens to it: unheard, the error of its connection would end the process.
    stream.on('error', () => undefined);
    turnAway(stream, this.statusOf(failure('overloaded', why)));
    this.close(session);
    return true;
  }

  isOfMembers(path: string): boolean {
    return path === this.memberPath;
  }

  /** Once in GRPC_LOOK_MS: who does not even begin a call keeps no place, nor does who keeps one open that was closed. */
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
