/**
 * Places by the hashes of keys, in two flat arrays. A map from keys would keep the keys themselves: a hundred thousand
 * strings that the collector visits, and moves into its old generation to find them dead there a little later; and it
 * grows by leaps of megabytes. What a hash stands for is compared by whoever asks. Every bucket is bounded, whatever keys
 * somebody thinks of: one that is full gives up its lowest place.
 */
/** Places of one bucket. */
const BUCKET_PLACES = 8;
/** Bytes of a hash and of a place. */
const PLACE_BYTES = 12;
/** It shrinks when fewer than one place in so many is used: half as long it is a quarter full, and grows when it is half full. */
const SPARSE_PARTS = 8;

export class HotPlaces {
  /** Beside each place the hash of its key. */
  hashes = new Int32Array(0);
  /** One more than the place; 0: none. */
  places = new Float64Array(0);
  private count = 0;
  private bucketMask = -1;

  get byteCount(): number {
    return this.places.length * PLACE_BYTES;
  }

  /** Where the bucket of the hash begins. */
  bucketOf(hash: number): number {
    return (hash & this.bucketMask) * BUCKET_PLACES;
  }

  placeAt(index: number): number {
    return this.places[index]! - 1;
  }

  /** Where a place with this hash stands; -1: there is none. */
  withHash(hash: number): number {
    const { hashes, places } = this;
    if (places.length === 0) return -1;
    const first = this.bucketOf(hash);
    for (let at = first; at < first + BUCKET_PLACES; at += 1)
      if (hashes[at] === hash && places[at] !== 0) return at;
    return -1;
  }

  /** Of a hash that stands nowhere yet. */
  add(hash: number, place: number): void {
    // Half full at most: then hardly any bucket is.
    if (this.count * 2 >= this.places.length) this.grow();
    const index = this.lowestOf(hash);
    if (this.places[index] === 0) this.count += 1;
    this.set(index, hash, place);
  }

  /**
   * After a burst of small records it is half as long, where so little of it is used that it will not soon grow again. It looks at
   * every place: to be called rarely, and not while anybody waits for an answer.
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
      // Two buckets become one: if what they hold finds no room, the oldest goes, as ever.
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

  /** Where the hash has this very place; -1: it has another one by now, or none. */
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

  /** Where in its bucket something goes: a free place, or that of the oldest. */
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

  /** Each bucket becomes two: what it holds finds room in them. */
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
