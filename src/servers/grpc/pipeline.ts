/**
 * The pipeline: frames of operations in, frames of results out, in any order. It is bounded at both ends. At most
 * PIPELINE_UNANSWERED_MAX operations are begun and not yet taken by the client. At that limit, or with too many bytes
 * of answers waiting, no more operations are begun and the stream is not read, which slows the client down through the
 * flow control of HTTP/2. The same happens when the node is overloaded: a client that can wait is not refused. Results
 * are collected for one turn of the event loop and leave as one frame.
 */
import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import {
  PIPELINE_ANSWER_BYTES_MAX,
  PIPELINE_ANSWER_BYTES_PAUSE,
  PIPELINE_BYTES_MAX,
  PIPELINE_OPERATIONS_MAX,
  PIPELINE_STREAMS_MAX,
  PIPELINE_UNANSWERED_MAX,
} from '../../core/clients/grpc-limits.ts';
import { OPERATION_TIMEOUT_MS_DEFAULT, OPERATION_TIMEOUT_MS_MAX } from '../../core/limits.ts';
import type { causeway } from '../../gen/protocol.js';
import { failureAnswer } from './answer.ts';
import { Malformed, failStream, monotonicNow } from './method.ts';
import type { Operations } from './operations.ts';
import type { PipelineOperations } from './traced-calls.ts';
import type { Untaken } from './untaken.ts';

type Operation = causeway.v1.Operation;
type Result = causeway.v1.OperationResultFields;
type Call = ServerDuplexStream<causeway.v1.PipelineRequest | Malformed, causeway.v1.PipelineResponseFields>;

interface Frame {
  readonly operations: readonly Operation[];
  begun: number;
  /** On the monotonic clock. */
  readonly deadlineAt: number;
  /** Set if the frame breaks a limit: none of its operations is carried out then. */
  readonly fault: string | undefined;
}

/**
 * Milliseconds after which a held-back pipeline with no operation under way checks again whether the node takes more.
 */
const HOLD_MS = 10;
const TOO_MANY_PIPELINES = `${PIPELINE_STREAMS_MAX} pipelines are open at this node: close some, or ask another node`;
/** Rough size in bytes of a result besides its value, so that many small results count as well. */
const RESULT_OVERHEAD_BYTES = 64;

/** `traced` returns the operations to use for one call, given the metadata of that call. */
export function createPipelines(
  traced: (metadata: Metadata) => PipelineOperations,
  untaken: Untaken,
): (call: Call) => void {
  let streams = 0;
  return (call) => {
    if (streams >= PIPELINE_STREAMS_MAX) {
      return failStream(call, failure('overloaded', TOO_MANY_PIPELINES));
    }
    streams++;
    let counted = true;
    const closed = (): void => {
      if (counted) streams--;
      counted = false;
    };
    call.once('close', closed);
    call.once('cancelled', closed);
    call.once('finish', closed);
    new Pipeline(call, traced(call.metadata), untaken).serve();
  };
}

class Pipeline {
  readonly #call: Call;
  readonly #operations: Operations;
  readonly #turnTo: PipelineOperations['turnTo'];
  readonly #untaken: Untaken;
  /** Frames that were read but not completely begun; the stream is paused while there are any. */
  readonly #frames: Frame[] = [];
  #results: Result[] = [];
  #resultBytes = 0;
  /** Bytes of the collected results, and of frames that the transport has not taken yet. */
  #bytesWaiting = 0;
  #unanswered = 0;
  #flushAsked = false;
  #isHeld = false;
  #isInLine = false;
  #inputEnded = false;
  #closed = false;

  constructor(call: Call, { operations, turnTo }: PipelineOperations, untaken: Untaken) {
    this.#untaken = untaken;
    this.#call = call;
    this.#operations = operations;
    this.#turnTo = turnTo;
  }

  serve(): void {
    const call = this.#call;
    const close = (): void => {
      this.#closed = true;
      this.#frames.length = 0;
      this.#results = [];
      this.#wait(-this.#bytesWaiting);
    };
    call.on('data', (frame: causeway.v1.PipelineRequest | Malformed) => this.#receive(frame));
    call.on('end', () => {
      this.#inputEnded = true;
      this.#endIfDone();
    });
    call.on('cancelled', close);
    call.on('close', close);
    call.on('error', close);
  }

  #receive(frame: causeway.v1.PipelineRequest | Malformed): void {
    if (this.#closed) return;
    if (frame instanceof Malformed) return failStream(this.#call, frame.failed);
    const timeoutMs = Math.min(frame.timeoutMs || OPERATION_TIMEOUT_MS_DEFAULT, OPERATION_TIMEOUT_MS_MAX);
    this.#frames.push({
      operations: frame.operations,
      begun: 0,
      deadlineAt: monotonicNow() + timeoutMs,
      fault: frameFault(frame.operations),
    });
    this.#beginMore();
  }

  /**
   * Begins as many operations as the bounds allow; resumes reading only when all operations read so far were begun.
   * `hasWaited`: this pipeline has waited for the present turn.
   */
  #beginMore(hasWaited = false): void {
    const { turns } = this.#untaken;
    while (this.#frames.length > 0) {
      const frame = this.#frames[0]!;
      while (frame.begun < frame.operations.length) {
        if (
          this.#unanswered >= PIPELINE_UNANSWERED_MAX ||
          this.#untaken.isOver(this.#bytesWaiting, PIPELINE_ANSWER_BYTES_PAUSE)
        ) {
          this.#call.pause();
          return;
        }
        if (!(hasWaited ? turns.hasRoom : turns.isOpen)) return this.#waitForTurn();
        const next = frame.operations[frame.begun]!;
        if (next.get === null && this.#operations.isFull()) return this.#holdBack();
        frame.begun += 1;
        this.#begin(next, frame);
      }
      this.#frames.shift();
    }
    if (this.#call.isPaused()) this.#call.resume();
    this.#endIfDone();
  }

  /** This turn of the event loop has read enough values, here and for others; the rest follows in a later turn. */
  #waitForTurn(): void {
    this.#call.pause();
    if (this.#isInLine) return;
    this.#isInLine = true;
    this.#untaken.turns.wait(() => {
      this.#isInLine = false;
      if (!this.#closed) this.#beginMore(true);
    });
  }

