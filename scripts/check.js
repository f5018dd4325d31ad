/**
 * `npm run check`: the type check and the linter, on the same compiled programs: the linter's rules need the types that
 * the compiler has found out, and computing these takes longer than everything the rules do with them.
 *
 * `--summary-json FILE` writes how many of the two passed and failed. Exit code 1: something is wrong.
 */
import { writeFileSync } from 'node:fs';
import { ensureInstalled, root, runMain } from './ensure.js';

process.chdir(root);
await runMain(async () => {
  await ensureInstalled({ dev: true });
  const { default: ts } = await import('typescript');
  // The page must use nothing of Node, and everything else nothing of a browser.
  const compiled = ['tsconfig.json', 'page/tsconfig.json', 'test/browser/tsconfig.json'].map((settings) =>
    compile(ts, settings),
  );
  const diagnostics = compiled.flatMap((one) => one.diagnostics);
  const format = process.stdout.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  process.stdout.write(format(diagnostics, diagnosticsHost(ts)));
  const lint = await lintWith(compiled.map(({ program }) => program));
  process.stdout.write(lint.text);
  const passed = [diagnostics.length === 0, lint.passed].filter(Boolean).length;
  const at = process.argv.indexOf('--summary-json');
  if (at > 0) writeFileSync(process.argv[at + 1], JSON.stringify({ passed, failed: 2 - passed }));
  process.exitCode = passed === 2 ? 0 : 1;
});

function compile(ts, settings) {
  const host = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    },
  };
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(settings, {}, host);
  const program = ts.createProgram({
    rootNames: fileNames,
    options,
    configFileParsingDiagnostics: errors,
  });
  return { program, diagnostics: ts.getPreEmitDiagnostics(program) };
}

function diagnosticsHost(ts) {
  return {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => ts.sys.newLine,
  };
}

/** Runs the linter like `eslint .`, but with the types from the compiled programs. */
async function lintWith(programs) {
  const { ESLint } = await import('eslint');
  const parserOptions = { projectService: false, programs };
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: [{ files: ['**/*.{ts,tsx}'], languageOptions: { parserOptions } }],
  });
  const results = await eslint.lintFiles(['.']);
  const formatter = await eslint.loadFormatter('stylish');
  return {
    passed: results.length > 0 && results.every(({ errorCount }) => errorCount === 0),
    text: await formatter.format(results),
  };
}
