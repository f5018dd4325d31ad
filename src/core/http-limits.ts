/** Limits of HTTP traffic, at the HTTP door and towards the legacy API. Other limits are in `limits.ts`. */

/**
 * How often a write whose condition names several versions is tried when other writes overtake it, before it is given
 * up.
 */
export const CONDITION_ROUNDS_MAX = 16;
/**
 * Bytes of a secret that a setting refers to: as many as servers accept in headers, and fewer than a file named by
 * mistake is likely to have.
 */
export const SECRET_BYTES_MAX = 16 * 1024;
