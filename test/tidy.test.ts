/**
 * Style is a test: layers, bans, cycles, dead files, unused exports, sizes and words, over the whole repository. Each checker
 * is first shown a small file that breaks its rule, so that a silent checker is noticed.
 * (After TigerBeetle's tidy.zig)
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cycleFaults, deadFileFaults, unusedExportFaults } from './tidy/import-graph.ts';
import { layerFaults, partOf } from './tidy/layers.ts';
import { readSources, readTexts } from './tidy/places.ts';
import {
  dependencyFaults,
  promiseFaults,
  shapeFaults,
  sizeFaults,
  wordFaults,
  worldFaults,
} from './tidy/rules.ts';
import { factsOf } from './tidy/source-facts.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Facts of files given as path and text; each text gets the opening comment that files must have. */
function facts(files: Record<string, string>) {
  return Object.entries(files).map(([path, text]) => factsOf(path, `/** Opens. */\n${text}\n`));
}

describe('the repository', () => {
  const files = readSources(root).map(({ path, text }) => factsOf(path, text));

  test('has sources to look at', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.some((file) => file.path === 'src/core/placement/slots.ts')).toBe(true);
  });
  test('imports go one way through the layers', () => expect(layerFaults(files)).toEqual([]));
  test('no import cycle', () => expect(cycleFaults(files)).toEqual([]));
  test('no dead file', () => expect(deadFileFaults(files)).toEqual([]));
  test('nothing is exported for nobody', () => expect(unusedExportFaults(files)).toEqual([]));
  test('the world enters through ports only', () => expect(files.flatMap(worldFaults)).toEqual([]));
  test('rules, codecs and ports know no promises', () => expect(files.flatMap(promiseFaults)).toEqual([]));
  test('files and functions keep their size', () => expect(files.flatMap(sizeFaults)).toEqual([]));
  test('files open with a paragraph, export by name and are no barrels', () => {
    expect(files.flatMap(shapeFaults)).toEqual([]);
  });
  test('every dependency is written down with its reason, in the version that is installed', () => {
    const settings = readFileSync(join(root, 'package.json'), 'utf8');
    const record = readFileSync(join(root, 'docs/decisions/0002-dependencies.md'), 'utf8');
    expect(dependencyFaults(settings, record)).toEqual([]);
  });
  test('words that have no place stand nowhere', () =>
    expect(readTexts(root).flatMap(wordFaults)).toEqual([]));
});

describe('the layer checker', () => {
  const fault = (path: string, text: string) => layerFaults(facts({ [path]: text })).join();

  test('parts: folders, single files, and each adapter and door by itself', () => {
    expect(partOf('src/core/replication/round.ts')).toBe('core');
    expect(partOf('src/adapters/postgres/pool.ts')).toBe('adapters/postgres');
    expect(partOf('src/main.ts')).toBe('main');
    expect(partOf('docs/README.md')).toBeUndefined();
  });

  test.each([
    ['src/core/a.ts', "import { b } from '../node/b.ts';", 'core must not import node'],
    ['src/core/a.ts', "import { z } from 'zod';", 'the package zod'],
    ['src/core/a.ts', "export { b } from '../wire/b.ts';", 'core must not import wire'],
    ['src/base/a.ts', "import { b } from '../core/b.ts';", 'base must not import core'],
    ['src/ports/a.ts', "import { b } from '../core/b.ts';", 'types only'],
    ['src/ports/a.ts', "import { type B } from '../core/b.ts';", 'types only'],
    ['src/node/a.ts', "import { b } from '../adapters/grpc/b.ts';", 'node must not import adapters/grpc'],
    ['src/adapters/grpc/a.ts', "import { b } from '../postgres/b.ts';", 'must not import adapters/postgres'],
    [
      'src/adapters/grpc/a.ts',
      "const b = await import('../postgres/b.ts');",
      'must not import adapters/postgres',
    ],
    ['src/servers/resp/a.ts', "import { b } from '../http/b.ts';", 'must not import servers/http'],
    ['src/servers/resp/a.ts', "import { b } from '../../node/put.ts';", 'must not import node'],
    ['src/client/a.ts', "import { b } from '../core/ring.ts';", 'client must not import core'],
    ['src/cli/get.ts', "import { b } from '../main.ts';", 'cli must not import main'],
    ['src/supervisor/a.ts', "import { b } from '../main.ts';", 'supervisor must not import main'],
    ['src/cli/get.ts', "import { b } from '../process/b.ts';", 'cli must not import process'],
    ['src/process/a.ts', "import { b } from '../main.ts';", 'process must not import main'],
    ['sim/a.ts', "import { b } from '../src/adapters/grpc/b.ts';", 'sim must not import adapters/grpc'],
    ['sim/a.ts', "import { b } from '../src/servers/grpc/b.ts';", 'sim must not import servers/grpc'],
    ['verify/a.ts', "import { b } from '../src/node/put.ts';", 'verify must not import node'],
    ['verify/a.ts', "import { b } from '../sim/cluster.ts';", 'verify must not import sim'],
    ['verify/a.ts', "import { b } from '../test/contracts/b.ts';", 'stay outside'],
    ['src/node/a.ts', "import { b } from '../../test/support/b.ts';", 'stay outside'],
    ['src/node/a.ts', "import { b } from './b.test.ts';", 'stay outside'],
    ['src/elsewhere/a.ts', '', 'no layer is known'],
  ])('%s with %s: refused', (path, text, words) => {
    expect(fault(path, text)).toContain(words);
  });

  test.each([
    ['src/node/a.ts', "import { b } from '../core/b.ts';"],
    ['src/ports/a.ts', "import type { B } from '../core/b.ts';"],
    ['src/servers/http/a.ts', "import { b } from '../../node/api.ts';\nimport { Hono } from 'hono';"],
    ['src/cli/up.ts', "import { b } from '../supervisor/b.ts';"],
    ['src/client/a.ts', "import { b } from '../core/errors.ts';"],
    ['src/core/a.test.ts', "import { b } from '../node/b.ts';\nimport fc from 'fast-check';"],
  ])('%s with %s: fine', (path, text) => {
    expect(fault(path, text)).toBe('');
  });
});

