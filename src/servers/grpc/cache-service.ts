/**
 * cache.CacheService, the service of the first system, so that its clients work unchanged. The status reports what the
 * old messages have no field for: a Set that is not acknowledged and a Get that cannot be decided are errors, never
 * `success = false` or `found = false`.
 */
import type { Server } from '@grpc/grpc-js';
import { cache } from '../../gen/protocol.js';
import { unary } from './method.ts';
import type { Operations } from './operations.ts';

const NO_OPTIONS = { ttlMs: 0, operationId: new Uint8Array(0), contentType: '' };

export function addCacheService(server: Server, operations: Operations): void {
  unary(
    server,
    '/cache.CacheService/Get',
    cache.GetRequest,
    cache.GetResponse,
    (request, timeoutMs, done) => {
      operations.get(request, timeoutMs, (failed, answer) => {
        if (answer === null) return done(failed, null);
        const record = answer.record ?? null;
        done(null, record === null ? { found: false } : { found: true, value: record.value });
      });
    },
  );

  unary(
    server,
    '/cache.CacheService/Set',
    cache.SetRequest,
    cache.SetResponse,
    (request, timeoutMs, done) => {
      const put = { key: request.key, value: request.value, ...NO_OPTIONS };
      operations.put(put, timeoutMs, (failed, answer) =>
        done(failed, answer === null ? null : { success: true }),
      );
    },
  );
}
