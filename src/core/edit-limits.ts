/** Limits of what is done with changes that were made by hand in PostgreSQL. */

/** Keys of which such changes are taken up at once: as many rounds beside those of clients. */
export const EDITS_AT_ONCE_MAX = 64;
