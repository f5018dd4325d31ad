#!/usr/bin/env node
/**
 * The command `causeway` of a checkout. It must exist before anything is built, because `npx` links to a command only
 * once: if it were missing then, npx would say "not found" ever after.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** As for every command that failed and did nothing. */
const EXIT_DEFINITE = 3;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const command = join(root, 'dist', 'causeway.js');
const needed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
const [majorMin, minorMin] = needed.match(/\d+/g).map(Number);
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < majorMin || (major === majorMin && minor < minorMin)) {
  // npm only warns about the version, and an older Node would report a missing feature as an error of the program.
  process.stderr.write(
    `causeway: Node.js ${needed} is needed, this is ${process.versions.node}: install a later one\n`,
  );
  process.exitCode = EXIT_DEFINITE;
} else if (existsSync(command)) {
  process.setSourceMapsEnabled(true);
  process.argv[1] = command;
  await import(pathToFileURL(command).href);
} else {
  process.stderr.write(
    'causeway is not built yet: `npm start` builds and starts it, `npm run build` only builds\n',
  );
  process.exitCode = EXIT_DEFINITE;
}
