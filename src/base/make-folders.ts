/**
 * A folder, made together with those that lead to it. What Node.js has for that goes round for ever where a folder stands in which
 * none can be made and the system says that there is no such place (`/proc`).
 */

/** What is used of `node:fs` and `node:path`. */
export interface FileSystem {
  statSync(path: string, options: { throwIfNoEntry: false }): { isDirectory(): boolean } | undefined;
  mkdirSync(path: string): unknown;
  dirname(path: string): string;
}

/** Does nothing where it is there already. Throws what the system says, or one line that names the folder in which none can be made. */
export function makeFolders(system: FileSystem, path: string): void {
  if (isFolder(system, path)) return;
  const parent = system.dirname(path);
  if (parent !== path) makeFolders(system, parent);
  try {
    system.mkdirSync(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Somebody else was faster.
    if (code === 'EEXIST' && isFolder(system, path)) return;
    if (code === 'ENOENT') throw new Error(`no directory can be made in ${parent}`, { cause: error });
    throw error;
  }
}

function isFolder(system: FileSystem, path: string): boolean {
  return system.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
