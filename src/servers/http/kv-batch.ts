/**
 * `POST /v1/kv`: many operations in one request, each with its own outcome. The batch is not atomic; operations on the
 * same key take effect in order, one after the other.
 */
import { z } from 'zod';
import { keyFault, valueFault } from '../../core/clients/check-key.ts';
import { failure } from '../../core/errors.ts';
import { HTTP_BATCH_BYTES_MAX, HTTP_BATCH_OPERATIONS_MAX } from '../../core/clients/http-limits.ts';
import { MANY_ANSWER_BYTES_MAX, TTL_MS_MAX } from '../../core/limits.ts';
import type { WriteOperation } from '../../core/operation.ts';
import type { NodeApi } from '../../node/api.ts';
import { read, write } from './asked.ts';
import { deleteOperation, putOperation } from './kv-condition.ts';
import type { Condition } from './kv-condition.ts';
import { INTEGER, deltaOf, outcomeOf } from './kv-one.ts';
import { CONTENT_TYPE, RECORD, VALUE, VERSION, operationIdOf, shownRecord, typeGiven } from './kv-record.ts';
import { PROBLEM, Refusal, problemOf } from './problem.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';
import type { End, RequestTrace } from './traced-requests.ts';

const KEY = z.string();
const OPERATION_ID = z
  .string()
  .optional()
  .describe('a UUID of version 7, as the header Idempotency-Key of a single write');