  /**
   * The node is overloaded: goes on when one of this pipeline's own operations is answered or, if none is under way,
   * after HOLD_MS.
   */
  #holdBack(): void {
    this.#call.pause();
    if (this.#unanswered > 0 || this.#isHeld) return;
    this.#isHeld = true;
    setTimeout(() => {
      this.#isHeld = false;
      if (!this.#closed) this.#beginMore();
    }, HOLD_MS);
  }

  #begin(operation: Operation, frame: Frame): void {
    const { number } = operation;
    this.#unanswered++;
    if (frame.fault !== undefined) return this.#fail(number, failure('invalid_argument', frame.fault));
    const timeoutMs = frame.deadlineAt - monotonicNow();
    this.#turnTo(operation);
    const { get, put, delete: remove, compareAndPut, compareAndDelete, increment } = operation;
    if (get !== null) {
      this.#operations.get(get, timeoutMs, (failed, answer) =>
        this.#answer(failed, { number, get: answer }, answer?.record?.value?.length ?? 0),
      );
    } else if (put !== null) {
      this.#operations.put(put, timeoutMs, (failed, answer) =>
        this.#answer(failed, { number, put: answer }, 0),
      );
    } else if (remove !== null) {
      this.#operations.delete(remove, timeoutMs, (failed, answer) =>
        this.#answer(failed, { number, delete: answer }, 0),
      );
    } else if (compareAndPut !== null) {
      this.#operations.compareAndPut(compareAndPut, timeoutMs, (failed, compare) =>
        this.#answer(failed, { number, compare }, compare?.current?.value?.length ?? 0),
      );
    } else if (compareAndDelete !== null) {
      this.#operations.compareAndDelete(compareAndDelete, timeoutMs, (failed, compare) =>
        this.#answer(failed, { number, compare }, compare?.current?.value?.length ?? 0),
      );
    } else if (increment !== null) {
      this.#operations.increment(increment, timeoutMs, (failed, answer) =>
        this.#answer(failed, { number, increment: answer }, 0),
      );
    } else {
      this.#fail(
        number,
        failure('not_supported', 'the operation is empty or of a kind that this node does not know'),
      );
    }
  }

  #fail(number: number, failed: Failure): void {
    this.#answer(failed, { number }, 0);
  }

  #answer(failed: Failure | null, result: Result, valueBytes: number): void {
    if (this.#closed) return;
    if (valueBytes > 0) this.#untaken.turns.made(valueBytes);
    let kept = result;
    let bytes = valueBytes + RESULT_OVERHEAD_BYTES;
    if (failed !== null) {
      kept = { number: result.number, failure: failureAnswer(failed) };
    } else if (
      valueBytes > 0 &&
      this.#untaken.isOver(this.#bytesWaiting + valueBytes, PIPELINE_ANSWER_BYTES_MAX)
    ) {
      kept = withoutValue(result);
      bytes = RESULT_OVERHEAD_BYTES;
    }
    if (this.#resultBytes + bytes > PIPELINE_BYTES_MAX || this.#results.length >= PIPELINE_OPERATIONS_MAX) {
      this.#flush();
    }
    this.#results.push(kept);
    this.#resultBytes += bytes;
    this.#wait(bytes);
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    setImmediate(() => {
      this.#flushAsked = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed || this.#results.length === 0) return;
    const count = this.#results.length;
    const bytes = this.#resultBytes;
    const frame = { results: this.#results };
    this.#results = [];
    this.#resultBytes = 0;
    this.#call.write(frame, () => {
      this.#unanswered -= count;
      if (this.#closed) return;
      this.#wait(-bytes);
      this.#beginMore();
    });
  }

  /** Adjusts the count of bytes that wait for the client, up or down. */
  #wait(bytes: number): void {
    this.#bytesWaiting += bytes;
    this.#untaken.total += bytes;
  }

  #endIfDone(): void {
    if (this.#closed || !this.#inputEnded || this.#unanswered > 0 || this.#frames.length > 0) return;
    this.#closed = true;
    this.#call.end();
  }
}

/**
 * A result that no longer fits: a get becomes a definite refusal; a compare was decided, so its outcome is sent without
 * the value.
 */
function withoutValue(result: Result): Result {
  if (result.compare?.current) {
    return { ...result, compare: { ...result.compare, current: { ...result.compare.current, value: null } } };
  }
  const full = failure('overloaded', 'too many bytes of answers wait to be read: read them and ask again');
  return { number: result.number, failure: failureAnswer(full) };
}

function frameFault(operations: readonly Operation[]): string | undefined {
  if (operations.length > PIPELINE_OPERATIONS_MAX) {
    return `${operations.length} operations in one frame, more than ${PIPELINE_OPERATIONS_MAX}`;
  }
  if (operations.length === 1) return undefined;
  let bytes = 0;
  for (const { put, compareAndPut } of operations) {
    bytes += put?.value.length ?? 0;
    bytes += (compareAndPut?.value.length ?? 0) + (compareAndPut?.expectValue?.length ?? 0);
  }
  return bytes > PIPELINE_BYTES_MAX
    ? `${bytes} bytes of values in one frame, more than ${PIPELINE_BYTES_MAX}`
    : undefined;
}
