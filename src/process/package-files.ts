/** Where the package of this program keeps what a process reads at run time. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, found from this file upwards: in the source tree and from the bundle alike. */
export function packageDirectory(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error('the package of this program is incomplete: its package.json is missing');
    folder = above;
  }
  return folder;
}

export function migrationsDirectory(): string {
  return join(packageDirectory(), 'sql', 'migrations');
}

/** The page in the browser, as the build made it. */
export function pageDirectory(): string {
  return join(packageDirectory(), 'dist', 'page');
}
