/** A member that consists only of its transport, on a port of this machine. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createGrpcTransport, PEER_SERVER_OPTIONS } from '../../src/adapters/grpc/transport.ts';
import type { GrpcTransportOptions } from '../../src/adapters/grpc/transport.ts';
import { Prng } from '../../src/base/prng.ts';
import { TestPeer } from '../contracts/transport.ts';

export interface StartedPeer {
  readonly peer: TestPeer;
  readonly port: number;
  end(): void;
}

/** `byLibrary`: links arrive through grpc-js, as when they cannot be taken from it directly. */
export async function startPeer(
  name: string,
  options: Pick<GrpcTransportOptions, 'timing'> & { readonly at?: number; readonly byLibrary?: boolean },
): Promise<StartedPeer> {
  const { timing, at = 0, byLibrary = false } = options;
  const server = new Server(PEER_SERVER_OPTIONS);
  const transport = createGrpcTransport({
    ...{ server, random: new Prng(1) },
    ...(timing === undefined ? {} : { timing }),
  });
  const peer = new TestPeer(name, transport);
  const port = await bind(server, `127.0.0.1:${at}`);
  if (!byLibrary && !transport.onBound()) throw new Error('grpc-js does not let its streams be taken');
  const end = (): void => {
    peer.close(() => {});
    server.forceShutdown();
  };
  return { peer, port, end };
}

export function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}
