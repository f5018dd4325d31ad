/**
 * The time limit of a call and the signal by which its caller can abort it. Plain JavaScript can pass anything as
 * options: a misspelt time to live would make a value that never expires, and a time limit that is not a number would
 * end the process.
 */
import { setMaxListeners } from 'node:events';
import { CausewayError } from './causeway-error.ts';
import { refused } from './entry.ts';
import type { CallOptions, ConnectOptions } from './options.ts';
import type { PipelineOptions } from './pipeline.ts';

export interface Bound {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The options of all calls. A call ignores those of other calls, so that one object can serve reads and writes. */
const CALL_OPTIONS = ['timeoutMs', 'signal', 'allowStale', 'operationId', 'ttlMs', 'contentType'];
const PIPELINE_OPTIONS = ['timeoutMs', 'unansweredMax', 'trace'];
const CONNECT_OPTIONS = ['nodes', 'timeoutMs', 'connectTimeoutMs', 'operationIds', 'trace'];
/** The longest delay of a timer, in milliseconds. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function boundOf(options: CallOptions, timeoutMsDefault: number): Bound {
  checkOptions(options);
  const { timeoutMs, signal } = options;
  if (signal !== undefined) {
    if (!isSignal(signal)) throw refused('the signal is no AbortSignal');
    manyListen(signal);
  }
  if (timeoutMs === undefined) return { timeoutMs: timeoutMsDefault, signal };
  const fault = timeoutFault(timeoutMs);
  if (fault !== undefined) throw refused(fault);
  return { timeoutMs, signal };
}

export function checkOptions(options: object, names: readonly string[] = CALL_OPTIONS): void {
  if (typeof options !== 'object' || options === null)
    throw refused(`the options are no object, such as { timeoutMs: 500 }, but ${String(options)}`);
  for (const name of Object.keys(options))
    if (!names.includes(name)) throw refused(`there is no option "${name}", only ${names.join(', ')}`);
}

export function checkPipelineOptions(options: PipelineOptions): void {
  checkOptions(options, PIPELINE_OPTIONS);
  const { unansweredMax = 1 } = options;
  if (!Number.isSafeInteger(unansweredMax) || unansweredMax < 1)
    throw refused(`unansweredMax is ${String(unansweredMax)}: a whole number, 1 or more`);
}

/** Throws a TypeError: no call has failed yet. */
export function checkConnectOptions(options: ConnectOptions): void {
  const unknown = Object.keys(options).find((name) => !CONNECT_OPTIONS.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`there is no option "${unknown}", only ${CONNECT_OPTIONS.join(', ')}`);
  for (const name of ['timeoutMs', 'connectTimeoutMs'] as const) {
    const fault = options[name] === undefined ? undefined : timeoutFault(options[name], name);
    if (fault !== undefined) throw new TypeError(fault);
  }
  const { operationIds = false, trace } = options;
  if (typeof operationIds !== 'boolean')
    throw new TypeError(`operationIds is ${String(operationIds)}: true or false`);
  if (trace !== undefined && typeof trace !== 'function') throw new TypeError('trace is no function');
}

function timeoutFault(timeoutMs: unknown, name = 'timeoutMs'): string | undefined {
  if (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX) return undefined;
  return `${name} is ${String(timeoutMs)}: milliseconds, more than 0 and at most ${TIMEOUT_MS_MAX}`;
}

/** Checks what the object can do, since one from another context of this process has another class. */
function isSignal(signal: AbortSignal | null): boolean {
  return typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function';
}

/**
 * Any number of calls may be open under one signal: without this, Node warns of a leak from the eleventh on. A signal of
 * another context has no such warning to be turned off.
 */
export function manyListen(signal: AbortSignal): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}

export function failIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal, 'definite');
}

export function abortedError(signal: AbortSignal, certainty: 'definite' | 'indefinite'): CausewayError {
  const reason: unknown = signal.reason;
  const told = reason instanceof Error ? reason.message : String(reason);
  const error = new CausewayError('aborted', certainty, `the caller took the call back: ${told}`);
  error.cause = reason;
  return error;
}

/** Resolves after this many milliseconds, or as soon as the signal aborts. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener('abort', over);
    if (signal?.aborted === true) over();
  });
}
