/**
 * Names of clients and of their libraries: one word of printable characters, so that a line about the client can be
 * parsed, and short, so that one answer can tell of all clients.
 */
import { RESP_NAME_BYTES_MAX } from '../../../core/clients/redis-limits.ts';

export const NAME_LENGTH = `A name has at most ${RESP_NAME_BYTES_MAX} bytes.`;

/** `what`: as Redis calls it in the error. */
export function nameFault(name: string, what: string): string | undefined {
  if (!/^[!-~]*$/.test(name)) return `ERR ${what} cannot contain spaces, newlines or special characters.`;
  if (name.length > RESP_NAME_BYTES_MAX) return `ERR ${what} have at most ${RESP_NAME_BYTES_MAX} bytes here`;
  return undefined;
}
