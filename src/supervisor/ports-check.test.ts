/** What is reported about a port that is not available: who holds it, and what can be done. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { howToReserve, isHeldByConnection } from '../base/socket-table.ts';
import { whyNotBound } from '../process/grpc-server.ts';
import { checkPorts } from './ports-check.ts';

const HOST = '127.0.0.1';
let listener: Server;
let outgoing: Socket;
beforeEach(async () => {
  listener = createServer().on('connection', (socket) => socket.resume());
  await new Promise<void>((resolve) => listener.listen(0, HOST, resolve));
  outgoing = connect((listener.address() as AddressInfo).port, HOST);
  await new Promise((resolve) => outgoing.once('connect', resolve));
});
afterEach(() => {
  outgoing.destroy();
  listener.close();
});

async function refusal(port: number): Promise<string> {
  const need = { port, host: HOST, user: 'node-1 (gRPC)', change: '--grpc-port' };
  return checkPorts([need], 0, new AbortController().signal, () => undefined).then(
    () => '',
    (error: Error) => error.message,
  );
}

test('somebody listens on it: to be freed', async () => {
  const { port } = listener.address() as AddressInfo;
  expect(await refusal(port)).toBe(
    `port ${port} for node-1 (gRPC) is taken: free it, or choose another with --grpc-port`,
  );
});

test('an earlier run still has it: waited for, and said once; for longer than that may take: to be freed', async () => {
  const { port } = listener.address() as AddressInfo;
  const need = { port, host: HOST, user: 'node-1 (gRPC)', change: '--grpc-port' };
  const lines: string[] = [];
  const check = (patienceMs: number): Promise<void> =>
    checkPorts([need], patienceMs, new AbortController().signal, (line) => {
      lines.push(line);
      if (patienceMs > 1) listener.close();
    });
  await expect(check(1)).rejects.toThrow(`port ${port} for node-1 (gRPC) is taken`);
  await check(60_000);
  expect(lines).toEqual(new Array(2).fill(`waiting for port ${port}, which an earlier run still holds`));
});

test('a port that two are to have, or that there is none of: said before any is tried', async () => {
  const need = (port: number, user: string, change: string) => ({ port, host: HOST, user, change });
  const check = (...needs: Parameters<typeof checkPorts>[0]): Promise<void> =>
    checkPorts(needs, 0, new AbortController().signal, () => undefined);
  await expect(check(need(7_001, 'a', '--one'), need(7_001, 'b', '--other'))).rejects.toThrow(
    'port 7001 is wanted by a and by b: choose another with --one or --other',
  );
  await expect(check(need(65_536, 'a', '--one'))).rejects.toThrow(
    'port 65536 for a does not exist: choose a lower --one',
  );
});

test.runIf(process.platform === 'linux')(
  'an outgoing connection has it: nobody is told to free it, but how such ports are kept free',
  async () => {
    const port = outgoing.localPort!;
    const kept = `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${port}`;
    expect(await refusal(port)).toBe(
      `port ${port} for node-1 (gRPC) is taken by an outgoing connection, to which the system has given it: ` +
        `wait until that has ended, have such ports kept free (${kept}), or choose another with --grpc-port`,
    );
    expect(whyNotBound('grpc', `${HOST}:${port}`, 'listen EADDRINUSE')).toBe(
      `the address ${HOST}:${port} is taken by an outgoing connection, to which the system has given that port: ` +
        `have it kept free (${kept}), or set another grpc.port`,
    );
  },
);

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue\n';
const socket = (port: number, state: string): string =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F:0016 ${state} 00000000:00000000\n`;

test('the tables of sockets: a listener counts before connections, others and other ports count for nothing', () => {
  const connected = HEAD + socket(50_051, '01');
  expect(isHeldByConnection(50_051, [HEAD, connected])).toBe(true);
  expect(isHeldByConnection(50_051, [connected, HEAD + socket(50_051, '0A')])).toBe(false);
  expect(isHeldByConnection(50_052, [connected])).toBe(false);
  expect(isHeldByConnection(22, [connected])).toBe(false);
  expect(isHeldByConnection(50_051, ['', 'no table'])).toBe(false);
});

test('ports that are to be kept free: those of the range that are wanted, and no other', () => {
  expect(howToReserve([7_001, 50_051, 54_320, 65_000], '32768\t60999\n')).toContain('ports=50051,54320');
});
