/** The single gRPC server of a process, shared by clients and peers: its limits, its port, its shutdown. */
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { PEER_SERVER_OPTIONS } from '../adapters/grpc/transport.ts';
import { GRPC_RESETS_BURST, GRPC_RESETS_PER_SECOND_MAX } from '../core/clients/grpc-limits.ts';
import { howToReserve, isHeldByConnection, PORT_RANGE, SOCKET_TABLES } from '../base/socket-table.ts';
import { messageLimits } from '../servers/grpc/method.ts';

/** Milliseconds that the last answers may take to be sent once nothing new is begun. */
const SHUTDOWN_MS_MAX = 500;
const RECEIVE_MAX = 'grpc.max_receive_message_length';

export function makeGrpcServer(valueBytesMax: number): Server {
  // The log lines of grpc-js are not JSON; its errors say the same.
  setLogVerbosity(logVerbosity.NONE);
  const clients = messageLimits(valueBytesMax);
  const server = new Server({
    ...PEER_SERVER_OPTIONS,
    ...clients,
    [RECEIVE_MAX]: Math.max(clients[RECEIVE_MAX] ?? 0, PEER_SERVER_OPTIONS[RECEIVE_MAX]),
  });
  Object.assign(http2OptionsOf(server), RESETS);
  return server;
}

/**
 * By default the HTTP/2 library closes a connection with more than 33 resets a second, and every call whose deadline
 * passes at its client is one. Node.js 20 ignores this.
 */
export const RESETS = { streamResetBurst: GRPC_RESETS_BURST, streamResetRate: GRPC_RESETS_PER_SECOND_MAX };

/** grpc-js has no option for them; these are what it opens its port with. */
export function http2OptionsOf(server: Server): object {
  const { commonServerOptions } = server as unknown as { readonly commonServerOptions?: object };
  return commonServerOptions ?? {};
}

/** All services must have been added. Throws a one-line message for the operator. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(new Error(whyNotBound('grpc', address, error.message)));
    });
  });
}

/** `section` is the section of the settings that has the address. */
export function whyNotBound(section: string, address: string, reason: string): string {
  if (!reason.includes('EADDRINUSE'))
    return `cannot listen on ${address} (${section}.host, ${section}.port): ${reason}`;
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  if (!isHeldByConnection(port, SOCKET_TABLES.map(read)))
    return `the address ${address} is taken: stop who uses it, or set another ${section}.port`;
  const reserved = howToReserve([port], read(PORT_RANGE));
  return `the address ${address} is taken by an outgoing connection, to which the system has given that port: have it kept free (${reserved}), or set another ${section}.port`;
}

/** '' if the system does not provide it. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Accepts no new calls; calls that are still running after a moment are cut off. */
export function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, SHUTDOWN_MS_MAX);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
