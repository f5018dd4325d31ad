/**
 * Writes the types of the client library to `dist/types/`, for who uses the package: what `src/client/index.ts` shows, and
 * what that leans on. Runs before the package is made (`npm pack`), not with every build: it takes the compiler.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ensureInstalled, root, runMain } from './ensure.js';

const ENTRY = 'src/client/index.ts';
const target = join(root, 'dist', 'types');

await runMain(async () => {
  await ensureInstalled({ dev: true });
  const { default: ts } = await import('typescript');
  const written = declarations(ts);
  rmSync(target, { recursive: true, force: true });
  for (const [path, text] of reached(written, declarationOf(join(root, ENTRY)))) {
    const file = join(target, relative(join(root, 'src'), path));
    mkdirSync(dirname(file), { recursive: true });
    // Beside a declaration lies no source: what it names is the program's own file.
    writeFileSync(file, text.replace(/(from\s+|import\()'(\.[^']+)\.ts'/g, "$1'$2.js'"));
  }
  process.stdout.write('wrote dist/types/\n');
});

/** All that the compiler says of the entry and what it imports, by the path beside the source. */
function declarations(ts) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([join(root, ENTRY)], {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'src'),
  });
  const written = new Map();
  const { diagnostics } = program.emit(undefined, (path, text) => written.set(resolve(path), text));
  const faults = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (faults.length > 0) {
    throw new Error(ts.flattenDiagnosticMessageText(faults[0].messageText, '\n'));
  }
  return written;
}

/** Only what the entry's types lead to: the rest of the program is nobody's business. */
function* reached(written, entry) {
  const seen = new Set();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = written.get(path) ?? readFileSync(path, 'utf8');
    yield [path, text];
    for (const [, , name] of text.matchAll(/(from\s+|import\()'(\.[^']+)'/g)) {
      waiting.push(declarationOf(resolve(dirname(path), name)));
    }
  }
}

function declarationOf(source) {
  return source.replace(/\.(ts|js)$/, '.d.ts');
}
