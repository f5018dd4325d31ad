/**
 * The yardstick for the gRPC figures: the service of the first system on a bare grpc-js server and a Map, as fast as
 * the library allows and without any guarantees.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { cache } from '../src/gen/protocol.js';
import { watchParent } from '../src/supervisor/watch-parent.ts';

type Respond<Answer> = (error: null, answer: Answer) => void;

export function runBareNode(port: number): void {
  watchParent(() => process.exit(0));
  const values = new Map<string, Uint8Array>();
  const server = new Server();
  server.register(
    '/cache.CacheService/Get',
    (call: { request: cache.GetRequest }, respond: Respond<cache.GetResponseFields>) => {
      const value = values.get(call.request.key);
      respond(null, value === undefined ? { found: false } : { found: true, value });
    },
    (answer: cache.GetResponseFields) => cache.GetResponse.encode(answer).finish() as Buffer,
    (bytes: Buffer) => cache.GetRequest.decode(bytes),
    'unary',
  );
  server.register(
    '/cache.CacheService/Set',
    (call: { request: cache.SetRequest }, respond: Respond<cache.SetResponseFields>) => {
      values.set(call.request.key, Uint8Array.from(call.request.value));
      respond(null, { success: true });
    },
    (answer: cache.SetResponseFields) => cache.SetResponse.encode(answer).finish() as Buffer,
    (bytes: Buffer) => cache.SetRequest.decode(bytes),
    'unary',
  );
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
    process.send?.('ready');
  });
}
