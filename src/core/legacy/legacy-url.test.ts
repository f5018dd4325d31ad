/** Hostile keys: each reaches a server as itself or is not sent; and the final check is shown to find faults. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { buildLegacyUrl, compileLegacyUrl, findUrlFault } from './legacy-url.ts';
import type { LegacyUrlTemplate } from './legacy-url.ts';

function compile(text: string): LegacyUrlTemplate {
  const compiled = compileLegacyUrl(text);
  if (compiled.kind === 'invalid') throw new Error(compiled.reason);
  return compiled.template;
}

function urlOf(template: LegacyUrlTemplate, key: string): string | null {
  const built = buildLegacyUrl(template, key);
  return built.kind === 'url' ? built.url : null;
}

const SIMPLE = compile('http://legacy:8001/legacy/data/{key}');

describe('compiling a template', () => {
  test.each([
    ['no placeholder', 'http://h/a'],
    ['an unknown placeholder', 'http://h/{id}/{key}'],
    ['a stray brace', 'http://h/{key}}'],
    ['the key in the host', 'http://{key}.h/a'],
    ['the key in the port', 'http://h:{key}/a'],
    ['credentials', 'http://user:secret@h/{key}'],
    ['a relative URL', '/a/{key}'],
    ['another protocol', 'file:///{key}'],
    ['a fragment', 'http://h/{key}#x'],
    ['a backslash', 'http://h\\a/{key}'],
    ['a space', 'http://h/a b/{key}'],
    ['a line break', 'http://h/{key}\n'],
    ['half an escape before the key', 'http://h/%{key}'],
    ['half an escape before the key, longer', 'http://h/%2{key}'],
    ['half an escape before the key in a query', 'http://h/?k=%{key}'],
    ['an escape that is no UTF-8', 'http://h/%ff/{key}'],
    ['dots that remove the key', 'http://h/{key}/..'],
    ['the key as the name of a parameter', 'http://h/?{key}=1'],
    ['too long', `http://h/${'a'.repeat(3000)}/{key}`],
  ])('%s: refused', (_name, text) => {
    expect(compileLegacyUrl(text).kind).toBe('invalid');
  });

  test('the forms that sources have: accepted', () => {
    expect(urlOf(SIMPLE, 'user:1001')).toBe('http://legacy:8001/legacy/data/user%3A1001');
    expect(urlOf(compile('https://h/{+key}'), 'a/b c')).toBe('https://h/a/b%20c');
    expect(urlOf(compile('https://h/get?k={key}&v=2'), 'a/b&c=d')).toBe('https://h/get?k=a%2Fb%26c%3Dd&v=2');
    expect(urlOf(compile('https://h/items/x-{key}.json'), '..')).toBe('https://h/items/x-...json');
    expect(urlOf(compile('https://h/{key}/copies/{key}?of={key}'), "o'k")).toBe(
      'https://h/o%27k/copies/o%27k?of=o%27k',
    );
  });
});

describe('a template in another form (RFC 3986, 6.2.2 and 6.2.3)', () => {
  test.each([
    ['scheme and host in capitals', 'HTTP://Legacy.Example/Data/{key}', 'http://legacy.example/Data/a%2Fb'],
    ['the port that its scheme has by itself', 'https://h:443/{key}', 'https://h/a%2Fb'],
    ['dots in the fixed path', 'http://h/x/../y/./{key}', 'http://h/y/a%2Fb'],
    ['escaped dots in the fixed path', 'http://h/x/%2E%2e/{key}', 'http://h/a%2Fb'],
    ['an empty segment in the fixed path', 'http://h//y/{key}', 'http://h//y/a%2Fb'],
    ['a fixed escape in small letters', 'http://h/%7eme/{key}', 'http://h/%7eme/a%2Fb'],
  ])('%s: the same resource, and no key leaves it', (_name, text, url) => {
    const template = compile(text);
    expect(urlOf(template, 'a/b')).toBe(url);
    for (const key of ['.', '..', '../a', 'a/../../b', '..%2f', '//evil.example']) {
      const built = urlOf(template, key);
      expect(built === null || built.startsWith(url.slice(0, -'a%2Fb'.length))).toBe(true);
    }
  });
});

describe('a key that would name another resource', () => {
  test.each([
    '',
    '.',
    '..',
    'a/../b',
    '../../admin',
    '..\\..\\admin',
    'a/..',
    './a',
    'a/.',
    '\ud800',
    'x\udfffy',
    'a\0b',
  ])('%j in a segment: refused', (key) => {
    expect(buildLegacyUrl(SIMPLE, key).kind).toBe('unaddressable');
  });

  test.each(['..', 'a/../b', 'a//b', '/a', 'a/', '//evil.example', './a'])(
    '%j with slashes kept: refused',
    (key) => {
      expect(buildLegacyUrl(compile('http://h/p/{+key}'), key).kind).toBe('unaddressable');
    },
  );

  test('dots beside fixed text or in a query are just text: accepted', () => {
    expect(urlOf(compile('http://h/?k={key}'), '..')).toBe('http://h/?k=..');
    expect(urlOf(compile('http://h/?k={+key}'), '../x')).toBe('http://h/?k=../x');
    expect(urlOf(compile('http://h/.{key}'), '.')).toBeNull();
    expect(urlOf(compile('http://h/%2e{key}'), '.')).toBeNull();
  });

  test.each([
    '?x=1',
    '#x',
    '%2e%2e',
    '%2e%2e%2f',
    'a\\b',
    '//evil.example/x',
    '@evil.example',
    'a b',
    'a\nb',
    'ü',
    '\u{1f600}',
    "!'()*;:@&=+$,/",
    '\ufeffa',
    '\u2028',
  ])('%j: arrives as exactly itself', (key) => {
    const url = urlOf(SIMPLE, key)!;
    expect(url).not.toBeNull();
    expect(keysAtServers(url)).toEqual([key, key]);
  });
});

/** The keys that two kinds of servers read from a request: one cuts the raw target, one uses a URL parser. */
function keysAtServers(url: string): (string | null)[] {
  const target = url.slice('http://legacy:8001'.length);
  const parsed = new URL(target, 'http://legacy:8001');
  return [target, parsed.pathname].map((path) => {
    const segments = path.split('?')[0]!.split('#')[0]!.split('/');
    if (segments.length !== 4 || segments[1] !== 'legacy' || segments[2] !== 'data') return null;
    return decodeURIComponent(segments[3]!);
  });
}

