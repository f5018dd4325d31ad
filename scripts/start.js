/**
 * `npm start`: from a clean clone to a running cluster. Installs what a node needs, builds what has changed, and
 * becomes the command `causeway up` in this same process: signals and the exit code are the command's own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.js';
import { ensureInstalled, root, runMain } from './ensure.js';

await runMain(async () => {
  await ensureInstalled({ dev: false });
  await build();
});
const command = join(root, 'dist', 'causeway.js');
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, command, 'up', ...process.argv.slice(2)];
await import(pathToFileURL(command).href);