describe('the graph checkers', () => {
  test('three files in a ring: one cycle, named with its path', () => {
    const files = facts({
      'src/core/a.ts': "import { b } from './b.ts';",
      'src/core/b.ts': "import { c } from './c.ts';",
      'src/core/c.ts': "export { a } from './a.ts';",
    });
    const cycle = 'src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts';
    expect(cycleFaults(files)).toEqual([expect.stringContaining(cycle)]);
  });

  test('types and late imports: no cycle', () => {
    const files = facts({
      'src/core/a.ts': "import { b } from './b.ts';",
      'src/core/b.ts': "import type { A } from './a.ts';\nconst c = () => import('./a.ts');",
    });
    expect(cycleFaults(files)).toEqual([]);
  });

  test('a file that nothing imports: dead; one that a test starts by its name: alive', () => {
    const files = facts({
      'src/core/dead.ts': "import { b } from './used.ts';",
      'src/core/used.ts': '',
      'test/support/program.ts': '',
      'test/a.test.ts': "import { b } from '../src/core/used.ts';\nstart('support/program.ts');",
    });
    expect(deadFileFaults(files)).toEqual([expect.stringContaining('src/core/dead.ts')]);
  });

  test('a function, a value or a class that no other file takes: named; what is taken, in whatever way, is not', () => {
    const faults = unusedExportFaults(
      facts({
        'src/core/a.ts': 'export function f() {}\nexport const x = 1, y = 2;\nexport class C {}\nf(x, C);',
        'src/core/b.ts': "import { y as z } from './a.ts';\nexport { passedOn } from './c.ts';",
        'src/core/c.ts': 'export const passedOn = 1;\nexport interface Shape {}',
        'src/core/whole.ts': 'export const one = 1;',
        'src/core/late.ts': 'export const late = 1;',
        'src/core/d.test.ts': "import * as whole from './whole.ts';\nawait import('./late.ts');",
        'src/client/index.ts': 'export function connect() {}',
      }),
    );
    expect(faults.map((fault) => fault.replace(/ is exported.*/, ''))).toEqual([
      ...['src/core/a.ts:2: f', 'src/core/a.ts:3: x', 'src/core/a.ts:4: C'],
    ]);
  });
});

