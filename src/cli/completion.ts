/**
 * `causeway completion`: what a shell must know to complete our commands, generated on demand from the commands
 * themselves, so that it is always up to date.
 */
import { Argument } from 'commander';
import type { Command } from 'commander';
import { EXIT_OK } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';
import type { CommandWords, OptionWords } from './completion-scripts.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const HELP = `
  bash   source <(causeway completion bash)   in ~/.bashrc
  zsh    source <(causeway completion zsh)    in ~/.zshrc, after compinit
  fish   causeway completion fish | source    in ~/.config/fish/config.fish`;

export function completionCommand(program: Command, io: CommandIo): void {
  program
    .command('completion')
    .description('print what a shell needs to complete the words of this command')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof SCRIPTS) => {
      io.stdout.write(SCRIPTS[shell](commandsOf(program)));
      io.exit(EXIT_OK);
    });
}

/** Every command that the help shows, by the words that lead to it; the program itself first. */
export function commandsOf(program: Command): CommandWords[] {
  const found: CommandWords[] = [];
  const add = (command: Command, words: readonly string[]): void => {
    const help = command.createHelp();
    const below = help.visibleCommands(command);
    found.push({
      words,
      commands: below.map((each) => ({ name: each.name(), text: each.description() })),
      options: help.visibleOptions(command).map((option) => ({
        names: [option.long, option.short].filter((name) => name !== undefined),
        text: option.description,
        value: option.required || option.optional ? valueOf(option.flags, option.argChoices) : undefined,
      })),
      argument: argumentOf(command),
    });
    for (const each of below) if (each.name() !== 'help') add(each, [...words, each.name()]);
  };
  add(program, []);
  return found;
}

function argumentOf(command: Command): OptionWords['value'] {
  const [first] = command.registeredArguments;
  return first === undefined ? undefined : valueOf(`<${first.name()}>`, first.argChoices);
}

/** Options whose name says that they take a path are completed with files; for other values there are no candidates. */
function valueOf(flags: string, choices: readonly string[] | undefined): OptionWords['value'] {
  if (choices !== undefined) return { kind: 'choice', choices };
  return /[<[](file|path|directory)[>\]]/.test(flags) ? { kind: 'file' } : { kind: 'free' };
}
