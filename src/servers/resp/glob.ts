/**
 * Patterns as Redis matches them: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant as it is. Over the bytes of
 * text and pattern, each as one character. A pattern is read once; a star that fails goes back to the last one only, so
 * that a text takes no more steps than the product of both lengths. They are counted, for who matches many texts.
 */
import { KEY_BYTES_MAX } from '../../core/limits.ts';

const STAR = -1;
const ANY = -2;
/** Of class 0; of the next ones one less each. */
const CLASS_FIRST = -3;
const BYTES = 256;

const PATTERN_TOO_LONG = `ERR a pattern has at most ${KEY_BYTES_MAX} bytes`;

/** A text: why there is none. */
export function globOf(pattern: string): Glob | string {
  return pattern.length > KEY_BYTES_MAX ? PATTERN_TOO_LONG : new Glob(pattern);
}

export class Glob {
  /** Taken since it was made. */
  steps = 0;
  /** Codes of bytes, or the signs above. */
  private readonly parts: number[] = [];
  /** By their number: which bytes are taken. */
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

/** A byte as C has it where characters are signed, as on x86-64: those of other letters than ASCII's stand before all others. */
function signed(code: number): number {
  return code < BYTES / 2 ? code : code - BYTES;
}

function takeRange(taken: Uint8Array, one: number, other: number): void {
  for (let code = 0; code < BYTES; code += 1) {
    const place = signed(code);
    if (place >= Math.min(one, other) && place <= Math.max(one, other)) taken[code] = 1;
  }
}

/** A class without its end reaches to the end of the pattern. */
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
