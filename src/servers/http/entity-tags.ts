/** Parses lists of entity tags, as in `If-Match` and `If-None-Match` (RFC 9110, 8.8.3 and 13.1). */
import { Refusal } from './problem.ts';

export interface EntityTag {
  /** Including the quotes. */
  readonly opaque: string;
  readonly isWeak: boolean;
}

/** 'any' stands for `*`. */
export type EntityTags = 'any' | readonly EntityTag[];

/**
 * One list element: a tag (which may contain commas inside its quotes), or nothing between two commas. No space can be
 * matched by two parts of the pattern; otherwise thousands of spaces in an invalid header would lead to catastrophic
 * backtracking.
 */
const ELEMENT = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/** Returns undefined if the header was not sent. Throws a refusal if it is not a list of entity tags. */
export function tagsOf(name: string, value: string | undefined): EntityTags | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === '*') return 'any';
  const tags: EntityTag[] = [];
  for (let at = 0; at < value.length; at = ELEMENT.lastIndex) {
    ELEMENT.lastIndex = at;
    const found = ELEMENT.exec(value);
    if (found === null) throw notTags(name);
    if (found[2] !== undefined) tags.push({ opaque: found[2], isWeak: found[1] !== undefined });
  }
  if (tags.length === 0) throw notTags(name);
  return tags;
}

/**
 * Whether `etag`, the strong tag of the present value, is in the list. A weak tag does not promise identical bytes, so
 * it never matches in a strong comparison.
 */
export function anyNamed(tags: EntityTags, etag: string | null, comparison: 'strong' | 'weak'): boolean {
  if (etag === null) return false;
  if (tags === 'any') return true;
  return tags.some(({ opaque, isWeak }) => opaque === etag && (comparison === 'weak' || !isWeak));
}

function notTags(name: string): Refusal {
  return new Refusal(400, `${name} must be * or ETags as this door gave them: "version", with their quotes`);
}
