/**
 * A member that consists only of its transport, as a separate process that can be killed or stopped: it listens, dials
 * whatever peer it is told to, and counts what arrives. Arguments: its name, its port, and the name and address to
 * dial. Prints one JSON line once it listens.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createGrpcTransport, PEER_SERVER_OPTIONS } from '../../src/adapters/grpc/transport.ts';
import { Prng } from '../../src/base/prng.ts';

const [name = '', port = '0', peerName = '', peerAddress = ''] = process.argv.slice(2);
const server = new Server(PEER_SERVER_OPTIONS);
const transport = createGrpcTransport({ server, random: new Prng(1) });
transport.start(
  { name, clusterName: 'test', protocolMin: 1, protocolMax: 2, settings: { leaseMs: '600', zone: 'any' } },
  {
    onLinkUp: () => {},
    onLinkDown: () => {},
    // Sent back unchanged, so that the other side sees what arrived.
    onFrame: (from, frame) => transport.send(from, frame),
    onPeerGone: () => {},
    onRefused: () => {},
  },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error !== null) throw error;
  transport.onBound();
  transport.dial(peerName, peerAddress);
  process.stdout.write(`${JSON.stringify({ port: bound })}\n`);
});
