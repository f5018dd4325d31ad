/** The world of a command as its tests hand it in: what is typed comes in; what it says, and the code that it ends with, are kept. */
import type { CommandIo } from '../../src/cli/client-command.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Nothing is typed: standard input ends at once. With `columns` what is said goes to a terminal of that width. */
export function keptIo(
  typed?: string,
  isTerminal = false,
  columns?: number,
): { readonly io: CommandIo; readonly ran: Ran } {
  const ran = { code: -1, out: '', err: '' };
  const typing = (async function* () {
    if (typed !== undefined) yield Buffer.from(typed);
  })();
  const into = (name: 'out' | 'err') => ({
    write: (text: string | Uint8Array) => (ran[name] += Buffer.from(text as Uint8Array).toString()),
    ...(columns === undefined ? {} : { isTTY: true, columns }),
  });
  const io: CommandIo = {
    stdin: Object.assign(typing, { isTTY: isTerminal }),
    stdout: into('out'),
    stderr: into('err'),
    exit: (code) => {
      ran.code = code;
    },
  };
  return { io, ran };
}
