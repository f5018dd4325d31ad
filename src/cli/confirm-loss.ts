/** The word that is asked of an operator before anything is given up. */
import type { ClientOptions, CommandIo } from './client-command.ts';

export interface RecoverOptions extends ClientOptions {
  readonly yesLoseData?: boolean;
  readonly wait: boolean;
}

export const CONFIRMATION = 'lose data';

/** Typed by hand; who pipes something in has not read what it says. */
export async function isConfirmed(
  io: CommandIo,
  options: ClientOptions,
  what: string,
  confirmation = CONFIRMATION,
): Promise<boolean> {
  if (options.json === true || (io.stdin as { isTTY?: boolean }).isTTY !== true) return false;
  io.stderr.write(`Type '${confirmation}' ${what} for good: `);
  let text = '';
  for await (const bytes of io.stdin) {
    text += Buffer.from(bytes).toString();
    if (text.includes('\n')) break;
  }
  return text.trim() === confirmation;
}
