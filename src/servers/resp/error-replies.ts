/**
 * Failures as Redis clients see them: a first word that tells clients what to do, the code from the one table of
 * errors, and a text for people. Only the word INDEFINITE says that a write may have happened; any other word says that
 * it did not.
 */
import { ERROR_TABLE, type ErrorCode, type Failure } from '../../core/errors.ts';

interface ReplyText {
  /** The first word, before the code. */
  readonly word: string;
  /** The whole text, if Redis has its own wording for this error. */
  readonly own?: string;
  /** Replaces the table's meaning where that mentions what Redis clients do not have: operation ids and old answers. */
  readonly meaning?: string;
}

const TEXTS: Readonly<Record<ErrorCode, ReplyText>> = {
  invalid_argument: { word: 'ERR' },
  not_an_integer: { word: 'ERR', own: 'ERR value is not an integer or out of range' },
  integer_overflow: { word: 'ERR', own: 'ERR increment or decrement would overflow' },
  not_a_number: { word: 'ERR', own: 'ERR value is not a valid float' },
  number_overflow: { word: 'ERR', own: 'ERR increment would produce NaN or Infinity' },
  // Cluster clients retry after a pause, and refresh their list of nodes.
  not_ready: {
    word: 'CLUSTERDOWN',
    meaning: 'This node holds no lease and reaches no owner that does. Ask another node, or retry shortly.',
  },
  owners_missing: { word: 'NOREPLICAS' },
  disk_full: { word: 'MISCONF' },
  // Cluster clients retry after a pause.
  record_unavailable: { word: 'TRYAGAIN' },
  source_unavailable: { word: 'TRYAGAIN' },
  record_damaged: { word: 'TRYAGAIN' },
  overloaded: { word: 'TRYAGAIN' },
  contended: { word: 'TRYAGAIN' },
  deadline_before_start: { word: 'TRYAGAIN' },
  read_timeout: { word: 'TRYAGAIN' },
  key_unaddressable: { word: 'ERR' },
  outcome_unknown: {
    word: 'INDEFINITE',
    meaning:
      'The write was begun and not seen to finish; it may take effect. Read the key before repeating it.',
  },
  operation_id_expired: { word: 'INDEFINITE' },
  not_supported: { word: 'ERR' },
  upgrade_unfinished: { word: 'ERR' },
  internal: { word: 'INDEFINITE' },
};

export function errorText(failure: Failure): string {
  const { word, own } = TEXTS[failure.code];
  return own ?? `${word} ${failure.code}: ${wordsFor(failure)}`;
}

/** The text for people, adapted to what a Redis client can do. */
export function wordsFor({ code, message }: Failure): string {
  return message === ERROR_TABLE[code].meaning ? (TEXTS[code].meaning ?? message) : message;
}

export const SYNTAX_ERROR = 'ERR syntax error';
/** The error for an unknown subcommand, or one with wrong arguments; `subcommand` as the client sent it. */
export function subcommandError(container: string, subcommand: string): string {
  return `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${container} HELP.`;
}
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
