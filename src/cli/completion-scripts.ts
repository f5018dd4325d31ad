/**
 * Completion scripts for three shells, generated from one description of the commands. They only compare words: no
 * program runs while the user types.
 */

export interface OptionWords {
  readonly names: readonly string[];
  readonly text: string;
  /** Undefined if the option takes no value. */
  readonly value:
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    | { readonly kind: 'file' | 'free' }
    | undefined;
}

export interface CommandWords {
  /** The words that lead to the command; empty for the program itself. */
  readonly words: readonly string[];
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly OptionWords[];
  /** The kind of its first argument. */
  readonly argument: OptionWords['value'];
}

/** How the scripts identify a command, such as ` cluster plan`; '' for the program itself. */
function placeOf({ words }: CommandWords): string {
  return words.map((word) => ` ${word}`).join('');
}

/**
 * The part of a script that finds out which command is being typed, by following each word that leads to a subcommand.
 */
function walk(commands: readonly CommandWords[], indent: string, variable: string): string[] {
  return commands
    .filter(({ words }) => words.length > 0)
    .map((command) => `${indent}'${placeOf(command)}') ${variable}='${placeOf(command)}' ;;`);
}

/** The options, by command and name, for whose value the shell can offer candidates. */
function valued(command: CommandWords): { pattern: string; option: OptionWords }[] {
  return command.options.flatMap((option) =>
    option.value === undefined
      ? []
      : option.names.map((name) => ({ pattern: `'${placeOf(command)}:${name}'`, option })),
  );
}

function firstWords(command: CommandWords): string[] {
  const choices = command.argument?.kind === 'choice' ? command.argument.choices : [];
  return [...command.commands.map(({ name }) => name), ...choices];
}

export function bashScript(commands: readonly CommandWords[]): string {
  const values = commands.flatMap(valued).map(({ pattern, option }) => {
    if (option.value?.kind === 'file') return `    ${pattern}) _causeway_files "$cur"; return ;;`;
    const words = option.value?.kind === 'choice' ? option.value.choices.join(' ') : '';
    return `    ${pattern}) COMPREPLY=($(compgen -W '${words}' -- "$cur")); return ;;`;
  });
  const words = commands.map((command) => {
    const all = [...firstWords(command), ...command.options.flatMap(({ names }) => names)].join(' ');
    const files = command.argument?.kind === 'file' ? ' [[ $cur == -* ]] || _causeway_files "$cur";' : '';
    return `    '${placeOf(command)}') all='${all}';${files} ;;`;
  });
  return `# bash completion of causeway: source <(causeway completion bash)
_causeway_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$1"))
  compopt -o filenames 2>/dev/null
}
_causeway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at= all= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
${walk(commands, '      ', 'at').join('\n')}
    esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  COMPREPLY+=($(compgen -W "$all" -- "$cur"))
}
complete -F _causeway causeway
`;
}

export function zshScript(commands: readonly CommandWords[]): string {
  const values = commands.flatMap(valued).map(({ pattern, option }) => {
    if (option.value?.kind === 'file') return `    ${pattern}) _files; return ;;`;
    if (option.value?.kind === 'choice')
      return `    ${pattern}) compadd -- ${option.value.choices.join(' ')}; return ;;`;
    return `    ${pattern}) return ;;`;
  });
  const words = commands.flatMap((command) => {
    const choices = command.argument?.kind === 'choice' ? command.argument.choices : [];
    const items = [
      ...command.commands.map(({ name, text }) => quoted(`${name}:${text}`)),
      ...choices.map((choice) => quoted(choice)),
      ...command.options.flatMap(({ names, text }) => names.map((name) => quoted(`${name}:${text}`))),
    ];
    const files = command.argument?.kind === 'file' ? ['      _files'] : [];
    return [`    '${placeOf(command)}')`, `      items=(${items.join(' ')})`, ...files, '      ;;'];
  });
  return `#compdef causeway
# zsh completion of causeway: source <(causeway completion zsh), after compinit
_causeway() {
  local at= i
  local -a items
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
${walk(commands, '      ', 'at').join('\n')}
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  _describe causeway items
}
if [[ \${funcstack[1]} == _causeway ]]; then _causeway "$@"; else compdef _causeway causeway; fi
`;
}

export function fishScript(commands: readonly CommandWords[]): string {
  const cases = commands
    .filter(({ words }) => words.length > 0)
    .map((command) => `      case '${placeOf(command)}'\n        set at '${placeOf(command)}'`);
  const lines = commands.flatMap((command) => {
    const where = `complete -c causeway -n "__causeway_at '${placeOf(command)}'"`;
    const choices = command.argument?.kind === 'choice' ? command.argument.choices : [];
    return [
      ...command.commands.map(({ name, text }) => `${where} -a ${name} -d ${quoted(text)}`),
      ...choices.map((choice) => `${where} -a ${choice}`),
      ...(command.argument?.kind === 'file' ? [`${where} -F`] : []),
      ...command.options.map((option) => `${where} ${fishOption(option)}`),
    ];
  });
  return `# fish completion of causeway: causeway completion fish | source
function __causeway_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch "$at $word"
${cases.join('\n')}
    end
  end
  test "$at" = "$argv[1]"
end
complete -c causeway -f
${lines.join('\n')}
`;
}

function fishOption({ names, text, value }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = { file: ' -r -F', free: ' -x', none: '', choice: ' -x' }[value?.kind ?? 'none'];
  const choices = value?.kind === 'choice' ? ` -a ${quoted(value.choices.join(' '))}` : '';
  return `${flags.join(' ')}${takes}${choices} -d ${quoted(text)}`;
}

/** All three shells take everything between single quotes literally, except the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '\u2019').replaceAll('\\', '/').replace(/\s+/g, ' ')}'`;
}
