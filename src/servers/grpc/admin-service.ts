/** causeway.v1.Admin: what operators and tests ask of this very node. */
import type { Server } from '@grpc/grpc-js';
import { keyFault } from '../../core/check-key.ts';
import { failure } from '../../core/errors.ts';
import { causeway } from '../../gen/protocol.js';
import type { NodeApi } from '../../node/api.ts';
import { recordAnswer } from './answer.ts';
import { unary } from './method.ts';

export function addAdminService(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/Inspect',
    v1.InspectRequest,
    v1.InspectResponse,
    ({ key }, _timeoutMs, done) => {
      const fault = keyFault(key);
      if (fault !== undefined) return done(failure('invalid_argument', fault), null);
      const { owner, slot, valid, record } = api.inspect(key);
      if (record === undefined) return done(null, { owner, slot, valid });
      done(null, { owner, slot, valid, tombstone: record.tombstone, record: recordAnswer(record) });
    },
  );

  unary(
    server,
    '/causeway.v1.Admin/Status',
    v1.StatusRequest,
    v1.StatusResponse,
    (_request, _timeoutMs, done) => {
      done(null, { json: JSON.stringify(api.status()) });
    },
  );
}
