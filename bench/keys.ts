/** The keys and values of all parts: short keys spread over all slots, values of 100 bytes. */

export const KEY_COUNT = 10_000;
const VALUE_BYTES = 100;
/** Distinct values used in turn: equal ones would compress, and random ones cost more to make than to store. */
const VALUES = Array.from({ length: 64 }, () =>
  Uint8Array.from({ length: VALUE_BYTES }, () => Math.floor(Math.random() * 256)),
);
let taken = 0;

export function benchKey(index: number): string {
  return `bench:${index}`;
}

export function randomKey(): string {
  return benchKey(Math.floor(Math.random() * KEY_COUNT));
}

export function benchValue(): Uint8Array {
  taken = (taken + 1) % VALUES.length;
  return VALUES[taken]!;
}
