/** Finds the name that was probably meant by a misspelt one. */

/** Letters that may be wrong, missing or too many. */
const FAULTS_MAX = 2;

/** The name with the fewest letters to change; undefined if all of them are too different. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = FAULTS_MAX + 1;
  for (const name of names) {
    if (Math.abs(name.length - word.length) >= fewest) continue;
    const faults = distance(word, name);
    if (faults >= fewest) continue;
    fewest = faults;
    best = name;
  }
  return best;
}

/** Levenshtein's distance, row by row of its table. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
