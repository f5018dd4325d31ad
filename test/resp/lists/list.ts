/** How lists of sequences are written: titles, lines of commands, and products of lines. */
import { sequenceOf } from '../sequence.ts';
import type { Sequence } from '../sequence.ts';

export class List {
  readonly sequences: Sequence[] = [];
  readonly #family: string;

  constructor(family: string) {
    this.#family = family;
  }

  /** One sequence. */
  one(title: string, ...lines: string[]): void {
    this.sequences.push(sequenceOf(this.#family, title, 'plain', lines));
  }

  /** One sequence, recorded from a cluster of one Redis. */
  inCluster(title: string, ...lines: string[]): void {
    this.sequences.push(sequenceOf(this.#family, title, 'cluster', lines));
  }

  /** A sequence for each line and each beginning: the beginning, the line, and the same end. */
  each(title: string, begins: readonly string[][], lines: readonly string[], ...end: string[]): void {
    for (const begin of begins) for (const line of lines) this.one(title, ...begin, line, ...end);
  }

  /** All lines in one sequence after the beginning, if a reply does not affect what follows. */
  all(title: string, begin: readonly string[], lines: readonly string[]): void {
    this.one(title, ...begin, ...lines);
  }

  /** Like `all`, once more over RESP3. */
  inBoth(title: string, begin: readonly string[], lines: readonly string[]): void {
    this.one(title, ...begin, ...lines);
    this.one(`${title}, RESP3`, 'HELLO 3', ...begin, ...lines);
  }
}

/** All combinations of one word from each list, in order; an empty word is left out. */
export function product(...lists: readonly (readonly string[])[]): string[] {
  let texts = [''];
  for (const list of lists) {
    texts = texts.flatMap((text) => list.map((word) => [text, word].filter((part) => part !== '').join(' ')));
  }
  return texts;
}

/** All selections of at most `count` of the words, in order; the empty one first. */
export function choices(words: readonly string[], count: number): string[] {
  const found = [''];
  const extend = (chosen: readonly string[], from: number): void => {
    if (chosen.length > 0) found.push(chosen.join(' '));
    if (chosen.length === count) return;
    for (let at = from; at < words.length; at += 1) extend([...chosen, words[at]!], at + 1);
  };
  extend([], 0);
  return found;
}
