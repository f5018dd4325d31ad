/**
 * The one table of operating errors. Each is *definite* (it did not happen: retry freely) or *indefinite*
 * (it may have happened). A new code is added only if a caller would act differently on it; the document
 * `docs/ERRORS.md` and the doors are held to this table by tests.
 */

export type Certainty = 'definite' | 'indefinite';

/** gRPC status names, which the doors use for the codes. */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNAVAILABLE'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL';

export interface ErrorEntry {
  readonly certainty: Certainty;
  readonly status: StatusName;
  /** What happened and what the caller can do, in one sentence for the document. */
  readonly meaning: string;
}

export const ERROR_TABLE = {
  invalid_argument: {
    certainty: 'definite',
    status: 'INVALID_ARGUMENT',
    meaning: 'A key, value or option breaks a limit; the message names it. Change the request.',
  },
  not_an_integer: {
    certainty: 'definite',
    status: 'FAILED_PRECONDITION',
    meaning: 'The value to increment is not 64-bit decimal text. Nothing was changed.',
  },
  integer_overflow: {
    certainty: 'definite',
    status: 'OUT_OF_RANGE',
    meaning: 'The increment would leave the signed 64-bit range. Nothing was changed.',
  },
  not_a_number: {
    certainty: 'definite',
    status: 'FAILED_PRECONDITION',
    meaning: 'The value to increment, or the increment, is not a decimal number. Nothing was changed.',
  },
  number_overflow: {
    certainty: 'definite',
    status: 'OUT_OF_RANGE',
    meaning: 'The increment would leave the range of decimal numbers. Nothing was changed.',
  },
  not_ready: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning:
      'This node holds no lease and reaches no owner that does. Ask another node, retry shortly, or allow an old answer to a read.',
  },
  owners_missing: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning: 'Fewer owners of the key live than a write needs. Retry when a node has returned.',
  },
  disk_full: {
    certainty: 'definite',
    status: 'RESOURCE_EXHAUSTED',
    meaning:
      'An owner of the key has too little free space on its disk, and writes cannot do without it. Nothing was stored; free space there, or add a node.',
  },
  record_unavailable: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning:
      'PostgreSQL is known to be down, or is another than the one in use: the write was refused, or the miss cannot be decided. Retry later.',
  },
  source_unavailable: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning: 'The legacy source failed or refused, so it is unknown whether the key exists. Retry later.',
  },
  key_unaddressable: {
    certainty: 'definite',
    status: 'FAILED_PRECONDITION',
    meaning: 'The key cannot be put into a URL of the legacy source without naming another resource.',
  },
  record_damaged: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning:
      'The stored record fails its checksum and no other owner could be asked. It is never served; retry when another owner is back.',
  },
  overloaded: {
    certainty: 'definite',
    status: 'RESOURCE_EXHAUSTED',
    meaning:
      'The node has more to do than it gets done, or a bounded queue is full. Nothing was begun; retry after a pause, drawn at random and growing.',
  },
  contended: {
    certainty: 'definite',
    status: 'UNAVAILABLE',
    meaning: 'A conditional write lost to other writers until its deadline, and was never applied. Retry.',
  },
  deadline_before_start: {
    certainty: 'definite',
    status: 'DEADLINE_EXCEEDED',
    meaning:
      'The deadline passed, or the request did not come to its end in time, before anything was stored. Retry with more time.',
  },
  read_timeout: {
    certainty: 'definite',
    status: 'DEADLINE_EXCEEDED',
    meaning: 'A read waited for an unfinished write until its deadline. Reads change nothing; retry.',
  },
  outcome_unknown: {
    certainty: 'indefinite',
    status: 'DEADLINE_EXCEEDED',
    meaning:
      'The write was begun and not seen to finish; it may take effect. Read before repeating it, or, if it carried an operation id, repeat it under that.',
  },
  operation_id_expired: {
    certainty: 'indefinite',
    status: 'FAILED_PRECONDITION',
    meaning: 'The operation id is older than what is remembered: whether it was used before cannot be told.',
  },
  upgrade_unfinished: {
    certainty: 'definite',
    status: 'FAILED_PRECONDITION',
    meaning:
      'Not all nodes speak, or have in force, the version that the request needs; the message names who is to be upgraded. Nothing was done.',
  },
  not_supported: {
    certainty: 'definite',
    status: 'UNIMPLEMENTED',
    meaning: 'This version does not know the request.',
  },
  internal: {
    certainty: 'indefinite',
    status: 'INTERNAL',
    meaning: 'A fault inside the node; a write may have taken effect. Please report it with the log line.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** An operating error as a value: what the flows hand to the doors. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function failure(code: ErrorCode, message?: string): Failure {
  return { code, message: message ?? ERROR_TABLE[code].meaning };
}

export function certaintyOf(code: ErrorCode): Certainty {
  return ERROR_TABLE[code].certainty;
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}
