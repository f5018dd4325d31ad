/**
 * How the HTTP door reports failures: problem details (RFC 9457) with code and certainty from the one table of errors,
 * and a status with the same meaning for proxies and libraries. An operation that failed with 500, 504 or the 409 of an
 * expired operation id may have happened; `outcome` tells for every failure.
 */
import { z } from 'zod';
import { ERROR_TABLE, certaintyOf } from '../../core/errors.ts';
import type { ErrorCode, Failure } from '../../core/errors.ts';
import { OVERLOADED_RETRY_MS } from '../../core/limits.ts';

export const HTTP_STATUS = {
  invalid_argument: 400,
  not_an_integer: 409,
  integer_overflow: 409,
  not_a_number: 409,
  number_overflow: 409,
  not_ready: 503,
  owners_missing: 503,
  disk_full: 507,
  record_unavailable: 503,
  source_unavailable: 503,
  key_unaddressable: 422,
  record_damaged: 503,
  overloaded: 503,
  contended: 503,
  deadline_before_start: 503,
  read_timeout: 504,
  outcome_unknown: 504,
  operation_id_expired: 409,
  upgrade_unfinished: 409,
  not_supported: 501,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** Answers of the cluster that are not failures, but for which HTTP has a status. */
const ANSWERS = {
  absent: { status: 404, meaning: 'The key has no value.' },
  condition_failed: { status: 412, meaning: 'The condition does not hold. Nothing was changed.' },
} as const;
type AnswerCode = keyof typeof ANSWERS;

const CODES = [...Object.keys(ERROR_TABLE), ...Object.keys(ANSWERS)] as (ErrorCode | AnswerCode)[];

export const PROBLEM = z
  .strictObject({
    type: z.string().describe('urn:causeway:problem: and the code'),
    title: z.string().describe('what the code means; the same for every problem of this code'),
    status: z.int(),
    detail: z.string().describe('what happened this time'),
    code: z.enum(CODES),
    outcome: z
      .enum(['definite', 'indefinite'])
      .describe('definite: it did not happen; indefinite: it may have happened'),
    currentVersion: z
      .int()
      .min(0)
      .nullable()
      .optional()
      .describe('with condition_failed, where it is known: the version that stands, null for none'),
  })
  .describe('problem details (RFC 9457)')
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof PROBLEM>;

export const PROBLEM_TYPE = 'application/problem+json';
/** Set on every problem response, so that the answer to a HEAD request has the code, too. */
export const CODE_HEADER = 'Causeway-Code';

export function problemOf({ code, message }: Failure, status: number = HTTP_STATUS[code]): Problem {
  const { meaning } = ERROR_TABLE[code];
  const outcome = certaintyOf(code);
  return { type: typeOf(code), title: meaning, status, detail: message, code, outcome };
}

export function absent(): Problem {
  return answerProblem('absent');
}

/** `current` is the version that stands; null if there is none. */
export function conditionFailed(current: number | null): Problem {
  return { ...answerProblem('condition_failed'), currentVersion: current };
}

function answerProblem(code: AnswerCode): Problem {
  const { status, meaning } = ANSWERS[code];
  return { type: typeOf(code), title: meaning, status, detail: meaning, code, outcome: 'definite' };
}

function typeOf(code: string): string {
  return `urn:causeway:problem:${code}`;
}

/** Thrown while a request is being read, when nothing was begun yet. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    code: ErrorCode = 'invalid_argument',
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.problem = problemOf({ code, message: detail }, status);
    this.headers = headers;
  }
}

export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: {
      'Content-Type': PROBLEM_TYPE,
      'Cache-Control': 'no-store',
      [CODE_HEADER]: problem.code,
      ...(problem.status === 503 ? { 'Retry-After': String(Math.ceil(OVERLOADED_RETRY_MS / 1000)) } : {}),
      ...headers,
    },
  });
}