describe('the checkers of single files', () => {
  const one = (path: string, text: string) => facts({ [path]: text })[0]!;

  test.each([
    ['const now = Date.now();', 'Clock'],
    ['const at: Date = given;', 'Clock'],
    ['const n = Math.random();', 'Random'],
    ['setTimeout(() => {}, 5);', 'tick'],
    ['setImmediate(run);', 'tick'],
    ['if (process.env.X) run();', 'config'],
    ["console.log('x');", 'Telemetry'],
    ["import { readFileSync } from 'node:fs';", 'a port'],
    ["import { crc32, gzipSync } from 'node:zlib';", 'a port'],
  ])('the world touched in a flow, %s: refused, with the replacement named', (text, instead) => {
    expect(worldFaults(one('src/node/a.ts', text)).join()).toContain(instead);
  });

  test('words that only look like the world: fine', () => {
    const text = [
      '// Date and process in a comment',
      "const text = 'console.log';",
      'request.process(job.Date);',
      'const shape = { console: 1, process: 2 };',
      'function run(setTimeout: () => void) { setTimeout(); }',
    ].join('\n');
    expect(worldFaults(one('src/node/a.ts', text))).toEqual([]);
    expect(worldFaults(one('src/wire/a.ts', "import { crc32 } from 'node:zlib';"))).toEqual([]);
    expect(worldFaults(one('src/adapters/system/clock.ts', 'Date.now();'))).toEqual([]);
  });

  test.each(['async function a() {}', 'const a: Promise<void> = b;', 'await a;'])(
    'a promise in the rules, %s: refused',
    (text) => {
      expect(promiseFaults(one('src/core/a.ts', text))).not.toEqual([]);
      expect(promiseFaults(one('src/node/a.ts', text))).toEqual([]);
    },
  );

  test('a long file and a long function: refused, unless the function says why', () => {
    const lines = (count: number) => 'run();\n'.repeat(count);
    expect(sizeFaults(one('src/core/a.ts', lines(399)))).toEqual([expect.stringContaining('401 lines')]);
    const long = `function a() {\n${lines(60)}}`;
    expect(sizeFaults(one('src/core/a.ts', long))).toEqual([expect.stringContaining('a has 62 lines')]);
    expect(sizeFaults(one('src/core/a.ts', `// long: one table\n${long}`))).toEqual([]);
    expect(sizeFaults(one('src/core/a.ts', `// long:\n${long}`))).not.toEqual([]);
    const nested = `describe('x', () => {\n${`test('y', () => {\n${lines(20)}});\n`.repeat(4)}});`;
    expect(sizeFaults(one('src/core/a.test.ts', nested))).toEqual([]);
    expect(sizeFaults(one('src/core/a.ts', nested))).not.toEqual([]);
  });

  test.each([
    ['src/core/a.ts', 'export default 5;', 'default export'],
    ['src/core/a.ts', 'export default function a() {}', 'default export'],
    ['src/core/a.ts', "export { b } from './b.ts';\nexport { c } from './c.ts';", 'passes on'],
    ['src/core/a.ts', "export * from './b.ts';\nconst c = 5;", 'passes on'],
    ['src/core/utils.ts', 'export const a = 5;', 'name says nothing'],
    ['src/ports/a.ts', `interface A { ${'a(): void; b: () => void;'.repeat(4)} }`, '8 methods'],
  ])('%s with %s: refused', (path, text, words) => {
    expect(shapeFaults(one(path, text)).join()).toContain(words);
  });

  test('a file without an opening paragraph: refused', () => {
    expect(shapeFaults(factsOf('src/core/a.ts', 'const a = 5;\n')).join()).toContain('must open');
    expect(shapeFaults(factsOf('src/core/a.ts', '#!/usr/bin/env node\n/** Opens. */\n'))).toEqual([]);
  });

  test('markers, names and machine paths: refused wherever they stand', () => {
    const marker = ['TO', 'DO'].join('');
    const path = ['', 'work', 'main', 'src'].join('/');
    expect(wordFaults({ path: 'docs/a.md', text: `one\n// ${marker}: later` })).toEqual([
      `docs/a.md:2: "${marker}" has no place in the repository`,
    ]);
    expect(wordFaults({ path: 'docs/a.md', text: `see ${path}` })).toEqual([
      expect.stringContaining('one machine'),
    ]);
    expect(wordFaults({ path: 'a.md', text: ['Chat', 'GPT'].join('') })).not.toEqual([]);
    expect(wordFaults({ path: 'a.md', text: 'a mastodon wrote to do lists' })).toEqual([]);
  });

  test('a dependency that is not written down, in another version, or written down and gone: refused', () => {
    const settings = JSON.stringify({ dependencies: { a: '1.0.0', b: '2.0.0' } });
    const faults = dependencyFaults(
      settings,
      '| `b` 1.9.0 | x |\n| `c` 3.0.0, `@d/e` 1.0.0 (optional) | x |',
    );
    expect(faults).toEqual([
      'a 1.0.0 is not in the record',
      'b 2.0.0 is not in the record',
      'b 1.9.0 is in the record and not installed',
      'c 3.0.0 is in the record and not installed',
      '@d/e 1.0.0 is in the record and not installed',
    ]);
    expect(dependencyFaults(settings, '| `a` 1.0.0, `b` 2.0.0 | x |')).toEqual([]);
  });
});
