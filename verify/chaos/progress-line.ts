/** One line that is updated in place on a terminal; elsewhere one line now and then. */
import type { WriteStream } from 'node:tty';

/** If nobody is watching, only every n-th line is printed. */
const QUIET_EVERY = 10;
const WIDTH_DEFAULT = 80;

export class ProgressLine {
  private readonly stream: WriteStream;
  private shown = 0;

  constructor(stream: WriteStream) {
    this.stream = stream;
  }

  show(line: string): void {
    this.shown += 1;
    if (this.stream.isTTY) {
      this.clear();
      this.stream.write(line.slice(0, (this.stream.columns || WIDTH_DEFAULT) - 1));
    } else if (this.shown % QUIET_EVERY === 1) {
      this.stream.write(`${line}\n`);
    }
  }

  note(line: string): void {
    this.clear();
    this.stream.write(`${line}\n`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
  }
}
