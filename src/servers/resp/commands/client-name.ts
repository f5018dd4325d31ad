/** Valid client names: one word of printable characters, so that a line about the client can be parsed. */

export const NAME_FAULT = 'ERR Client names cannot contain spaces, newlines or special characters.';

export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}
