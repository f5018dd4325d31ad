/**
 * Replaces a small file so that after a power cut it has either its old content or the new one. A rename alone does not
 * do that: the new name may reach the disk before the content does, and the file is then empty; and it is only durable
 * once its folder is synced.
 */

/** The functions used of `node:fs` and `node:path`. */
export interface FileSystem {
  writeFileSync(path: string, text: string, options: { flush: true; mode?: number }): void;
  renameSync(from: string, to: string): void;
  openSync(path: string, flags: 'r'): number;
  fsyncSync(fd: number): void;
  closeSync(fd: number): void;
  dirname(path: string): string;
}

/** What is written first; a file of that name may be left over from a crash, and is replaced. */
export const UNFINISHED = '.new';

/** `mode`: the permissions of the file; by default those of any new file. Throws the system's error. */
export function replaceFile(system: FileSystem, path: string, text: string, mode?: number): void {
  const unfinished = path + UNFINISHED;
  system.writeFileSync(unfinished, text, { flush: true, ...(mode === undefined ? {} : { mode }) });
  renameDurably(system, unfinished, path);
}

/** The renamed file or folder must itself be durable already. */
export function renameDurably(
  system: Omit<FileSystem, 'writeFileSync'>,
  unfinished: string,
  path: string,
): void {
  system.renameSync(unfinished, path);
  syncFolder(system, system.dirname(path));
}

/** Where the system cannot open or sync a folder (Windows, some network file systems), it needs or knows no such call. */
function syncFolder(system: Omit<FileSystem, 'writeFileSync'>, path: string): void {
  let folder: number;
  try {
    folder = system.openSync(path, 'r');
  } catch (error) {
    return passOver(error, ['EISDIR', 'EPERM', 'EACCES']);
  }
  try {
    system.fsyncSync(folder);
  } catch (error) {
    passOver(error, ['EINVAL', 'EBADF', 'EPERM']);
  } finally {
    system.closeSync(folder);
  }
}

function passOver(error: unknown, codes: readonly string[]): void {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !codes.includes(code)) throw error;
}