const EXPECT = z
  .union([
    z.strictObject({ version: z.int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    z.strictObject({ absent: z.literal(true) }),
    z.strictObject({ present: z.literal(true) }),
  ])
  .optional()
  .describe('what must stand; else nothing is done, and the code is condition_failed');

/** A trace context that cannot be parsed counts as absent. */
const CONTEXT = {
  traceparent: z
    .string()
    .optional()
    .describe('the trace that it belongs to (W3C Trace Context), if not that of the request'),
  tracestate: z.string().optional().describe('what goes with traceparent'),
};

const OPERATION = z
  .discriminatedUnion('op', [
    z.strictObject({ op: z.literal('get'), key: KEY, allowStale: z.boolean().default(false), ...CONTEXT }),
    z.strictObject({
      op: z.literal('put'),
      key: KEY,
      ...VALUE,
      ttlMs: z.int().min(0).max(TTL_MS_MAX).default(0),
      contentType: CONTENT_TYPE.optional(),
      expect: EXPECT,
      operationId: OPERATION_ID,
      ...CONTEXT,
    }),
    z.strictObject({
      op: z.literal('delete'),
      key: KEY,
      expect: EXPECT,
      operationId: OPERATION_ID,
      ...CONTEXT,
    }),
    z.strictObject({
      op: z.literal('increment'),
      key: KEY,
      increment: INTEGER,
      operationId: OPERATION_ID,
      ...CONTEXT,
    }),
  ])
  .meta({ id: 'Operation' });
type Operation = z.infer<typeof OPERATION>;

const RESULT = z
  .union([
    z.strictObject({ found: z.literal(true), record: RECORD, staleMs: z.number().min(0).optional() }),
    z.strictObject({ found: z.literal(false), staleMs: z.number().min(0).optional() }),
    z.strictObject({ version: VERSION, number: z.string().optional() }),
    z.strictObject({ problem: PROBLEM }),
  ])
  .describe('of a get: found; of a write: version; of what was not done, or is not known to be: problem')
  .meta({ id: 'Result' });
type Result = z.infer<typeof RESULT>;

export function batchRoute(api: NodeApi, valueBytesMax: number): Route {
  return route({
    method: 'POST',
    path: '/v1/kv',
    id: 'batch',
    summary: 'Many operations at once',
    description: `Each has its own outcome; together they are not atomic. Those on one key take effect in their order. Values of all gets together are bounded (${MANY_ANSWER_BYTES_MAX} bytes): what finds no room is not read, and its code is overloaded.`,
    body: z.strictObject({ operations: z.array(OPERATION).max(HTTP_BATCH_OPERATIONS_MAX) }),
    bodyBytesMax: HTTP_BATCH_BYTES_MAX,
    answers: {
      200: {
        description: 'The outcomes, in the order of the operations.',
        schema: z.strictObject({ results: z.array(RESULT) }),
      },
    },
    handle: async ({ body, timeoutMs, trace }) => {
      const batch = new Batch(api, valueBytesMax, timeoutMs, trace);
      return { status: 200, json: { results: await batch.run(body.operations) } };
    },
  });
}

class Batch {
  private bytesLeft = MANY_ANSWER_BYTES_MAX;
  private readonly api: NodeApi;
  private readonly valueBytesMax: number;
  private readonly timeoutMs: () => number;
  private readonly trace: RequestTrace;

  constructor(api: NodeApi, valueBytesMax: number, timeoutMs: () => number, trace: RequestTrace) {
    this.trace = trace;
    this.api = api;
    this.valueBytesMax = valueBytesMax;
    this.timeoutMs = timeoutMs;
  }

  async run(operations: readonly Operation[]): Promise<Result[]> {
    const last = new Map<string, Promise<Result>>();
    const begun = operations.map((operation) => {
      const before = last.get(operation.key);
      const one = (): Promise<Result> => this.trace.operation(operation, () => this.one(operation), endOf);
      const result = before === undefined ? one() : before.then(one);
      last.set(operation.key, result);
      return result;
    });
    return Promise.all(begun);
  }

  /** An invalid operation does not keep the others from being carried out. */
  private async one(operation: Operation): Promise<Result> {
    try {
      const fault = keyFault(operation.key);
      if (fault !== undefined) throw new Refusal(400, fault);
      if (operation.op === 'get') return await this.get(operation);
      return outcomeOf(await write(this.api, this.writeOf(operation), this.timeoutMs()));
    } catch (error) {
      if (error instanceof Refusal) return { problem: error.problem };
      throw error;
    }
  }

  private async get({ key, allowStale }: Extract<Operation, { op: 'get' }>): Promise<Result> {
    if (this.bytesLeft <= 0) return { problem: problemOf(NO_ROOM) };
    const result = await read(this.api, key, this.timeoutMs(), allowStale);
    if (result.kind === 'failed') return { problem: problemOf(result.failure) };
    const stale = result.kind === 'stale' ? { staleMs: result.staleMs } : {};
    const record = result.kind === 'absent' ? undefined : result.record;
    if (record === undefined) return { found: false, ...stale };
    if (record.value.length > 0 && this.bytesLeft <= 0) return { problem: problemOf(NO_ROOM) };
    this.bytesLeft -= record.value.length;
    return { found: true, record: shownRecord(record), ...stale };
  }

  private writeOf(operation: Exclude<Operation, { op: 'get' }>): WriteOperation {
    const { key } = operation;
    const operationId = operationIdOf(operation.operationId, 'operationId');
    if (operation.op === 'increment')
      return { kind: 'increment', key, operationId, delta: deltaOf(operation.increment) };
    const writing = { key, operationId, condition: conditionOf(operation.expect) };
    if (operation.op === 'delete') return deleteOperation(writing, this.valueBytesMax);
    const { ttlMs } = operation;
    const value = this.valueOf(operation);
    const contentType = typeGiven(operation.contentType);
    return putOperation(writing, { value, ttlMs, contentType }, this.valueBytesMax);
  }

  private valueOf({ value, valueBase64 }: Extract<Operation, { op: 'put' }>): Uint8Array {
    if ((value === undefined) === (valueBase64 === undefined))
      throw new Refusal(400, 'a put has either value or valueBase64');
    if (value?.isWellFormed() === false)
      throw new Refusal(400, 'the value is not well-formed Unicode: give it as valueBase64');
    const bytes = value === undefined ? Buffer.from(valueBase64!, 'base64') : Buffer.from(value);
    const fault = valueFault(bytes.length, this.valueBytesMax);
    if (fault !== undefined) throw new Refusal(413, fault);
    return bytes;
  }
}

/** The same outcome as a single request would record in its span. */
function endOf(result: Result): End {
  return 'problem' in result ? result.problem : { status: 200 };
}

const NO_ROOM = failure('overloaded', 'the answer has no room left for this value: ask for the key again');

function conditionOf(expect: z.infer<typeof EXPECT>): Condition {
  if (expect === undefined) return null;
  if ('version' in expect) return { kind: 'version', version: expect.version };
  return { kind: 'absent' in expect ? 'absent' : 'present' };
}
