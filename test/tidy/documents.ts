/** What a machine can check in the text of a document: links, files and commands that do not exist. */
import { posix } from 'node:path';

export interface Place {
  /** Whether a file or folder exists, by its path from the root. */
  readonly exists: (path: string) => boolean;
  /** The text of a page, by its path from the root. */
  readonly read: (path: string) => string;
}

const FENCED = /^```[^\n]*\n([\s\S]*?)^```/gm;
const SPAN = /`([^`\n]+)`/g;

/** The anchors that GitHub and others make of headings; repeated ones are numbered. */
export function anchorsIn(page: string): string[] {
  const seen = new Map<string, number>();
  return [...page.replace(FENCED, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const anchor = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** Links to places in the repository that do not exist. */
export function linkFaults(path: string, text: string, { exists, read }: Place): string[] {
  const faults: string[] = [];
  for (const [, target] of text.replace(FENCED, '').matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target!)) continue;
    const [file, anchor] = target!.split('#');
    const to = file === '' ? path : posix.join(posix.dirname(path), file!);
    if (!exists(to)) faults.push(`${path}: ${target!} does not exist`);
    else if (anchor !== undefined && !anchorsIn(to === path ? text : read(to)).includes(anchor))
      faults.push(`${path}: ${target!} is no heading`);
  }
  return faults;
}

/** Files and folders in code spans, if they are given with their full path, and npm scripts. */
export function nameFaults(
  path: string,
  text: string,
  folders: readonly string[],
  scripts: readonly string[],
  { exists }: Place,
): string[] {
  const faults: string[] = [];
  for (const [, name] of text.replace(FENCED, '').matchAll(SPAN))
    if (/^[\w.-]+\/[\w./-]+$/.test(name!) && folders.includes(name!.split('/')[0]!) && !exists(name!))
      faults.push(`${path}: ${name!} does not exist`);
  for (const [, script] of text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g))
    if (!scripts.includes(script!)) faults.push(`${path}: npm run ${script!} is no script`);
  return faults;
}

/** Our own commands in a document, each as its words; a shell's special characters end a command. */
export function commandsIn(text: string): string[][] {
  const lines = [...text.matchAll(FENCED)].flatMap(([, block]) => block!.split('\n'));
  const spans = [...text.replace(FENCED, '').matchAll(SPAN)].map(([, span]) => span!);
  return [...lines, ...spans].flatMap((line) => {
    const typed =
      /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx )?causeway (.*)$/.exec(line) ?? /\/causeway\.js (.*)$/.exec(line);
    return typed === null
      ? []
      : [
          typed[1]!
            .split(/ (?:#|\||&&|;)/)[0]!
            .trim()
            .split(/\s+/),
        ];
  });
}

/** `words`: for the words that lead to a command (' cluster plan'), what may follow: subcommands and options. */
export function commandFaults(
  path: string,
  text: string,
  words: ReadonlyMap<string, readonly string[]>,
): string[] {
  return commandsIn(text).flatMap((typed) => {
    let place = '';
    let at = 0;
    while (at < typed.length && words.has(`${place} ${typed[at]!}`)) place += ` ${typed[at++]!}`;
    const told = `${path}: causeway ${typed.join(' ')}`;
    const below = words.get(place) ?? [];
    if (place === '' && !typed[0]!.startsWith('-')) return [`${told}: no such command`];
    const options = typed.slice(at).flatMap((word) => /^--?[a-z][a-z-]*/.exec(word)?.[0] ?? []);
    return options.filter((name) => !below.includes(name)).map((name) => `${told}: no option ${name}`);
  });
}
