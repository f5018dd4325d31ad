/**
 * Writes the types of the client library to `dist/types/`, for users of the package: everything that
 * `src/client/index.ts` exports, and what that depends on. Runs before packaging (`npm pack`), not with every build,
 * because it needs the compiler.
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
    // There are no sources beside a declaration: an import in it means the program's own file.
    writeFileSync(file, text.replace(/(from\s+|import\()'(\.[^']+)\.ts'/g, "$1'$2.js'"));
  }
  process.stdout.write('wrote dist/types/\n');
});

/** The declarations of the entry and of everything that it imports, by their path beside the source. */
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

/** Only what the entry's types refer to: the rest of the program is private. */
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