const HOSTILE = [
  '/',
  '\\',
  '.',
  '..',
  '%',
  '%2e',
  '%2F',
  '%5c',
  '%00',
  '%',
  '?',
  '#',
  '&',
  '=',
  '+',
  ' ',
  ';',
  ':',
  '@',
  '//',
  '\0',
  '\n',
  '\r',
  '\t',
  '\x7f',
  "'",
  '"',
  '<',
  '{key}',
  '{',
  '}',
  '*',
  '~',
  '\ud800',
  '\udc00',
  '\u{1f600}',
  'é',
  'e\u0301',
  '\u2024',
  '\uff0e',
  '\uff0f',
  '\u200b',
  '\ufeff',
  '\u2028',
  'http://evil',
  'a',
  'Z',
  '0',
  '-',
  '_',
  '%25',
  '\u0085',
  '\u202e',
];

function drawKey(prng: Prng): string {
  let key = '';
  for (let left = 1 + prng.below(8); left > 0; left--) {
    key += prng.chance(0.8) ? prng.pick(HOSTILE) : String.fromCharCode(prng.below(0x10000));
  }
  return key;
}

test('a hundred thousand hostile keys: each reaches a server as itself in one segment, or is not sent', () => {
  const prng = new Prng(20);
  let sent = 0;
  let refused = 0;
  for (let n = 0; n < 100_000; n++) {
    const key = drawKey(prng);
    const url = urlOf(SIMPLE, key);
    if (url === null) {
      refused += 1;
      const mayBeRefused =
        /\p{Surrogate}|\0/u.test(key) || key.split(/[/\\]/).some((part) => /^\.\.?$/.test(part));
      if (!mayBeRefused) expect.fail(`refused without need: ${JSON.stringify(key)}`);
      continue;
    }
    sent += 1;
    const [raw, parsed] = keysAtServers(url);
    if (raw !== key || parsed !== key) expect.fail(`${JSON.stringify(key)} reached a server as ${url}`);
  }
  expect(sent).toBeGreaterThan(30_000);
  expect(refused).toBeGreaterThan(1_000);
});

