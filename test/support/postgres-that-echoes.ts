/** A server that answers every connection with an error that contains a password, as no PostgreSQL should. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export async function postgresThatEchoes(password: string): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const fields = `SFATAL\0C28P01\0Mpassword authentication failed for postgres://me:${password}@db\0\0`;
      const head = Buffer.from('E\0\0\0\0', 'latin1');
      head.writeUInt32BE(Buffer.byteLength(fields) + 4, 1);
      socket.end(Buffer.concat([head, Buffer.from(fields)]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
