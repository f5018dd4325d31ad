/** Which key an operation is of: any alike, or a few much more often than the others, as Zipf's law has it. */

/** Of the law's exponent YCSB has made a custom of 0.99. */
const ZIPF_EXPONENT = 0.99;
/** Shares no factor with any count of keys used here: neighbours in rank are none in place. */
const STRIDE = 7_919;

export type Spread = 'uniform' | 'zipf';

export function keyChoice(spread: Spread, keyCount: number): () => number {
  if (spread === 'uniform') return () => Math.floor(Math.random() * keyCount);
  const upTo = new Float64Array(keyCount);
  let sum = 0;
  for (let rank = 0; rank < keyCount; rank += 1) upTo[rank] = sum += (rank + 1) ** -ZIPF_EXPONENT;
  return () => (rankOf(upTo, Math.random() * sum) * STRIDE) % keyCount;
}

/** The first place whose sum is above the point. */
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
