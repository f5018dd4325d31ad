/** LCS: the longest common subsequence of two values, by the usual dynamic-programming table. */
import { RESP_LCS_CELLS_MAX } from '../../../core/clients/redis-limits.ts';
import type { Arguments } from '../arguments.ts';
import { SYNTAX_ERROR } from '../error-replies.ts';
import type { Outcome, Plan } from '../plan.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { keyError } from './parsing.ts';

interface Options {
  readonly wantsLength: boolean;
  readonly wantsPlaces: boolean;
  readonly withLengths: boolean;
  readonly lengthMin: number;
}

/** The first and last byte of one match, in each value. */
interface Match {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
  readonly length: number;
}

/** Size of one match in the reply: four positions and a length, with their headers. */
const MATCH_BYTES = 80;

export function lcs(args: Arguments): Plan | string {
  const first = args.key(1);
  if (first === undefined) return keyError(args, 1);
  const second = args.key(2);
  if (second === undefined) return keyError(args, 2);
  const options = optionsOf(args);
  if (typeof options === 'string') return options;
  return {
    steps: [
      { key: first, change: null },
      { key: second, change: null },
    ],
    respond: (out, [a, b]) => respond(out, options, valueOf(a), valueOf(b)),
    replyBytes: ([a = 0, b = 0]) =>
      options.wantsLength ? 0 : Math.min(a, b) * (options.wantsPlaces ? MATCH_BYTES : 1),
    cells: ([a = 0, b = 0]) => cellsOf(a, b),
  };
}

function optionsOf(args: Arguments): Options | string {
  let wantsLength = false;
  let wantsPlaces = false;
  let withLengths = false;
  let lengthMin = 0n;
  for (let at = 3; at < args.count; at += 1) {
    const word = args.upper(at);
    if (word === 'LEN') wantsLength = true;
    else if (word === 'IDX') wantsPlaces = true;
    else if (word === 'WITHMATCHLEN') withLengths = true;
    else if (word === 'MINMATCHLEN' && at + 1 < args.count) {
      at += 1;
      const given = args.integer(at);
      if (given === undefined) return 'ERR value is not an integer or out of range';
      lengthMin = given < 0n ? 0n : given;
    } else return SYNTAX_ERROR;
  }
  if (wantsLength && wantsPlaces) {
    return 'ERR If you want both the length and indexes, please just use IDX.';
  }
  return { wantsLength, wantsPlaces, withLengths, lengthMin: Number(lengthMin) };
}

function cellsOf(a: number, b: number): number {
  return (a + 1) * (b + 1);
}

function valueOf(outcome: Outcome | undefined): Uint8Array {
  return outcome?.kind === 'read' ? (outcome.standing?.value ?? new Uint8Array(0)) : new Uint8Array(0);
}

function respond(out: ReplyWriter, options: Options, a: Uint8Array, b: Uint8Array): void {
  if (cellsOf(a.length, b.length) > RESP_LCS_CELLS_MAX) {
    return out.error('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
  }
  const table = tableOf(a, b);
  const length = table[table.length - 1]!;
  if (options.wantsLength) return out.integer(length);
  const { common, matches } = walk(table, a, b, length);
  if (!options.wantsPlaces) return out.bulk(common);
  const told = matches.filter((match) => match.length >= options.lengthMin);
  out.map(2);
  out.bulkText('matches');
  out.array(told.length);
  for (const match of told) {
    out.array(options.withLengths ? 3 : 2);
    for (const [from, to] of [match.a, match.b]) {
      out.array(2);
      out.integer(from);
      out.integer(to);
    }
    if (options.withLengths) out.integer(match.length);
  }
  out.bulkText('len');
  out.integer(length);
}

function tableOf(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let row = 1; row <= a.length; row += 1) {
    for (let column = 1; column <= b.length; column += 1) {
      const at = row * width + column;
      table[at] =
        a[row - 1] === b[column - 1]
          ? table[at - width - 1]! + 1
          : Math.max(table[at - width]!, table[at - 1]!);
    }
  }
  return table;
}

/** From the end to the beginning, as in Redis, so that the same one of several equal subsequences is returned. */
function walk(
  table: Uint32Array,
  a: Uint8Array,
  b: Uint8Array,
  length: number,
): { common: Uint8Array; matches: Match[] } {
  const width = b.length + 1;
  const common = new Uint8Array(length);
  const matches: Match[] = [];
  let left = length;
  let row = a.length;
  let column = b.length;
  let endA = -1;
  let endB = -1;
  let run = 0;
  const endRun = (): void => {
    if (run > 0) {
      const startA = endA - run + 1;
      const startB = endB - run + 1;
      matches.push({ a: [startA, endA], b: [startB, endB], length: run });
    }
    run = 0;
  };
  while (row > 0 && column > 0) {
    if (a[row - 1] === b[column - 1]) {
      left -= 1;
      common[left] = a[row - 1]!;
      if (run === 0) {
        endA = row - 1;
        endB = column - 1;
      }
      run += 1;
      row -= 1;
      column -= 1;
      continue;
    }
    endRun();
    if (table[(row - 1) * width + column]! > table[row * width + column - 1]!) row -= 1;
    else column -= 1;
  }
  endRun();
  return { common, matches };
}
