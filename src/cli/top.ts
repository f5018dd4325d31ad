/**
 * `causeway top`: all nodes live in a terminal. Without a terminal the user must choose: one frame as text, or one JSON
 * line per look.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import {
  addClientOptions,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  EXIT_USAGE,
  printJson,
  wholeNumber,
} from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { printLines } from './fitted.ts';
import { addOnlyOption, withEveryNode } from './every-node.ts';
import type { EveryNode, EveryNodeOptions } from './every-node.ts';
import { nextModel } from './top-model.ts';
import type { TopModel } from './top-model.ts';
import { frameLines } from './top-screen.ts';
import { Terminal } from './top-terminal.ts';
import type { Palette } from './top-text.ts';
import { PLAIN } from './top-text.ts';
import { firstView, INTERVAL_MS_MIN, keysIn, press } from './top-view.ts';
import type { TopView } from './top-view.ts';

interface TopOptions extends EveryNodeOptions {
  readonly interval: number;
  readonly once?: boolean;
  readonly count?: number;
}

const INTERVAL_MS_DEFAULT = 1_000;
const LOOK_TIMEOUT_MS = 2_000;
const COLUMNS_DEFAULT = 80;
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const NO_TERMINAL =
  'causeway top needs a terminal: --once shows one frame as text, --json prints a line per look\n';

export function topCommand(program: Command, io: CommandIo, env = process.env): void {
  const command = program
    .command('top')
    .description('watch all nodes in the terminal: state, rates, times, PostgreSQL, legacy API, copying')
    .option('--interval <ms>', 'milliseconds from look to look', wholeNumber, INTERVAL_MS_DEFAULT)
    .option('--once', 'one frame as text, without a terminal')
    .option('--count <n>', 'with --json: so many looks, then end', wholeNumber);
  addClientOptions(addOnlyOption(command)).action((options: TopOptions) => {
    const timeout = Math.min(options.timeout, LOOK_TIMEOUT_MS);
    return withEveryNode({ ...options, timeout }, async (nodes) => {
      if (options.json === true) io.exit(await printLooks(io, nodes, options));
      else if (options.once === true) io.exit(await showOnce(io, nodes, env));
      else if (!isTerminal(io, env)) {
        io.stderr.write(NO_TERMINAL);
        io.exit(EXIT_USAGE);
      } else io.exit(await live(io, nodes, options, env));
    });
  });
}

/** A terminal without an alternate screen or cursor control does not count as one. */
function isTerminal({ stdin, stdout }: CommandIo, env: NodeJS.ProcessEnv): boolean {
  const isTty = (stream: unknown): boolean => (stream as { isTTY?: boolean }).isTTY === true;
  return isTty(stdin) && isTty(stdout) && env['TERM'] !== 'dumb';
}

async function showOnce(io: CommandIo, nodes: EveryNode, env: NodeJS.ProcessEnv): Promise<number> {
  const model = nextModel(null, await nodes.look(), Date.now());
  const { columns, isTTY } = io.stdout as { columns?: number; isTTY?: boolean };
  const size = { columns: columns || COLUMNS_DEFAULT, rows: Infinity };
  const palette = isTTY === true ? paletteOf(env) : PLAIN;
  io.stdout.write(`${frameLines({ ...model, remarks: [] }, firstView(0), size, palette).join('\n')}\n`);
  // A frame cuts them; here they may take the lines that they need.
  if (model.remarks.length > 0) printLines(io.stdout, ['', ...model.remarks]);
  return exitCode(model);
}

async function printLooks(io: CommandIo, nodes: EveryNode, options: TopOptions): Promise<number> {
  let model: TopModel | null = null;
  const looks = options.once === true ? 1 : (options.count ?? Infinity);
  for (let look = 1; look <= looks; look++) {
    model = nextModel(model, await nodes.look(), Date.now());
    // The trend is left out: it repeats the lines before this one.
    const shown = model.nodes.map(({ trend: _trend, ...node }) => node);
    const { at, clusterId, epoch, slotsMoving, slotsLost, remarks } = model;
    const time = new Date(at).toISOString();
    printJson(io, { time, clusterId, epoch, slotsMoving, slotsLost, nodes: shown, remarks });
    if (look < looks) await new Promise((resolve) => setTimeout(resolve, options.interval));
  }
  return model === null ? EXIT_OK : exitCode(model);
}

function exitCode({ nodes }: TopModel): number {
  if (nodes.every(({ fault }) => fault !== '')) return EXIT_DEFINITE;
  return nodes.every(({ isServing }) => isServing) ? EXIT_OK : EXIT_NO;
}

/** Runs until the user leaves; returns the exit code. */
function live(io: CommandIo, nodes: EveryNode, options: TopOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const terminal = new Terminal(io.stdin as unknown as ReadStream, io.stdout as unknown as WriteStream);
  const palette = paletteOf(env);
  let model: TopModel | null = null;
  let view: TopView = firstView(Math.max(INTERVAL_MS_MIN, options.interval));
  const draw = (): void => terminal.draw(frameLines(model, view, terminal.size, palette));
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const end = (code: number): void => {
      isOver = true;
      clearTimeout(timer);
      terminal.close();
      resolve(code);
    };
    const look = async (): Promise<void> => {
      if (!view.isPaused) {
        const told = await nodes.look();
        if (isOver) return;
        model = nextModel(model, told, Date.now());
        draw();
      }
      timer = setTimeout(() => void look().catch(fail), view.intervalMs);
    };
    const fail = (error: unknown): void => {
      terminal.close();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    terminal.open({
      keys: (text) => {
        for (const key of keysIn(text)) {
          const pressed = press(view, key, model?.nodes ?? []);
          if (pressed.kind === 'leave') return end(EXIT_OK);
          if (pressed.kind === 'stop') terminal.stop();
          else view = pressed.view;
        }
        draw();
      },
      redraw: draw,
      end: (signal) => end(signal === 'closed' ? EXIT_OK : 128 + (SIGNAL_NUMBERS[signal as 'SIGINT'] ?? 0)),
    });
    draw();
    void look().catch(fail);
  });
}

/** Respects NO_COLOR; if the terminal does not use UTF-8, bars and trends are ASCII. */
export function paletteOf(env: NodeJS.ProcessEnv): Palette {
  const isColoured = (env['NO_COLOR'] ?? '') === '';
  const { bold, dim, green, red, yellow, inverse } = createColors(isColoured);
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return {
    ...{ bold, dim, good: green, bad: red, warn: yellow },
    // Without colour the mark in front of it shows the selection, too.
    chosen: inverse,
    isUnicode: /utf-?8/i.test(locale),
  };
}
