/** Explains the system's error about a file, a directory or a stream, in words that tell what to do. */

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

/** `no space is left on its disk (ENOSPC)`; for an unknown code, the system's own words. */
export function systemReason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && Object.hasOwn(WORDS, code)) return `${WORDS[code]!} (${code})`;
  return typeof message === 'string' ? message : String(error);
}

/** What is wrong with a data directory, and what to do about it: the end of a line that has already named it. */
export function directoryAdvice(error: unknown): string {
  return knownAdvice(error) ?? PERMISSIONS;
}

const PERMISSIONS = 'put its permissions right';

/** The same; undefined if the directory itself is not known to be at fault. */
export function knownAdvice(error: unknown): string | undefined {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  // LevelDB reports the system's reason only as text.
  const is = (codes: readonly string[], words: RegExp): boolean =>
    codes.includes(code) || words.test(message);
  if (is(['ENOSPC', 'EDQUOT'], /no space left|quota exceeded/i))
    return 'no space is left on its disk: free some';
  if (is(['EROFS'], /read-only/i)) return 'its file system is read-only: mount it for writing';
  if (is(['EEXIST', 'ENOTDIR'], /not a directory/i)) return 'a file is in its place';
  return is(['EACCES', 'EPERM'], /permission denied/i) ? PERMISSIONS : undefined;
}

/** Thrown by the system itself (a file, a directory, a stream), and not a bug of the program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error && 'errno' in error;
}
