/**
 * Patterns as Redis matches them: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant as it is. Over the bytes of
 * text and pattern, each as one character. A star that fails goes back to the last one only, so that no pattern takes
 * more than the product of the two lengths.
 */

export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let place = 0;
  let starAt = -1;
  let starPlace = 0;
  while (place < text.length) {
    if (pattern[at] === '*') {
      starAt = at;
      at += 1;
      starPlace = place;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text.charCodeAt(place)) : -1;
    if (next >= 0) {
      at = next;
      place += 1;
      continue;
    }
    if (starAt < 0) return false;
    at = starAt + 1;
    starPlace += 1;
    place = starPlace;
  }
  while (pattern[at] === '*') at += 1;
  return at >= pattern.length;
}

/** Where the pattern goes on if its part at `at` takes the character; -1: it does not. */
function matchOne(pattern: string, at: number, code: number): number {
  const sign = pattern[at];
  if (sign === '?') return at + 1;
  if (sign === '[') return matchClass(pattern, at + 1, code);
  const literal = sign === '\\' && at + 1 < pattern.length ? at + 1 : at;
  return pattern.charCodeAt(literal) === code ? literal + 1 : -1;
}

/** A class without its end reaches to the end of the pattern. */
function matchClass(pattern: string, from: number, code: number): number {
  let at = from;
  const isNegated = pattern[at] === '^';
  if (isNegated) at += 1;
  let isIn = false;
  for (; at < pattern.length && pattern[at] !== ']'; at += 1) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at += 1;
      if (pattern.charCodeAt(at) === code) isIn = true;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern.charCodeAt(at), pattern.charCodeAt(at + 2)].sort((a, b) => a - b);
      if (code >= low! && code <= high!) isIn = true;
      at += 2;
    } else if (pattern.charCodeAt(at) === code) isIn = true;
  }
  return isIn === isNegated ? -1 : Math.min(at + 1, pattern.length);
}
