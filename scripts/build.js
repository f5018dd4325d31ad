/**
 * Bundles the sources into `dist/`: the command (with every door and adapter, in parts that are loaded when needed),
 * the client library, and the page in the browser (scripts/build-page.js). Does nothing if no source has changed since
 * the last build, by the stamp in `dist/`. The command's file is written last, so that a half-written build is never
 * started.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './build-page.js';
import { ensureInstalled, root, runMain } from './ensure.js';

const dist = join(root, 'dist');
const stampFile = join(dist, '.build-stamp');

/** What is built; the later ones only if their source exists. */
const BUNDLES = [
  { name: 'causeway', entry: 'src/cli/main.ts', required: true, banner: '#!/usr/bin/env node' },
  { name: 'client', entry: 'src/client/index.ts', required: false, banner: '' },
];

/** Options that every bundle of this repository shares. */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // For the engine, not for the size: it turns `{ ...{ clock, storage }, send }` into one literal, whose objects all
  // have one shape. For the original expression V8 gives every object a shape of its own, and each property read is a
  // search in a table.
  minifySyntax: true,
  inject: [join(root, 'scripts', 'buffer.js')],
  packages: 'external',
  logLevel: 'warning',
  write: false,
};

/** Builds what has changed; returns whether anything was done. */
export async function build() {
  const wanted = sourcesHash();
  if (existsSync(join(dist, 'causeway.js')) && readText(stampFile) === wanted) return false;
  const esbuild = await loadEsbuild();
  rmSync(stampFile, { force: true });
  const written = new Set([basename(stampFile)]);
  try {
    await buildPage(esbuild, dist);
    written.add('page');
    for (const bundle of BUNDLES) {
      if (existsSync(join(root, bundle.entry))) await buildBundle(esbuild, bundle, written);
      else if (bundle.required) throw new Error(`cannot build: ${bundle.entry} is missing`);
    }
  } finally {
    await esbuild.stop();
  }
  for (const name of readdirSync(dist)) {
    if (!written.has(name)) rmSync(join(dist, name), { recursive: true, force: true });
  }
  writeFileSync(stampFile, wanted);
  return true;
}

/** The bundler, or a sentence that says why it does not run here. */
export async function loadEsbuild() {
  try {
    return await import('esbuild');
  } catch (error) {
    throw new Error(`the bundler (esbuild) does not load: ${String(error).split('\n')[0]}`, { cause: error });
  }
}

async function buildBundle(esbuild, { name, entry, banner }, written) {
  const result = await esbuild.build({
    ...bundleOptions,
    entryPoints: { [name]: entry },
    outdir: 'dist',
    chunkNames: `${name}-[name]-[hash]`,
    splitting: true,
    sourcemap: true,
    ...(banner === '' ? {} : { banner: { js: banner } }),
  });
  mkdirSync(dist, { recursive: true });
  const entryLast = [...result.outputFiles].sort(
    (a, b) => Number(basename(a.path) === `${name}.js`) - Number(basename(b.path) === `${name}.js`),
  );
  for (const file of entryLast) {
    const temporary = `${file.path}.${process.pid}.tmp`;
    writeFileSync(temporary, file.contents);
    if (basename(file.path) === 'causeway.js') chmodSync(temporary, 0o755);
    renameSync(temporary, file.path);
    written.add(basename(file.path));
  }
}

/** A hash of everything that a build reads: names and contents, in a fixed order. */
function sourcesHash() {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  const files = ['package-lock.json', 'scripts/build.js', 'scripts/build-page.js', 'scripts/buffer.js'];
  for (const folder of ['src', 'page', 'proto', 'sql']) files.push(...filesUnder(folder));
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function filesUnder(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    await ensureInstalled({ dev: false });
    process.stdout.write((await build()) ? 'built dist/\n' : 'dist/ is up to date\n');
  });
}
