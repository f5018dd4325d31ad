/** What a client may call itself: one word of printable characters, so that a line about it can be read. */

export const NAME_FAULT = 'ERR Client names cannot contain spaces, newlines or special characters.';

export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}
