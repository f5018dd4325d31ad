/** Codec of operating errors in answers: the name of a code, and words for people. */
import { isErrorCode } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Characters. Words for people are truncated to this, so that no error text can exceed a frame. */
const WORDS_LENGTH_MAX = 1024;

export function writeWords(out: Writer, words: string): void {
  out.text(words.length <= WORDS_LENGTH_MAX ? words : words.slice(0, WORDS_LENGTH_MAX));
}

export function writeFailure(out: Writer, failure: Failure): void {
  out.text(failure.code);
  writeWords(out, failure.message);
}

/** A code that this version does not know is read as `internal`: calling it *indefinite* is never a false promise. */
export function readFailure(from: Reader): Failure {
  const code = from.text();
  return { code: isErrorCode(code) ? code : 'internal', message: from.text() };
}
