/**
 * Sequences of commands with the replies of a real Redis, and their files: `fixtures/FAMILY.txt`. A file consists of
 * groups (`## title`, followed in parentheses by the server that it was recorded from, if that is not a plain one), a
 * group of sequences separated by empty lines, and a sequence of steps: `command => reply`.
 *
 * A step begins with `2> ` if a second connection sends it, with `!` if there is no reply, with `raw "..."` if bytes
 * are sent as they are; it is `@scan ...` for a whole walk of SCAN, or `@push` for a pushed message.
 */
import { commandText, parseCommand } from './text.ts';

export interface Step {
  /** 1, or the number of a further connection. */
  readonly connection: number;
  readonly kind: 'command' | 'silent' | 'raw' | 'scan' | 'push';
  readonly args: readonly Buffer[];
  /** As it appears in the file. */
  readonly text: string;
  /** Undefined if not recorded yet. */
  readonly reply: string | undefined;
}

export interface Sequence {
  readonly family: string;
  readonly title: string;
  readonly server: 'plain' | 'cluster';
  readonly steps: readonly Step[];
}

function parseStep(line: string): Step {
  const cut = line.indexOf(' => ');
  const text = cut < 0 ? line.trim() : line.slice(0, cut);
  const reply = cut < 0 ? undefined : line.slice(cut + 4);
  const [, number, mark, rest] = /^(?:(\d)> )?(!?)(.*)$/s.exec(text)!;
  const args = parseCommand(rest!);
  const first = args[0]?.toString() ?? '';
  const connection = number === undefined ? 1 : Number(number);
  if (mark === '!') return { connection, kind: 'silent', args, text, reply };
  const kind = first === 'raw' || first === '@scan' || first === '@push' ? first.replace('@', '') : 'command';
  return {
    ...{ connection, kind: kind as Step['kind'], text, reply },
    args: kind === 'command' ? args : args.slice(1),
  };
}

/** Makes a sequence from a list's lines, one per step. Long words are brought into their short form. */
export function sequenceOf(
  family: string,
  title: string,
  server: Sequence['server'],
  lines: readonly string[],
): Sequence {
  const steps = lines.map((line) => {
    const step = parseStep(line);
    const prefix = step.connection === 1 ? '' : `${step.connection}> `;
    const mark = { command: '', silent: '!', raw: 'raw ', scan: '@scan ', push: '@push' }[step.kind];
    return { ...step, text: `${prefix}${mark}${commandText(step.args)}`.trim() };
  });
  return { family, title, server, steps };
}

export function parseFixture(family: string, text: string): Sequence[] {
  const sequences: Sequence[] = [];
  let title = '';
  let server: Sequence['server'] = 'plain';
  let steps: Step[] = [];
  const end = (): void => {
    if (steps.length > 0) sequences.push({ family, title, server, steps });
    steps = [];
  };
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) end();
    else if (line.startsWith('## ')) {
      end();
      const [, name, where] = /^## (.*?)(?: \[(cluster)\])?$/.exec(line)!;
      title = name!;
      server = where === 'cluster' ? 'cluster' : 'plain';
    } else steps.push(parseStep(line));
  }
  end();
  return sequences;
}

export function fixtureText(head: readonly string[], sequences: readonly Sequence[]): string {
  const lines = head.map((line) => `# ${line}`);
  let title = '';
  for (const sequence of sequences) {
    lines.push('');
    if (sequence.title !== title) {
      title = sequence.title;
      lines.push(`## ${title}${sequence.server === 'cluster' ? ' [cluster]' : ''}`);
    }
    for (const { text, reply } of sequence.steps)
      lines.push(reply === undefined ? text : `${text} => ${reply}`);
  }
  return `${lines.join('\n')}\n`;
}

/** For a failed comparison: what was sent so far, and the replies beside the expected ones. */
export function explain(sequence: Sequence, replies: readonly string[], expected: readonly string[]): string {
  const lines = [`${sequence.family}: ${sequence.title}`];
  for (const [at, { text }] of sequence.steps.entries()) {
    const given = replies[at] ?? '(nothing)';
    if (given === expected[at]) lines.push(`    ${text} => ${given}`);
    else lines.push(`    ${text}`, `      expected ${expected[at]}`, `      given    ${given}`);
  }
  return lines.join('\n');
}
