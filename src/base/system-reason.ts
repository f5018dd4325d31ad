/** What the system said of a file, a directory or a stream, in words that tell what to do. */

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'its file system is read-only',
  ENOSPC: 'no space is left on its disk',
  EDQUOT: 'the quota of this user is used up',
  EEXIST: 'there is something else of that name',
  EISDIR: 'it is a directory',
  ENOTDIR: 'something on its way is no directory',
  ENOENT: 'there is no such file',
  EMFILE: 'this process has too many files open',
};

/** `no space is left on its disk (ENOSPC)`; what is not known by its code in the system's own words. */
export function systemReason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && Object.hasOwn(WORDS, code)) return `${WORDS[code]!} (${code})`;
  return typeof message === 'string' ? message : String(error);
}

/** What is wrong with a data directory, and what to do about it: the end of a line that has named it. */
export function directoryAdvice(error: unknown): string {
  return knownAdvice(error) ?? PERMISSIONS;
}

const PERMISSIONS = 'put its permissions right';

/** The same; undefined where it is not known that the directory itself is at fault. */
export function knownAdvice(error: unknown): string | undefined {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  // LevelDB tells the system's reason in words only.
  const is = (codes: readonly string[], words: RegExp): boolean =>
    codes.includes(code) || words.test(message);
  if (is(['ENOSPC', 'EDQUOT'], /no space left|quota exceeded/i))
    return 'no space is left on its disk: free some';
  if (is(['EROFS'], /read-only/i)) return 'its file system is read-only: mount it for writing';
  if (is(['EEXIST', 'ENOTDIR'], /not a directory/i)) return 'a file is in its place';
  return is(['EACCES', 'EPERM'], /permission denied/i) ? PERMISSIONS : undefined;
}

/** Thrown by the system itself (a file, a directory, a stream), and no fault of the program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error && 'errno' in error;
}
