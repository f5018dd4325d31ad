/**
 * Places by the hashes of keys, in two flat arrays. A map would keep the keys themselves: a hundred thousand strings
 * that the garbage collector visits and promotes to its old generation, only to find them dead there soon after; and it
 * would grow in jumps of megabytes. The caller verifies what is stored at a place. Every bucket is bounded, whatever
 * keys somebody chooses: a full one gives up its lowest place.
 */
/** Places of one bucket. */
const BUCKET_PLACES = 8;
/** Bytes of one hash and one place. */
const PLACE_BYTES = 12;
/**
 * The table shrinks if fewer than one place in this many is used: at half the size it is a quarter full, and it grows
 * when half full.
 */
const SPARSE_PARTS = 8;

export class HotPlaces {
  /** The hash of the key for each place. */
  hashes = new Int32Array(0);
  /** Each place plus one; 0 means none. */
  places = new Float64Array(0);
  private count = 0;
  private bucketMask = -1;

  get byteCount(): number {
    return this.places.length * PLACE_BYTES;
  }

  /** Index at which the bucket of the hash begins. */
  bucketOf(hash: number): number {
    return (hash & this.bucketMask) * BUCKET_PLACES;
  }

  placeAt(index: number): number {
    return this.places[index]! - 1;
  }

  /** Index of a place with this hash; -1 if there is none. */
  withHash(hash: number): number {
    const { hashes, places } = this;
    if (places.length === 0) return -1;
    const first = this.bucketOf(hash);
    for (let at = first; at < first + BUCKET_PLACES; at += 1)
      if (hashes[at] === hash && places[at] !== 0) return at;
    return -1;
  }

  /** The hash must not be in the table yet. */
  add(hash: number, place: number): void {
    // At most half full, so that hardly any bucket is full.
    if (this.count * 2 >= this.places.length) this.grow();
    const index = this.lowestOf(hash);
    if (this.places[index] === 0) this.count += 1;
    this.set(index, hash, place);
  }

  /**
   * Halves the table after a burst of small records, if so little of it is used that it will not soon grow again.
   * Visits every place, so call it rarely and not while anybody waits for an answer.
   */
  shrink(): void {
    const { hashes, places } = this;
    if (this.count * SPARSE_PARTS >= places.length || places.length <= BUCKET_PLACES) return;
    this.begin(places.length / BUCKET_PLACES / 2);
    this.count = 0;
    for (let at = 0; at < places.length; at += 1) {
      if (places[at] === 0) continue;
      const index = this.lowestOf(hashes[at]!);
      const lowest = this.places[index]!;
      // Two buckets become one; if their places do not fit, the oldest is dropped as usual.
      if (lowest === 0) this.count += 1;
      if (lowest < places[at]!) this.set(index, hashes[at]!, places[at]! - 1);
    }
  }

  replace(index: number, place: number): void {
    this.places[index] = place + 1;
  }

  remove(index: number): void {
    this.places[index] = 0;
    this.count -= 1;
  }

  /** Index of exactly this place under the hash; -1 if the hash has another place by now, or none. */
  indexOf(hash: number, place: number): number {
    const first = this.bucketOf(hash);
    for (let at = first; at < first + BUCKET_PLACES; at += 1) if (this.places[at] === place + 1) return at;
    return -1;
  }

  clear(): void {
    this.hashes = new Int32Array(0);
    this.places = new Float64Array(0);
    this.count = 0;
    this.bucketMask = -1;
  }

  /** Index at which a place of the bucket is replaced: a free one, or the oldest. */
  private lowestOf(hash: number): number {
    const first = this.bucketOf(hash);
    let index = first;
    for (let at = first; at < first + BUCKET_PLACES; at += 1)
      if (this.places[at]! < this.places[index]!) index = at;
    return index;
  }

  private begin(bucketCount: number): void {
    this.hashes = new Int32Array(bucketCount * BUCKET_PLACES);
    this.places = new Float64Array(bucketCount * BUCKET_PLACES);
    this.bucketMask = bucketCount - 1;
  }

  private set(index: number, hash: number, place: number): void {
    this.hashes[index] = hash;
    this.places[index] = place + 1;
  }

  /** Each bucket is split into two, which have room for its places. */
  private grow(): void {
    const { hashes, places } = this;
    this.begin(Math.max(1, (places.length / BUCKET_PLACES) * 2));
    for (let at = 0; at < places.length; at += 1) {
      if (places[at] === 0) continue;
      let index = this.bucketOf(hashes[at]!);
      while (this.places[index] !== 0) index += 1;
      this.set(index, hashes[at]!, places[at]! - 1);
    }
  }
}
