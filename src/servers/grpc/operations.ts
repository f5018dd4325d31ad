/**
 * The operations of causeway.v1 on one key, from request message to answer message. They are checked here and carried
 * out by the node. Single calls, many-key calls and pipelines all use them, so that they behave alike.
 */
import {
  contentTypeFault,
  keyFault,
  operationIdFault,
  ttlFault,
  valueFault,
} from '../../core/clients/check-key.ts';
import { failure } from '../../core/errors.ts';
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import type {
  Expectation,
  ReadResult,
  StaleResult,
  WriteOperation,
  WriteResult,
} from '../../core/operation.ts';
import { isVersion } from '../../core/version.ts';
import type { causeway } from '../../gen/protocol.js';
import { WAIT } from '../../node/api.ts';
import type { NodeApi } from '../../node/api.ts';
import { recordAnswer } from './answer.ts';
import type { Done } from './method.ts';

type V1 = typeof causeway.v1;
type Decoded<Name extends keyof V1> = V1[Name] extends { decode(bytes: Uint8Array): infer Message }
  ? Message
  : never;

/**
 * `done` is called exactly once, possibly before the function returns (on a fault or a cache hit). `timeoutMs` counts
 * from now.
 */
export type Operate<Request, Answer> = (request: Request, timeoutMs: number, done: Done<Answer>) => void;

export interface Operations {
  /** Whether a write would be refused because too much is in flight already. */
  readonly isFull: () => boolean;
  readonly get: Operate<Reading, causeway.v1.GetResponseFields>;
  readonly put: Operate<Decoded<'PutRequest'>, causeway.v1.PutResponseFields>;
  readonly delete: Operate<Decoded<'DeleteRequest'>, causeway.v1.DeleteResponseFields>;
  readonly compareAndPut: Operate<Decoded<'CompareAndPutRequest'>, causeway.v1.CompareResponseFields>;
  readonly compareAndDelete: Operate<Decoded<'CompareAndDeleteRequest'>, causeway.v1.CompareResponseFields>;
  readonly increment: Operate<Decoded<'IncrementRequest'>, causeway.v1.IncrementResponseFields>;
}

export function createOperations(
  api: NodeApi,
  valueBytesMax: number,
  instruments = NO_INSTRUMENTS,
): Operations {
  const write = createWrite(api, instruments);
  return {
    isFull: () => api.isFull(),
    get: (request, timeoutMs, done) => {
      instruments.grpcOperations += 1;
      get(api, request, timeoutMs, done);
    },
    ...plainWrites(write, valueBytesMax),
    ...conditionalWrites(write, valueBytesMax),
  };
}

/** `operation` is called only if there is no fault. It returns undefined for a result that cannot occur. */
type Write = <Answer>(
  fault: string | undefined,
  operation: () => WriteOperation,
  answer: (result: WriteResult) => Answer | undefined,
  timeoutMs: number,
  done: Done<Answer>,
) => void;

function createWrite(api: NodeApi, instruments: typeof NO_INSTRUMENTS): Write {
  return (fault, operation, answer, timeoutMs, done) => {
    instruments.grpcOperations += 1;
    if (fault !== undefined) return done(failure('invalid_argument', fault), null);
    if (timeoutMs <= 0) return done(failure('deadline_before_start'), null);
    api.write(operation(), timeoutMs, (result) => {
      if (result.kind === 'failed') return done(result.failure, null);
      const fields = answer(result);
      if (fields === undefined) done(failure('internal', 'the result does not fit the operation'), null);
      else done(null, fields);
    });
  };
}

function plainWrites(write: Write, valueBytesMax: number): Pick<Operations, 'put' | 'delete' | 'increment'> {
  return {
    put: (request, timeoutMs, done) => {
      const { value, ttlMs } = request;
      const contentType = request.contentType === '' ? null : request.contentType;
      const fault =
        addressFault(request) ??
        valueFault(value.length, valueBytesMax) ??
        ttlFault(ttlMs) ??
        contentTypeFault(contentType);
      write(
        fault,
        () => ({ kind: 'put', ...addressed(request), value, ttlMs, contentType }),
        versionAnswer,
        timeoutMs,
        done,
      );
    },
    delete: (request, timeoutMs, done) =>
      write(
        addressFault(request),
        () => ({ kind: 'delete', ...addressed(request) }),
        versionAnswer,
        timeoutMs,
        done,
      ),
    increment: (request, timeoutMs, done) =>
      write(
        addressFault(request),
        () => ({ kind: 'increment', ...addressed(request), delta: request.delta }),
        incrementAnswer,
        timeoutMs,
        done,
      ),
  };
}

