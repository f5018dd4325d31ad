/**
 * The command `causeway`. One file per command; only the file of the command that was asked for is loaded, so
 * that a small command starts quickly.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { EXIT_DEFINITE, EXIT_USAGE, UsageError } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { packageVersion } from './version.ts';

/** 128 and the number of SIGPIPE: what a shell says of who was ended by it. */
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
export async function runCommand(words: readonly string[], io: CommandIo): Promise<void> {
  const program = new Command('causeway')
    .description('A replicated key-value cluster that carries a team off a legacy system')
    .version(packageVersion(), '-V, --version', 'print the version of this program')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const asked = COMMANDS[words[0] ?? ''];
  // What completes words must know all of them.
  const loaders = asked === undefined || words[0] === 'completion' ? Object.values(COMMANDS) : [asked];
  for (const load of loaders) (await load())(program, io);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return io.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    // Told by what was waiting until its words were taken.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return io.exit(EXIT_UNREAD);
    const isUsage = error instanceof UsageError;
    io.stderr.write(
      isUsage ? `error: ${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    io.exit(isUsage ? EXIT_USAGE : EXIT_DEFINITE);
  }
}

function isEntryPoint(): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
}

/** Nobody reads any more (`| head`): a command ends without a word, unless it has made arrangements of its own. */
function endWhenUnread(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream.listenerCount('error') === 1) process.exit(EXIT_UNREAD);
  });
}

if (isEntryPoint()) {
  endWhenUnread(process.stdout);
  endWhenUnread(process.stderr);
  // Not process.exit: what was written to a pipe would be lost.
  await runCommand(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    exit: (code) => {
      process.exitCode = code;
    },
  });
}
