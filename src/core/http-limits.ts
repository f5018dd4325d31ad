/** Limits of what is said over HTTP, as those in `limits.ts`: at this door, and to the legacy API. */

/** Times that a write is tried whose condition names several versions, and which others overtake: then there are too many. */
export const CONDITION_ROUNDS_MAX = 16;
/** Bytes of a secret that a setting names: as much as servers take of headers, and no file that was named by mistake. */
export const SECRET_BYTES_MAX = 16 * 1024;
