/**
 * Creates a folder together with its parents. The Node.js function for that loops forever under a folder in which none
 * can be created and where the system reports a missing path (`/proc`).
 */

/** The functions used of `node:fs` and `node:path`. */
export interface FileSystem {
  statSync(path: string, options: { throwIfNoEntry: false }): { isDirectory(): boolean } | undefined;
  mkdirSync(path: string): unknown;
  dirname(path: string): string;
}

/**
 * Does nothing if the folder exists. Throws the system's error, or a single line that names the folder in which none
 * can be created.
 */
export function makeFolders(system: FileSystem, path: string): void {
  if (isFolder(system, path)) return;
  const parent = system.dirname(path);
  if (parent !== path) makeFolders(system, parent);
  try {
    system.mkdirSync(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Another process was faster.
    if (code === 'EEXIST' && isFolder(system, path)) return;
    if (code === 'ENOENT') throw new Error(`no directory can be made in ${parent}`, { cause: error });
    throw error;
  }
}

function isFolder(system: FileSystem, path: string): boolean {
  return system.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
