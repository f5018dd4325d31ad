/**
 * The root of the repository, even for code that was bundled into a cache below it: the nearest directory upwards that
 * contains this package's package.json.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(directory: string): string {
  const file = join(directory, 'package.json');
  if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'causeway') {
    return directory;
  }
  const parent = dirname(directory);
  if (parent === directory) throw new Error('the repository cannot be found from here');
  return findRoot(parent);
}
