/**
 * Controls the terminal while `causeway top` uses it: alternate screen, hidden cursor, single key presses. However the
 * program ends, the terminal is restored.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Size } from './top-screen.ts';

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Wrapping is off meanwhile: a line that is one column too long must not push down all others. */
const NO_WRAP = '\u001b[?7l';
const WRAP = '\u001b[?7h';

export interface TerminalEvents {
  keys(text: string): void;
  /** To be called when the size has changed, or when something else has written to the terminal. */
  redraw(): void;
  /** Called when the program must end: by a signal, or because the terminal was closed. */
  end(signal: NodeJS.Signals | 'closed'): void;
}

export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #isOpen = false;
  #undo: (() => void)[] = [];

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  get size(): Size {
    const { columns, rows } = this.#output;
    // A terminal that does not know its size reports 0.
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  open(events: TerminalEvents): void {
    this.#enter();
    const onData = (bytes: Buffer | string): void => events.keys(bytes.toString());
    const onResize = (): void => events.redraw();
    const onClosed = (): void => events.end('closed');
    const onExit = (): void => this.close();
    this.#input.on('data', onData).on('end', onClosed).on('error', onClosed);
    this.#output.on('resize', onResize).on('error', onClosed);
    // The stack trace of an error must not vanish with the alternate screen.
    process.on('exit', onExit).on('uncaughtExceptionMonitor', onExit);
    this.#undo.push(() => {
      this.#input.off('data', onData).off('end', onClosed).off('error', onClosed);
      this.#output.off('resize', onResize);
      process.off('exit', onExit).off('uncaughtExceptionMonitor', onExit);
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const onSignal = (): void => events.end(signal);
      process.on(signal, onSignal);
      this.#undo.push(() => process.off(signal, onSignal));
    }
    const onContinue = (): void => {
      this.#enter();
      events.redraw();
    };
    process.on('SIGCONT', onContinue);
    this.#undo.push(() => process.off('SIGCONT', onContinue));
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    // Erase before writing: after a line that fills its row, the cursor stands on the last cell, and erasing would
    // remove that.
    const last = lines.length - 1;
    const rows = lines.map((line, at) => `${at === last ? '\u001b[J' : '\u001b[K'}${line}`);
    this.#output.write(`\u001b[H${rows.join('\r\n')}`);
  }

  /** Ctrl-Z: the shell gets the terminal until the process continues. */
  stop(): void {
    this.#leave();
    process.kill(process.pid, 'SIGTSTP');
  }

  close(): void {
    this.#leave();
    for (const undo of this.#undo.splice(0)) undo();
    this.#input.pause();
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(ENTER + NO_WRAP);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.write(WRAP + LEAVE);
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone, so there is nothing to restore.
    }
  }
}
