/** The message of anything thrown, for use within a line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
