/**
 * Runs a TypeScript file of this repository on plain Node:
 *
 * node scripts/run.js [--node-option ...] sim/main.ts --seed 5
 *
 * The file is bundled into `node_modules/.cache/causeway/` under a name with a content hash, so that any number of runs
 * can share it, and a Node process is started on it, whose exit code becomes ours. Development dependencies are
 * installed only if the file needs some of them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { constants } from 'node:os';
import { bundleOptions, loadEsbuild } from './build.js';
import { ensureInstalled, root, runMain } from './ensure.js';

const cache = join(root, 'node_modules', '.cache', 'causeway');
/** Milliseconds for which a bundle that nobody rebuilt stays in the cache. */
const BUNDLE_AGE_MS_MAX = 7 * 24 * 3600_000;

await runMain(main);

async function main() {
  const argv = process.argv.slice(2);
  const at = argv.findIndex((argument) => !argument.startsWith('--'));
  if (at < 0) throw new Error('usage: node scripts/run.js [--node-option ...] FILE.ts [argument ...]');
  const entry = resolve(root, argv[at]);
  if (!existsSync(entry)) throw new Error(`no such file: ${argv[at]}`);
  await ensureInstalled({ dev: false });
  const built = await bundleOf(relative(root, entry));
  // Only if needed: an installation replaces the packages that a cluster running in this directory was started from.
  if (built.packages.some(isForDevelopment)) await ensureInstalled({ dev: true });
  const bundle = keep(built);
  runNode(['--enable-source-maps', ...argv.slice(0, at), bundle, ...argv.slice(at + 1)]);
}

async function bundleOf(entry) {
  const esbuild = await loadEsbuild();
  let result;
  try {
    result = await esbuild.build({
      ...bundleOptions,
      entryPoints: [entry],
      outfile: join(cache, 'bundle.mjs'),
      // In a separate file, as for the program itself: an inline source map would stay in every process's memory, and
      // once more as part of the source text.
      sourcemap: 'external',
      metafile: true,
    });
  } catch {
    throw new Error(`${entry} does not compile (see above)`);
  } finally {
    await esbuild.stop();
  }
  const [map, code] = ['.mjs.map', '.mjs'].map(
    (ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text,
  );
  const hash = createHash('sha256').update(code).update(map).digest('hex').slice(0, 16);
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  const packages = imports.filter(({ external }) => external).map(({ path }) => path);
  const name = `${entry.replace(/\.ts$/, '').replaceAll(/[^A-Za-z0-9]+/g, '-')}-${hash}.mjs`;
  return { name, code, map, packages };
}

/** A module of Node, or a file within a package, is covered by the name before it. */
function isForDevelopment(imported) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(devDependencies).some((name) => imported === name || imported.startsWith(`${name}/`));
}

function keep({ name, code, map }) {
  const path = join(cache, name);
  mkdirSync(cache, { recursive: true });
  forgetOldBundles();
  writeWhole(`${path}.map`, map);
  writeWhole(path, `${code}//# sourceMappingURL=${name}.map\n`);
  return path;
}

function writeWhole(path, text) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function forgetOldBundles() {
  for (const name of readdirSync(cache)) {
    const age = Date.now() - (statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > BUNDLE_AGE_MS_MAX) rmSync(join(cache, name), { force: true });
  }
}

/** A terminal sends Ctrl-C to both processes; passing it on as well would deliver it twice. */
function runNode(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`causeway: cannot start node: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
