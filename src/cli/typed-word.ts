/** A word that a person types before something is done; who pipes one in has not read what it says. */
import type { CommandIo } from './client-command.ts';

/** Null, without a question: nobody sits there. */
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
