/** The choice of keys: uniform, or a few much more often than the others, by Zipf's law. */

/** YCSB has made 0.99 the customary exponent. */
const ZIPF_EXPONENT = 0.99;
/** Coprime to every count of keys used here: keys of neighbouring rank are not neighbours. */
const STRIDE = 7_919;

export type Spread = 'uniform' | 'zipf';

export function keyChoice(spread: Spread, keyCount: number): () => number {
  if (spread === 'uniform') return () => Math.floor(Math.random() * keyCount);
  const upTo = new Float64Array(keyCount);
  let sum = 0;
  for (let rank = 0; rank < keyCount; rank += 1) upTo[rank] = sum += (rank + 1) ** -ZIPF_EXPONENT;
  return () => (rankOf(upTo, Math.random() * sum) * STRIDE) % keyCount;
}

/** The first rank whose cumulative sum is above the point. */
function rankOf(upTo: Float64Array, point: number): number {
  let low = 0;
  let high = upTo.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upTo[middle]! > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
