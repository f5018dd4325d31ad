/**
 * Failures as Redis clients read them: a first word that tells them what to do, then the code of the one table and the
 * words for people. One word alone, INDEFINITE, says that a write may have happened; any other says that it did not.
 */
import type { ErrorCode, Failure } from '../../core/errors.ts';

/** What stands before the code, or the whole text where Redis has one of its own. */
const TEXTS: Readonly<Record<ErrorCode, { readonly word: string; readonly own?: string }>> = {
  invalid_argument: { word: 'ERR' },
  not_an_integer: { word: 'ERR', own: 'ERR value is not an integer or out of range' },
  integer_overflow: { word: 'ERR', own: 'ERR increment or decrement would overflow' },
  not_a_number: { word: 'ERR', own: 'ERR value is not a valid float' },
  number_overflow: { word: 'ERR', own: 'ERR increment would produce NaN or Infinity' },
  // Cluster clients ask again after a pause, and learn the nodes anew.
  not_ready: { word: 'CLUSTERDOWN' },
  owners_missing: { word: 'NOREPLICAS' },
  disk_full: { word: 'MISCONF' },
  // Cluster clients ask again after a pause.
  record_unavailable: { word: 'TRYAGAIN' },
  source_unavailable: { word: 'TRYAGAIN' },
  record_damaged: { word: 'TRYAGAIN' },
  overloaded: { word: 'TRYAGAIN' },
  contended: { word: 'TRYAGAIN' },
  deadline_before_start: { word: 'TRYAGAIN' },
  read_timeout: { word: 'TRYAGAIN' },
  key_unaddressable: { word: 'ERR' },
  outcome_unknown: { word: 'INDEFINITE' },
  operation_id_expired: { word: 'INDEFINITE' },
  not_supported: { word: 'ERR' },
  upgrade_unfinished: { word: 'ERR' },
  internal: { word: 'INDEFINITE' },
};

export function errorText({ code, message }: Failure): string {
  const { word, own } = TEXTS[code];
  return own ?? `${word} ${code}: ${message}`;
}

/** For the document, which a test holds to this. */
export function errorWord(code: ErrorCode): string {
  return TEXTS[code].word;
}

export const SYNTAX_ERROR = 'ERR syntax error';
/** What a container says of a call that it cannot read; `subcommand` as it was given. */
export function subcommandError(container: string, subcommand: string): string {
  return `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${container} HELP.`;
}
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
