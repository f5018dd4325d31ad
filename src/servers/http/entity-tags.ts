/** Lists of entity tags, as `If-Match` and `If-None-Match` have them (RFC 9110, 8.8.3 and 13.1). */
import { Refusal } from './problem.ts';

export interface EntityTag {
  /** With its quotes. */
  readonly opaque: string;
  readonly isWeak: boolean;
}

/** any: `*`. */
export type EntityTags = 'any' | readonly EntityTag[];

/**
 * One tag, or nothing between two commas; a comma may stand within the quotes. No space could be matched by either of two parts: in
 * what is no list, thousands of them would be shared out between the two in every way.
 */
const ELEMENT = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/** Undefined where the header was not sent. Refuses what is no such list. */
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

/** Is the value that stands at `etag`, which is a strong one, among them? Weak tags are no word on whether bytes are the same. */
export function anyNamed(tags: EntityTags, etag: string | null, comparison: 'strong' | 'weak'): boolean {
  if (etag === null) return false;
  if (tags === 'any') return true;
  return tags.some(({ opaque, isWeak }) => opaque === etag && (comparison === 'weak' || !isWeak));
}

function notTags(name: string): Refusal {
  return new Refusal(400, `${name} must be * or ETags as this door gave them: "version", with their quotes`);
}
