/** A command's interface to the world for tests: supplies its input, and keeps its output and exit code. */
import type { CommandIo } from '../../src/cli/client-command.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Without `typed`, standard input ends at once. With `columns`, the output is a terminal of that width. */
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
