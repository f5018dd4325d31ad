/** Asks an operator to type a word before anything is given up. */
import type { ClientOptions, CommandIo } from './client-command.ts';
import { typedWord } from './typed-word.ts';

export interface RecoverOptions extends ClientOptions {
  readonly yesLoseData?: boolean;
  readonly wait: boolean;
}

export const CONFIRMATION = 'lose data';

export async function isConfirmed(
  io: CommandIo,
  options: ClientOptions,
  what: string,
  confirmation = CONFIRMATION,
): Promise<boolean> {
  const question = `Type '${confirmation}' ${what} for good: `;
  return (await typedWord(io, options, question)) === confirmation;
}
