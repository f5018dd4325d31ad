/** A run's file: written line by line while it happens, and read back as a whole. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { reasonOf } from '../../src/base/reason-of.ts';
import type { Held, Row, Survey } from '../survey.ts';
import {
  decodeLine,
  encodeLine,
  heldLine,
  heldOf,
  rowLine,
  rowOf,
  type NodeSample,
  type RunHead,
  type RunLine,
  type TimedOperation,
} from './run-lines.ts';

/** How many characters are written to the file at once. */
const CHUNK_LENGTH = 64 * 1024;

export class RunWriter {
  private readonly stream: WriteStream;
  private pending = '';
  private fault: Error | null = null;

  constructor(path: string) {
    this.stream = createWriteStream(path);
    this.stream.on('error', (error) => (this.fault ??= error));
  }

  write(line: RunLine): void {
    this.pending += `${encodeLine(line)}\n`;
    if (this.pending.length >= CHUNK_LENGTH) this.flush();
  }

  survey({ reads, stores, rows }: Survey, note: (node: string, read: Survey['reads'][number]) => void): void {
    for (const read of reads) note(read.node, read);
    for (const { node, byKey } of stores) {
      for (const [key, held] of byKey) this.write(heldLine(node, key, held));
    }
    for (const [key, row] of rows) this.write(rowLine(key, row));
  }

  /** Rejects if not everything could be written. */
  async close(): Promise<void> {
    this.flush();
    this.stream.end();
    if (this.fault === null) await once(this.stream, 'close');
    if (this.fault !== null) throw this.fault;
  }

  private flush(): void {
    if (this.pending !== '') this.stream.write(this.pending);
    this.pending = '';
  }
}

export interface FaultRecord {
  readonly id: number;
  readonly fault: string;
  readonly nodes: readonly string[];
  readonly told: string;
  readonly fromMs: number;
  /** The end of the run, if the fault did not end before. */
  toMs: number;
  struck: boolean;
}

export interface Run {
  readonly head: RunHead;
  readonly operations: TimedOperation[];
  readonly faults: FaultRecord[];
  readonly failures: Extract<RunLine, { is: 'fault-failed' }>[];
  readonly samples: { readonly atMs: number; readonly nodes: readonly NodeSample[] }[];
  readonly endings: Extract<RunLine, { is: 'ending' }>[];
  readonly moves: Extract<RunLine, { is: 'moved' }>[];
  readonly bulk: Extract<RunLine, { is: 'bulk' }>[];
  readonly floods: Extract<RunLine, { is: 'flooded' }>[];
  readonly unread: Extract<RunLine, { is: 'unread' }>[];
  progress: Extract<RunLine, { is: 'progress' | 'no-progress' }> | null;
  /** Reads are among the operations. Null if the cluster was not examined. */
  survey: Survey | null;
  end: Extract<RunLine, { is: 'end' }> | null;
}

/** Throws with the number of a line that is not part of a run; an incomplete last line is where the run was cut off. */
export async function readRun(path: string): Promise<Run> {
  const reader = new RunReader();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let number = 0;
  let torn: SyntaxError | null = null;
  const faulty = (at: number, error: unknown): Error =>
    new Error(`${path}, line ${at}: ${reasonOf(error)}`, {
      cause: error,
    });
  for await (const text of lines) {
    if (torn !== null) throw faulty(number, torn);
    number += 1;
    try {
      reader.take(decodeLine(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw faulty(number, error);
      torn = error;
    }
  }
  return reader.finish(path);
}

class RunReader {
  private run: Run | null = null;
  private readonly stores = new Map<string, Map<string, Held>>();
  private readonly rows = new Map<string, Row>();
  private latestMs = 0;

  // long: one line a kind
  take(line: RunLine): void {
    if (line.is === 'run') {
      const { is: _is, ...head } = line;
      this.run = emptyRun(head);
      return;
    }
    const { run } = this;
    if (run === null) throw new Error('a run begins with the line that describes it');
    if ('atMs' in line) this.latestMs = Math.max(this.latestMs, line.atMs);
    switch (line.is) {
      case 'operation':
        run.operations.push(line);
        this.latestMs = Math.max(this.latestMs, line.endedMs);
        return;
      case 'fault':
        run.faults.push({ ...line, fromMs: line.atMs, toMs: Infinity, struck: false });
        return;
      case 'fault-end': {
        const fault = run.faults.find(({ id }) => id === line.id);
        if (fault === undefined) throw new Error(`fault ${line.id} ends and never began`);
        fault.toMs = line.atMs;
        fault.struck = line.struck;
        return;
      }
      case 'fault-failed':
        run.failures.push(line);
        return;
      case 'sample':
        run.samples.push(line);
        return;
      case 'ending':
        run.endings.push(line);
        return;
      case 'moved':
        run.moves.push(line);
        return;
      case 'bulk':
        run.bulk.push(line);
        return;
      case 'flooded':
        run.floods.push(line);
        return;
      case 'unread':
        run.unread.push(line);
        return;
      case 'progress':
      case 'no-progress':
        run.progress = line;
        return;
      case 'held':
        this.storeOf(line.node).set(line.key, heldOf(line));
        return;
      case 'row':
        this.rows.set(line.key, rowOf(line));
        return;
      case 'end':
        run.end = line;
        return;
      default:
        throw new Error(`a line of the unknown kind ${String((line as { is: unknown }).is)}`);
    }
  }

  finish(path: string): Run {
    const { run } = this;
    if (run === null) throw new Error(`${path} holds no run`);
    for (const fault of run.faults) fault.toMs = Math.min(fault.toMs, this.latestMs);
    // If the run was cut off, it is not known whether everything was examined.
    if (run.end !== null && this.stores.size > 0) {
      const stores = [...this.stores].map(([node, byKey]) => ({ node, byKey }));
      run.survey = { reads: readsAtRest(run.operations), stores, rows: this.rows };
    }
    return run;
  }

  private storeOf(node: string): Map<string, Held> {
    const store = this.stores.get(node) ?? new Map<string, Held>();
    this.stores.set(node, store);
    return store;
  }
}

/** Reads from nodes at rest are in the history under a client of this name. */
export function clientAtRest(node: string): string {
  return `at rest, ${node}`;
}

function readsAtRest(operations: readonly TimedOperation[]): Survey['reads'] {
  return operations.flatMap(({ client, key, outcome }) => {
    const node = /^at rest, (.+)$/.exec(String(client))?.[1];
    return node === undefined ? [] : [{ node, key, outcome }];
  });
}

function emptyRun(head: RunHead): Run {
  return {
    head,
    operations: [],
    faults: [],
    failures: [],
    samples: [],
    endings: [],
    moves: [],
    bulk: [],
    floods: [],
    unread: [],
    progress: null,
    survey: null,
    end: null,
  };
}
