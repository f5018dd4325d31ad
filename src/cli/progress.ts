/** The progress of slots that change hands: on a terminal one line updated in place, in a log a line now and then. */
import type { CausewayClient } from '../client/index.ts';
import type { Output } from './client-command.ts';
import { asFacts, type Facts } from './facts.ts';
import { columnsOf } from './fitted.ts';
import type { Screen } from './fitted.ts';
import { grouped, rateText } from './figures.ts';
import { barText, cut } from './top-text.ts';

const BAR_CELLS = 24;
const POLL_MS = 500;
/** Milliseconds between two lines if there is no terminal. */
const LINE_EVERY_MS = 5_000;

/** `[######------]  50 %  1,024 of 2,048 slots  11.8 MiB/s  8 s left` */
export function progressLine(
  done: number,
  total: number,
  bytesPerSecond: number,
  secondsLeft: number | null,
): string {
  const share = total === 0 ? 1 : done / total;
  const bar = `[${barText(share, BAR_CELLS, false)}]`;
  return [bar, ...progressWords(done, total, bytesPerSecond, secondsLeft)].join('  ');
}

/** The words next to a bar: `50 %`, `1,024 of 2,048 slots` and, if known, `11.8 MiB/s` and `8 s left`. */
export function progressWords(
  done: number,
  total: number,
  bytesPerSecond: number,
  secondsLeft: number | null,
): string[] {
  const share = total === 0 ? 1 : done / total;
  const words = [`${Math.floor(share * 100)} %`, `${grouped(done)} of ${grouped(total)} slots`];
  if (bytesPerSecond > 0) words.push(rateText(bytesPerSecond));
  if (secondsLeft !== null && done < total) words.push(`${secondsLeft} s left`);
  return words;
}

export type Terminal = Output & Screen;

/** Shows one line after another in the same place; without a terminal, only one now and then, and the last. */
export function lineInPlace(output: Terminal): (line: string, isLast: boolean) => void {
  let shownAt = -Infinity;
  return (line, isLast) => {
    const columns = columnsOf(output);
    // A line that reaches the last column would wrap to a second line, which could not be erased.
    if (columns !== undefined) output.write(`\r\u001b[K${cut(line, columns - 1)}${isLast ? '\n' : ''}`);
    else if (isLast || Date.now() - shownAt >= LINE_EVERY_MS) {
      shownAt = Date.now();
      output.write(`${line}\n`);
    }
  };
}

/** Milliseconds for which a command may be silent. */
const SILENT_MS_MAX = 2_000;
const SECOND_MS = 1_000;

export interface WaitingLine {
  /** Sets what the command waits for from now on. */
  readonly of: (what: string) => void;
  /** Removes the line from the terminal. */
  readonly end: () => void;
}

/**
 * Once a command has been silent for a while, says what it waits for and since when; on standard error, never among
 * data.
 */
export function waitingLine(output: Terminal, silentMsMax = SILENT_MS_MAX): WaitingLine {
  const began = Date.now();
  const show = lineInPlace(output);
  let what = '';
  let isShown = false;
  const look = (): void => {
    const waited = Date.now() - began;
    if (what === '' || waited < silentMsMax) return;
    isShown = true;
    show(`${what}, ${Math.floor(waited / SECOND_MS)} s`, false);
  };
  const timer = setInterval(look, SECOND_MS);
  return {
    of: (now) => {
      what = now;
      look();
    },
    end: () => {
      clearInterval(timer);
      if (isShown && output.isTTY === true) output.write('\r\u001b[K');
    },
  };
}

/**
 * Shows the progress until `isOver` is true for what the nodes report. Nodes that do not answer are ignored: one of
 * them may be the one that leaves.
 */
export async function watchMoves(
  client: CausewayClient,
  output: Terminal,
  isOver: (statuses: readonly Facts[]) => boolean,
): Promise<void> {
  let total = 0;
  const show = lineInPlace(output);
  const startedAt = Date.now();
  for (;;) {
    const statuses = await statusesOf(client);
    const left = Math.max(0, ...statuses.map((status) => Number(status['slotsMoving'] ?? 0)));
    total = Math.max(total, left);
    const over = isOver(statuses);
    const copies = statuses.map((status) => asFacts(status['copy']));
    const rate = copies.reduce((sum, copy) => sum + Number(copy['bytesPerSecond'] ?? 0), 0);
    const done = total - left;
    const elapsed = (Date.now() - startedAt) / 1_000;
    const secondsLeft = done > 0 ? Math.ceil((elapsed * left) / done) : null;
    // The change is under way, but no epoch says yet what will move.
    if (total > 0) show(progressLine(done, total, rate, secondsLeft), over);
    else show(over ? 'no slot had to be moved' : 'nothing moves yet', over);
    if (over) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function statusesOf(client: CausewayClient): Promise<Facts[]> {
  const told = await Promise.all(
    client.nodes.map((address) =>
      client.status(address, { timeoutMs: 2_000 }).then(asFacts, () => undefined),
    ),
  );
  return told.filter((status) => status !== undefined);
}
