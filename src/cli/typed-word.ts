/**
 * Asks a person to type a word before something is done. Someone who pipes the word in has not read what it confirms.
 */
import type { CommandIo } from './client-command.ts';

/** Null, without asking, if there is no terminal. */
export async function typedWord(
  io: CommandIo,
  { json }: { readonly json?: boolean },
  question: string,
): Promise<string | null> {
  if (json === true || (io.stdin as { isTTY?: boolean }).isTTY !== true) return null;
  io.stderr.write(question);
  let text = '';
  for await (const bytes of io.stdin) {
    text += Buffer.from(bytes).toString();
    if (text.includes('\n')) break;
  }
  return text.trim();
}
