/**
 * The command `causeway`. One file per command; only the file of the requested command is loaded, so that a small
 * command starts quickly.
 */
import { realpathSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { EXIT_DEFINITE, EXIT_INDEFINITE, EXIT_USAGE, UsageError } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { fitted } from './fitted.ts';
import { isSystemError, systemReason } from '../base/system-reason.ts';
import { packageVersion } from './version.ts';
import { wholeOutput } from './whole-output.ts';

/** 128 plus the number of SIGPIPE: what a shell reports for a process that it ended. */
const EXIT_UNREAD = 141;

type Register = (program: Command, io: CommandIo) => void;

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  up: async () => (await import('./up.ts')).upCommand,
  node: async () => (await import('./node.ts')).nodeCommand,
  get: async () => (await import('./get.ts')).getCommand,
  set: async () => (await import('./set.ts')).setCommand,
  del: async () => (await import('./del.ts')).delCommand,
  cluster: async () => (await import('./cluster.ts')).clusterCommand,
  config: async () => (await import('./config.ts')).configCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  top: async () => (await import('./top.ts')).topCommand,
  inspect: async () => (await import('./inspect.ts')).inspectCommand,
  import: async () => (await import('./import.ts')).importCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  pod: async () => (await import('./pod.ts')).podCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  'legacy-sample': async () => (await import('./legacy-sample.ts')).legacySampleCommand,
  guard: async () => (await import('./guard.ts')).guardCommand,
};

/** `words` without the program's own name. */
export async function runCommand(given: readonly string[], world: CommandIo): Promise<void> {
  const words = helpLast(given);
  const io = { ...world, stderr: fitted(world.stderr) };
  const program = new Command('causeway')
    .description('A replicated key-value cluster that carries a team off a legacy system')
    .version(packageVersion(), '-V, --version', 'print the version of this program')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const asked = COMMANDS[words[0] ?? ''];
  // Completion needs the words of all commands.
  const loaders = asked === undefined || words[0] === 'completion' ? Object.values(COMMANDS) : [asked];
  for (const load of loaders) (await load())(program, io);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return io.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    // Reported by the handler that was waiting for its output to be written.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return io.exit(EXIT_UNREAD);
    io.stderr.write(`${faultText(error)}\n`);
    io.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_DEFINITE);
  }
}

/** `help cluster plan` as `cluster plan --help`: the library would show the help of `cluster`. */
function helpLast(words: readonly string[]): readonly string[] {
  return words[0] === 'help' && words.length > 2 ? [...words.slice(1), '--help'] : words;
}

/** Stack traces are for unforeseen errors only. */
function faultText(error: unknown): string {
  if (error instanceof UsageError) return `error: ${error.message}`;
  if (isSystemError(error)) return `error: ${error.path ?? error.syscall}: ${systemReason(error)}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isEntryPoint(): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
}

/**
 * If the reader is gone (`| head`), a command ends silently. A full disk behind `>` is reported; the operation may have
 * been done. Does not apply if a command handles errors of its output itself.
 */
function endWhenUnread(stream: Writable, name: string): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (stream.listenerCount('error') > 1) return;
    if (error.code === 'EPIPE') process.exit(EXIT_UNREAD);
    if (stream !== process.stderr)
      process.stderr.write(`error: ${name} cannot be written: ${systemReason(error)}\n`);
    process.exit(EXIT_INDEFINITE);
  });
}

if (isEntryPoint()) {
  const stdout = wholeOutput(process.stdout);
  endWhenUnread(stdout, 'standard output');
  endWhenUnread(process.stderr, 'standard error');
  // Not process.exit, which would lose what was written to a pipe.
  await runCommand(process.argv.slice(2), {
    stdin: process.stdin,
    stdout,
    stderr: process.stderr,
    exit: (code) => {
      process.exitCode = code;
    },
  });
}
