/**
 * A proxy to PostgreSQL that can hold answers back: requests arrive and are executed, and nobody learns of it. One
 * proxy for each node that is to be cut off from answers.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class PostgresProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private holding = false;
  private namesOwnProcesses = false;

  private constructor(server: Server) {
    this.server = server;
  }

  /** `target`: the URL of the server itself. */
  static async start(target: string): Promise<{ proxy: PostgresProxy; url: string }> {
    const { hostname, port } = new URL(target);
    const server = createServer((socket) => proxy.pass(socket, connect(Number(port), hostname)));
    const proxy = new PostgresProxy(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(target);
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { proxy, url: url.href };
  }

  /** From now on no answer passes; until then the proxy forwards everything. */
  holdAnswers(): void {
    this.holding = true;
  }

  /** From now on clients are told numbers of processes that are not the server's, as poolers do. */
  nameOwnProcesses(): void {
    this.namesOwnProcesses = true;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private pass(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      if (!this.holding) client.write(this.namesOwnProcesses ? renameProcess(bytes) : bytes);
    });
  }
}

/** BackendKeyData: 'K', the length 12, the process, a secret. It comes once, behind the authentication. */
const KEY_DATA = Buffer.from([0x4b, 0, 0, 0, 12]);

/** Changes the number of the process where the server tells it. */
export function renameProcess(bytes: Buffer): Buffer {
  const at = bytes.indexOf(KEY_DATA);
  if (at >= 0) bytes.writeInt32BE(bytes.readInt32BE(at + KEY_DATA.length) ^ 1, at + KEY_DATA.length);
  return bytes;
}
