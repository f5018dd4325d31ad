/**
 * When a 404 of the legacy source may be believed. Many servers, and proxies before them, answer 404 to any path with
 * an escaped slash, or undo the escape before they look for the resource: then every key with a slash would seem
 * absent. For such characters absence is believed only once the source has answered a key that holds one with a value,
 * or where the operator vouches for it.
 */
import type { LegacyUrlTemplate } from './legacy-url.ts';

/** Characters of keys whose escapes are known to be refused or undone on the way: `%2F`, `%5C`, `%25`. */
const DOUBTED = '/\\%';

export class LegacyEscapes {
  /** In doubt so far. */
  private doubted: string;

  /** `trusted`: characters that the operator vouches for. */
  constructor(template: LegacyUrlTemplate, trusted: string) {
    const escaped = new Set<string>();
    for (const { inQuery, keepSlash } of template.slots) {
      // The value of a query is nobody's path.
      if (inQuery) continue;
      for (const character of DOUBTED) if (!(keepSlash && character === '/')) escaped.add(character);
    }
    this.doubted = [...escaped].filter((character) => !trusted.includes(character)).join('');
  }

  /** Why the source's word that the key is absent proves nothing; empty where it may be believed. */
  doubt(key: string): string {
    for (const character of this.doubted) {
      if (!key.includes(character)) continue;
      const escape = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
      return `404, but whether the source understands ${escape} was never seen (legacy.trustedEscapes)`;
    }
    return '';
  }

  /** The source has given the key's value: it understands what the key is made of. */
  proved(key: string): void {
    if (this.doubted === '') return;
    this.doubted = [...this.doubted].filter((character) => !key.includes(character)).join('');
  }
}
