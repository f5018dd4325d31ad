/**
 * Glob patterns as Redis matches them: `*`, `?`, `[a-z]`, `[^a]`, and `\` to escape. Pattern and text are bytes, one
 * per character. A pattern is parsed once. On a mismatch only the last star is retried, so a match takes no more steps
 * than the product of both lengths. Steps are counted for callers that match many texts.
 */
import { KEY_BYTES_MAX } from '../../core/limits.ts';

const STAR = -1;
const ANY = -2;
/** Stands for class 0; class 1 is one less, and so on. */
const CLASS_FIRST = -3;
const BYTES = 256;

const PATTERN_TOO_LONG = `ERR a pattern has at most ${KEY_BYTES_MAX} bytes`;

/** Returns a text if the pattern is refused. */
export function globOf(pattern: string): Glob | string {
  return pattern.length > KEY_BYTES_MAX ? PATTERN_TOO_LONG : new Glob(pattern);
}

export class Glob {
  /** Steps taken by all matches so far. */
  steps = 0;
  /** Byte codes, or the negative constants above. */
  private readonly parts: number[] = [];
  /** For each class, by its number, which bytes match. */
  private readonly classes: Uint8Array[] = [];

  constructor(pattern: string) {
    for (let at = 0; at < pattern.length;) {
      const sign = pattern[at];
      if (sign === '[') {
        const made = classAt(pattern, at + 1);
        this.parts.push(CLASS_FIRST - this.classes.length);
        this.classes.push(made.taken);
        at = made.end;
        continue;
      }
      if (sign === '*') {
        if (this.parts.at(-1) !== STAR) this.parts.push(STAR);
      } else if (sign === '?') this.parts.push(ANY);
      else {
        if (sign === '\\' && at + 1 < pattern.length) at += 1;
        this.parts.push(pattern.charCodeAt(at));
      }
      at += 1;
    }
  }

  matches(text: string): boolean {
    const { parts } = this;
    let at = 0;
    let place = 0;
    let starAt = -1;
    let starPlace = 0;
    while (place < text.length) {
      this.steps += 1;
      if (parts[at] === STAR) {
        starAt = at;
        at += 1;
        starPlace = place;
      } else if (at < parts.length && this.takes(parts[at]!, text.charCodeAt(place))) {
        at += 1;
        place += 1;
      } else {
        if (starAt < 0) return false;
        at = starAt + 1;
        starPlace += 1;
        place = starPlace;
      }
    }
    return at >= parts.length || (parts[at] === STAR && at + 1 === parts.length);
  }

  private takes(part: number, code: number): boolean {
    if (part === ANY || part === code) return true;
    return part <= CLASS_FIRST && this.classes[CLASS_FIRST - part]![code] === 1;
  }
}

/** Compares bytes as C does with signed characters, as on x86-64: bytes above 127 sort before all others. */
function signed(code: number): number {
  return code < BYTES / 2 ? code : code - BYTES;
}

function takeRange(taken: Uint8Array, one: number, other: number): void {
  for (let code = 0; code < BYTES; code += 1) {
    const place = signed(code);
    if (place >= Math.min(one, other) && place <= Math.max(one, other)) taken[code] = 1;
  }
}

/** A class that is not closed extends to the end of the pattern. */
function classAt(pattern: string, from: number): { readonly taken: Uint8Array; readonly end: number } {
  const taken = new Uint8Array(BYTES);
  let at = from;
  const isNegated = pattern[at] === '^';
  if (isNegated) at += 1;
  for (; at < pattern.length && pattern[at] !== ']'; at += 1) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at += 1;
      taken[pattern.charCodeAt(at)] = 1;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      takeRange(taken, signed(pattern.charCodeAt(at)), signed(pattern.charCodeAt(at + 2)));
      at += 2;
    } else taken[pattern.charCodeAt(at)] = 1;
  }
  if (isNegated) for (let code = 0; code < BYTES; code += 1) taken[code] = 1 - taken[code]!;
  return { taken, end: Math.min(at + 1, pattern.length) };
}
