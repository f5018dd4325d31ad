/** causeway.v1.KeyValue: single operations, many-key calls, and the pipeline. */
import type { Server } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { PIPELINE_OPERATIONS_MAX } from '../../core/clients/grpc-limits.ts';
import { MANY_ANSWER_BYTES_MAX } from '../../core/limits.ts';
import { causeway } from '../../gen/protocol.js';
import { failureAnswer } from './answer.ts';
import { bidirectional, unary } from './method.ts';
import type { Done } from './method.ts';
import type { Operations } from './operations.ts';
import { createPipelines } from './pipeline.ts';
import { tracedOperations } from './traced-calls.ts';
import { untakenOf } from './untaken.ts';

const SERVICE = '/causeway.v1.KeyValue';

export function addKeyValueService(server: Server, operations: Operations): void {
  const { v1 } = causeway;
  unary(server, `${SERVICE}/Get`, v1.GetRequest, v1.GetResponse, operations.get);
  unary(server, `${SERVICE}/Put`, v1.PutRequest, v1.PutResponse, operations.put);
  unary(server, `${SERVICE}/Delete`, v1.DeleteRequest, v1.DeleteResponse, operations.delete);
  unary(
    server,
    `${SERVICE}/CompareAndPut`,
    v1.CompareAndPutRequest,
    v1.CompareResponse,
    operations.compareAndPut,
  );
  unary(
    server,
    `${SERVICE}/CompareAndDelete`,
    v1.CompareAndDeleteRequest,
    v1.CompareResponse,
    operations.compareAndDelete,
  );
  unary(server, `${SERVICE}/Increment`, v1.IncrementRequest, v1.IncrementResponse, operations.increment);
  unary(server, `${SERVICE}/GetMany`, v1.GetManyRequest, v1.GetManyResponse, (request, timeoutMs, done) =>
    getMany(operations, request, timeoutMs, done),
  );
  unary(server, `${SERVICE}/PutMany`, v1.PutManyRequest, v1.PutManyResponse, (request, timeoutMs, done) =>
    putMany(operations, request.puts, timeoutMs, done),
  );
  bidirectional(
    server,
    `${SERVICE}/Pipeline`,
    v1.PipelineRequest,
    v1.PipelineResponse,
    createPipelines((metadata) => tracedOperations(server, operations, metadata), untakenOf(server)),
  );
}

/**
 * The answer is bounded in bytes. A value that no longer fits is dropped at once, not kept while other reads are
 * awaited.
 */
function getMany(
  operations: Operations,
  { keys, allowStale }: causeway.v1.GetManyRequest,
  timeoutMs: number,
  done: Done<causeway.v1.GetManyResponseFields>,
): void {
  if (keys.length > PIPELINE_OPERATIONS_MAX) return done(tooMany(keys.length), null);
  let bytesLeft = MANY_ANSWER_BYTES_MAX;
  const full = failure('overloaded', 'the answer has no room left for this value: ask for the key again');
  const ask = (key: string, answered: (result: causeway.v1.GetManyResultFields) => void): void => {
    // Keys without room in the answer are not even read: a thousand large values would block the event loop.
    if (bytesLeft <= 0) return answered({ failure: failureAnswer(full) });
    operations.get({ key, allowStale }, timeoutMs, (failed, get) => {
      const bytes = get?.record?.value?.length ?? 0;
      if (failed === null && bytes > 0 && bytesLeft <= 0) return answered({ failure: failureAnswer(full) });
      bytesLeft -= bytes;
      answered(failed === null ? { get } : { failure: failureAnswer(failed) });
    });
  };
  inOrder(keys, ask, (results) => done(null, { results }));
}

function putMany(
  operations: Operations,
  puts: readonly causeway.v1.PutRequest[],
  timeoutMs: number,
  done: Done<causeway.v1.PutManyResponseFields>,
): void {
  if (puts.length > PIPELINE_OPERATIONS_MAX) return done(tooMany(puts.length), null);
  const write = (
    request: causeway.v1.PutRequest,
    answered: (result: causeway.v1.PutManyResultFields) => void,
  ): void =>
    operations.put(request, timeoutMs, (failed, put) =>
      answered(failed === null ? { put } : { failure: failureAnswer(failed) }),
    );
  inOrder(puts, write, (results) => done(null, { results }));
}

/**
 * Begins all operations in order. Calls back when the last one has answered, with the results in the order of the
 * items.
 */
function inOrder<Item, Result>(
  items: readonly Item[],
  begin: (item: Item, answered: (result: Result) => void) => void,
  end: (results: Result[]) => void,
): void {
  const results = new Array<Result>(items.length);
  let left = items.length;
  if (left === 0) return end(results);
  for (const [at, item] of items.entries()) {
    begin(item, (result) => {
      results[at] = result;
      left--;
      if (left === 0) end(results);
    });
  }
}

function tooMany(count: number): Failure {
  return failure('invalid_argument', `${count} operations in one call, more than ${PIPELINE_OPERATIONS_MAX}`);
}
