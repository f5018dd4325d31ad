/**
 * An error that the user can fix: a taken port, a directory without permission, a missing package. The message is one
 * line that says what is wrong and what to do; it is printed without a stack trace.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The errno name of a system error ('EACCES', ...), or '' if there is none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
