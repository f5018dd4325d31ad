/**
 * The output of `causeway up`: for a terminal (a few lines redrawn in place), for a pipe or a log (one line for each
 * change), or for a program (`--json`: one JSON object per line).
 */
import { postgresUrlShown } from '../base/credentials.ts';
import { TERMINAL_COLUMNS } from '../base/wrapped.ts';
import type { ClusterEvent, Endpoints } from '../supervisor/local-cluster.ts';
import type { NodeView } from '../supervisor/node-probe.ts';
import { fitted, fittedText } from './fitted.ts';
import { changeLines, eventLine, readyText, statusLines } from './up-text.ts';

export interface UpScreen {
  event(event: ClusterEvent): void;
  ready(endpoints: Endpoints): void;
  /** The state of all nodes, `seconds` after the previous one. */
  status(views: readonly NodeView[], seconds: number): void;
  /** No more states will follow: the live lines are left as they are. */
  stopping(): void;
  stopped(): void;
  failed(message: string): void;
}

export interface ScreenOutput {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** `command` is how a person runs this program in another terminal. */
export function openScreen(
  output: ScreenOutput,
  errors: ScreenOutput,
  command: string,
  json: boolean,
): UpScreen {
  if (json) return jsonScreen(output);
  return textScreen(output, errors, command, output.isTTY === true);
}

function jsonScreen(output: ScreenOutput): UpScreen {
  let before: readonly NodeView[] = [];
  const emit = (event: string, fields: object): void => {
    output.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
  };
  return {
    event: ({ kind, ...fields }) => emit(kind, fields),
    ready: (endpoints) =>
      emit('ready', { ...endpoints, databaseUrl: postgresUrlShown(endpoints.databaseUrl) }),
    status(views) {
      if (changeLines(views, before).length > 0) emit('status', { nodes: views });
      before = views;
    },
    stopping: () => emit('stopping', {}),
    stopped: () => emit('stopped', {}),
    failed: (message) => emit('error', { message }),
  };
}

function textScreen(output: ScreenOutput, errors: ScreenOutput, command: string, live: boolean): UpScreen {
  let before: readonly NodeView[] = [];
  let isReady = false;
  let drawn = 0;
  const erase = (): void => {
    // Moves up to our first line, then clears to the end of the screen.
    if (drawn > 0) output.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const print = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    erase();
    output.write(`${lines.join('\n')}\n`);
  };
  return {
    event(event) {
      const line = eventLine(event, isReady);
      if (line !== undefined) print([live ? fittedText(line, output.columns || TERMINAL_COLUMNS) : line]);
    },
    ready(endpoints) {
      isReady = true;
      print(readyText(endpoints, command));
    },
    status(views, seconds) {
      if (live) {
        const lines = statusLines(views, before, seconds, output.columns || TERMINAL_COLUMNS);
        print(lines);
        drawn = lines.length;
      } else {
        print(changeLines(views, before));
      }
      before = views;
    },
    stopping() {
      isReady = false;
      if (live && drawn > 0) output.write('\n');
      drawn = 0;
    },
    stopped: () => print(['Everything has stopped.']),
    failed: (message) => fitted(errors).write(`causeway up: ${message}\n`),
  };
}