test('hostile keys with slashes kept or in a query: each reaches its own resource, or is not sent', () => {
  const prng = new Prng(21);
  const kept = compile('http://h/p/{+key}/end');
  const query = compile('http://h/p?k={key}&fixed=1');
  for (let n = 0; n < 20_000; n++) {
    const key = drawKey(prng);
    const path = urlOf(kept, key);
    if (path !== null) {
      const segments = new URL(path).pathname.split('/').map(decodeURIComponent);
      if (segments.join('/') !== `/p/${key}/end`) expect.fail(JSON.stringify(key));
      if (segments.some((segment, index) => index > 0 && /^\.{0,2}$/.test(segment)))
        expect.fail(JSON.stringify(key));
    }
    const url = urlOf(query, key);
    if (url === null) continue;
    const parsed = new URL(url);
    const parameters = [...parsed.searchParams];
    if (
      parsed.pathname !== '/p' ||
      JSON.stringify(parameters) !==
        JSON.stringify([
          ['k', key],
          ['fixed', '1'],
        ])
    ) {
      expect.fail(JSON.stringify(key));
    }
  }
});

test.each([
  ['another host', 'x', 'http://evil/legacy/data/x'],
  ['another port', 'x', 'http://legacy:8002/legacy/data/x'],
  ['a detour', 'x', 'http://legacy:8001/legacy/data/y/../x'],
  ['another protocol', 'x', 'https://legacy:8001/legacy/data/x'],
  ['credentials', 'x', 'http://legacy:8001@legacy:8001/legacy/data/x'],
  ['no URL', 'x', 'legacy'],
  ['another prefix', 'x', 'http://legacy:8001/legacy/date/x'],
  ['a segment more', 'a/b', 'http://legacy:8001/legacy/data/a/b'],
  ['a segment removed', '..', 'http://legacy:8001/legacy/data/..'],
  ['a segment removed, encoded', '%2e%2e', 'http://legacy:8001/legacy/data/%2e%2e'],
  ['dots for a server that decodes first', '../x', 'http://legacy:8001/legacy/data/..%2Fx'],
  ['a query', 'x?y', 'http://legacy:8001/legacy/data/x?y'],
  ['a fragment', 'x#y', 'http://legacy:8001/legacy/data/x#y'],
  ['a backslash', 'x\\y', 'http://legacy:8001/legacy/data/x\\y'],
  ['another key', 'x', 'http://legacy:8001/legacy/data/y'],
  ['more than the key', 'x', 'http://legacy:8001/legacy/data/xy'],
  ['less than the key', 'xy', 'http://legacy:8001/legacy/data/x'],
  ['no key', 'x', 'http://legacy:8001/legacy/data/'],
  ['a broken escape', '%zz', 'http://legacy:8001/legacy/data/%zz'],
])('a URL wrongly built (%s): found out by reading it back', (_name, key, url) => {
  expect(findUrlFault(SIMPLE, key, url)).not.toBeNull();
  expect(findUrlFault(SIMPLE, 'x', 'http://legacy:8001/legacy/data/x')).toBeNull();
});
