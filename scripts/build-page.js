/**
 * Bundles the page in the browser into `dist/page/`: one document, and script, styles and pictures under names with a
 * content hash, each also compressed. The directory is replaced as a whole, so that no node reads half of it.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './ensure.js';

export async function buildPage(esbuild, dist) {
  const built = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { page: 'page/main.tsx', style: 'page/page.css', icon: 'page/icon.svg' },
    outdir: 'assets',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  const fresh = join(dist, `page.${process.pid}.tmp`);
  mkdirSync(join(fresh, 'assets'), { recursive: true });
  let document = readFileSync(join(root, 'page', 'index.html'), 'utf8');
  for (const { path, contents } of built.outputFiles) {
    const name = basename(path);
    put(join(fresh, 'assets', name), contents);
    document = document.replace(`/assets/${name.replace(/-[A-Z0-9]+\./, '.')}`, `/assets/${name}`);
  }
  put(join(fresh, 'index.html'), Buffer.from(document));
  rmSync(join(dist, 'page'), { recursive: true, force: true });
  renameSync(fresh, join(dist, 'page'));
}

function put(path, contents) {
  writeFileSync(path, contents);
  writeFileSync(`${path}.gz`, gzipSync(contents, { level: 9 }));
}
