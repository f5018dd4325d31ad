/**
 * Decides when a 404 of the legacy source can be trusted. Many servers, and proxies in front of them, answer 404 to any
 * path with an escaped slash, or undo the escape before they look up the resource; every key with a slash would then
 * seem absent. For such characters an absence is trusted only once the source has returned a value for a key that
 * contains one, or if the operator vouches for it.
 */
import type { LegacyUrlTemplate } from './legacy-url.ts';

/** Characters of keys whose escapes (`%2F`, `%5C`, `%25`) are known to be refused or undone on the way. */
const DOUBTED = '/\\%';

export class LegacyEscapes {
  /** Characters still in doubt. */
  private doubted: string;

  /** `trusted`: characters that the operator vouches for. */
  constructor(template: LegacyUrlTemplate, trusted: string) {
    const escaped = new Set<string>();
    for (const { inQuery, keepSlash } of template.slots) {
      // A value in the query is not part of the path.
      if (inQuery) continue;
      for (const character of DOUBTED) if (!(keepSlash && character === '/')) escaped.add(character);
    }
    this.doubted = [...escaped].filter((character) => !trusted.includes(character)).join('');
  }

  /** Why the source's 404 for this key proves nothing; empty if the 404 can be trusted. */
  doubt(key: string): string {
    for (const character of this.doubted) {
      if (!key.includes(character)) continue;
      const escape = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
      return `404, but whether the source understands ${escape} was never seen (legacy.trustedEscapes)`;
    }
    return '';
  }

  /** The source has returned a value for the key, so it understands every character in it. */
  proved(key: string): void {
    if (this.doubted === '') return;
    this.doubted = [...this.doubted].filter((character) => !key.includes(character)).join('');
  }
}
