/** Limits of handling rows that were changed by hand in PostgreSQL. */

/** Keys whose manual changes are handled at once: each costs a round beside those of clients. */
export const EDITS_AT_ONCE_MAX = 64;
