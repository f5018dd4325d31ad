/** Which absences count only after the source has proved that it understands the characters of the key. */
import { describe, expect, it } from 'vitest';
import { LegacyEscapes } from './legacy-escapes.ts';
import { compileLegacyUrl } from './legacy-url.ts';

function escapes(url: string, trusted = ''): LegacyEscapes {
  const compiled = compileLegacyUrl(url);
  if (compiled.kind === 'invalid') throw new Error(compiled.reason);
  return new LegacyEscapes(compiled.template, trusted);
}

const doubted = (of: LegacyEscapes): string =>
  ['/', '\\', '%'].filter((c) => of.doubt(`a${c}b`) !== '').join('');

describe('LegacyEscapes', () => {
  it('a key without such characters: its absence is believed', () => {
    expect(escapes('http://old/{key}').doubt('user:1 ?#ü')).toBe('');
  });

  it.each([
    ['a path segment', 'http://old/{key}', '/\\%'],
    ['a path that keeps slashes', 'http://old/{+key}', '\\%'],
    ['a query', 'http://old/get?k={key}', ''],
    ['a path and a query', 'http://old/{key}?k={key}', '/\\%'],
  ])('the key stands in %s: doubted is what is escaped there', (_where, url, expected) => {
    expect(doubted(escapes(url))).toBe(expected);
  });

  it('a value for a key with one of them: that one is believed from then on, the others are not', () => {
    const of = escapes('http://old/{key}');
    of.proved('plain');
    expect(doubted(of)).toBe('/\\%');
    of.proved('a/b');
    expect(doubted(of)).toBe('\\%');
    expect(of.doubt('a/b\\c')).toContain('%5C');
  });

  it('the operator vouches for one: believed from the start', () => {
    expect(doubted(escapes('http://old/{key}', '/%'))).toBe('\\');
  });
});