function conditionalWrites(
  write: Write,
  valueBytesMax: number,
): Pick<Operations, 'compareAndPut' | 'compareAndDelete'> {
  return {
    compareAndPut: (request, timeoutMs, done) => {
      const { value, ttlMs } = request;
      const contentType = request.contentType === '' ? null : request.contentType;
      const fault =
        addressFault(request) ??
        valueFault(value.length, valueBytesMax) ??
        ttlFault(ttlMs) ??
        contentTypeFault(contentType) ??
        expectationFault(request, valueBytesMax);
      const operation = (): WriteOperation => ({
        ...{ kind: 'compareAndPut', ...addressed(request), expect: expectationOf(request) },
        ...{ value, ttlMs, contentType },
      });
      write(fault, operation, compareAnswer, timeoutMs, done);
    },
    compareAndDelete: (request, timeoutMs, done) =>
      write(
        addressFault(request) ?? expectationFault(request, valueBytesMax),
        () => ({ kind: 'compareAndDelete', ...addressed(request), expect: expectationOf(request) }),
        compareAnswer,
        timeoutMs,
        done,
      ),
  };
}

/** The older service has no `allowStale`. */
interface Reading {
  readonly key: string;
  readonly allowStale?: boolean;
}

/** The hit path is one synchronous call from the request to its answer. */
function get(
  api: NodeApi,
  { key, allowStale }: Reading,
  timeoutMs: number,
  done: Done<causeway.v1.GetResponseFields>,
): void {
  const fault = keyFault(key);
  if (fault !== undefined) return done(failure('invalid_argument', fault), null);
  const record = api.tryGet(key);
  if (record === undefined) return done(null, {});
  if (record !== WAIT) return done(null, { record: recordAnswer(record) });
  if (timeoutMs <= 0) return done(failure('read_timeout'), null);
  if (allowStale === true) return api.getStale(key, timeoutMs, (result) => answerRead(result, done));
  api.get(key, timeoutMs, (result) => answerRead(result, done));
}

function answerRead(result: ReadResult | StaleResult, done: Done<causeway.v1.GetResponseFields>): void {
  switch (result.kind) {
    case 'failed':
      return done(result.failure, null);
    case 'absent':
      return done(null, {});
    case 'value':
      return done(null, { record: recordAnswer(result.record) });
    case 'stale': {
      const { record, staleMs } = result;
      return done(null, { record: record === undefined ? null : recordAnswer(record), stale: true, staleMs });
    }
  }
}

interface Addressed {
  readonly key: string;
  readonly operationId: Uint8Array;
}

function addressFault(request: Addressed): string | undefined {
  return keyFault(request.key) ?? operationIdFault(request.operationId.length);
}

function addressed(request: Addressed): {
  key: string;
  operationId: Uint8Array | null;
} {
  return { key: request.key, operationId: request.operationId.length === 0 ? null : request.operationId };
}

interface Expecting {
  expectVersion: number | null;
  expectValue: Uint8Array | null;
  expectAbsent?: boolean | null;
}

function expectationFault(request: Expecting, valueBytesMax: number): string | undefined {
  if (request.expectVersion !== null) {
    if (isVersion(request.expectVersion) && request.expectVersion > 0) return undefined;
    return 'the expected version is not from 1 to 2^53 - 1';
  }
  if (request.expectValue !== null) {
    const fault = valueFault(request.expectValue.length, valueBytesMax);
    return fault === undefined ? undefined : `expected: ${fault}`;
  }
  return request.expectAbsent === true
    ? undefined
    : 'nothing is expected: give a version, a value or absence';
}

function expectationOf(request: Expecting): Expectation {
  if (request.expectVersion !== null) return { kind: 'version', version: request.expectVersion };
  if (request.expectValue !== null) return { kind: 'value', value: request.expectValue };
  return { kind: 'absent' };
}

function versionAnswer(result: WriteResult): { version: number } | undefined {
  return result.kind === 'done' ? { version: result.version } : undefined;
}

function compareAnswer(result: WriteResult): causeway.v1.CompareResponseFields | undefined {
  if (result.kind === 'done') return { applied: true, version: result.version };
  if (result.kind !== 'conditionFailed') return undefined;
  return { applied: false, current: result.current === undefined ? null : recordAnswer(result.current) };
}

function incrementAnswer(result: WriteResult): causeway.v1.IncrementResponseFields | undefined {
  if (result.kind !== 'done' || result.number === null) return undefined;
  return { total: result.number, version: result.version };
}
