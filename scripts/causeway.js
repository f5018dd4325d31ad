#!/usr/bin/env node
/**
 * The command `causeway` of a checkout. It is here before anything is built, because `npx` makes its link to the
 * command only once: asked too early, it would say "not found" for ever after.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** As for every command that failed and did nothing. */
const EXIT_DEFINITE = 3;

const command = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'causeway.js');
if (existsSync(command)) {
  process.setSourceMapsEnabled(true);
  process.argv[1] = command;
  await import(pathToFileURL(command).href);
} else {
  process.stderr.write(
    'causeway is not built yet: `npm start` builds and starts it, `npm run build` only builds\n',
  );
  process.exitCode = EXIT_DEFINITE;
}
