/**
 * A pooler before PostgreSQL that keeps connections to the server and cleans nothing up when they change hands, as
 * PgBouncer without `server_reset_query`. By transaction a client has one from the beginning of a transaction to its
 * end, by statement it is refused transactions, by session it has one until it leaves; it is given the one that was given
 * back last. Clients are told numbers of processes that are not the server's.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { renameProcess } from './postgres-proxy.ts';

/** A message is its type, its length (which counts itself) and that many bytes. */
const HEAD_BYTES = 5;
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
const OUTSIDE_OF_TRANSACTIONS = 'I'.charCodeAt(0);

/** The message of a query whose text is BEGIN, and how PgBouncer refuses it. */
const BEGINS = /^Q....begin\0/is;
const REFUSAL = Buffer.from(
  'E\0\0\0\x4dSERROR\0C08P01\0Mtransaction blocks not allowed in statement pooling mode\0\0Z\0\0\0\x05I',
  'latin1',
);

type PoolMode = 'session' | 'transaction' | 'statement';

class Backend {
  /** The client that has it now. */
  client: Socket | null = null;
  /** All that is asked was answered, and no transaction is open. */
  isAtRest = false;
  /** What the server said when it was connected to. */
  greeting: Buffer | null = null;
  readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private said: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(bytes: Buffer): void {
    this.isAtRest = false;
    this.socket.write(bytes);
  }

  take(bytes: Buffer): void {
    if (this.greeting === null) this.said = Buffer.concat([this.said, bytes]);
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= HEAD_BYTES) {
      const end = 1 + this.rest.readInt32BE(1);
      if (this.rest.length < end) return;
      this.isAtRest = this.rest[0] === READY_FOR_QUERY && this.rest[HEAD_BYTES] === OUTSIDE_OF_TRANSACTIONS;
      this.rest = this.rest.subarray(end);
    }
    if (this.isAtRest) this.greeting ??= this.said;
  }
}

export class PostgresPooler {
  private readonly server: Server;
  private readonly target: URL;
  private readonly by: PoolMode;
  private readonly sockets = new Set<Socket>();
  private readonly free: Backend[] = [];
  /** Beyond so many connections to the server a client is left to wait, here for ever. */
  backendsMax = Infinity;
  private backendCount = 0;

  private constructor(server: Server, target: URL, by: PoolMode) {
    this.server = server;
    this.target = target;
    this.by = by;
  }

  static async start(target: string, by: PoolMode): Promise<{ pooler: PostgresPooler; url: string }> {
    const server = createServer((socket) => pooler.welcome(socket));
    const pooler = new PostgresPooler(server, new URL(target), by);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(target);
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { pooler, url: url.href };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private welcome(client: Socket): void {
    this.keep(client);
    let own: Backend | null = null;
    let isGreeted = false;
    client.on('data', (bytes) => {
      if (bytes[0] === TERMINATE) return client.destroy();
      if (this.by === 'statement' && BEGINS.test(bytes.toString('latin1'))) return client.write(REFUSAL);
      if (own?.client !== client) {
        if (this.free.length === 0 && this.backendCount === this.backendsMax) return;
        own = this.lend(client, isGreeted || this.by === 'session');
      }
      if (!isGreeted && own.greeting !== null) client.write(own.greeting);
      else own.send(bytes);
      isGreeted = true;
    });
    client.on('close', () => {
      if (own?.client !== client) return;
      // What was left undone nobody else may go on with.
      if (own.isAtRest) this.giveBack(own);
      else own.socket.destroy();
    });
  }

  private lend(client: Socket, mayBeUsed: boolean): Backend {
    const backend = (mayBeUsed ? this.free.pop() : undefined) ?? this.connect();
    backend.client = client;
    return backend;
  }

  private connect(): Backend {
    const backend = new Backend(connect(Number(this.target.port), this.target.hostname));
    this.backendCount += 1;
    this.keep(backend.socket);
    backend.socket.on('data', (bytes) => {
      const named = renameProcess(bytes);
      backend.client?.write(named);
      backend.take(named);
      if (this.by !== 'session' && backend.isAtRest) this.giveBack(backend);
    });
    return backend;
  }

  private giveBack(backend: Backend): void {
    backend.client = null;
    this.free.push(backend);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
