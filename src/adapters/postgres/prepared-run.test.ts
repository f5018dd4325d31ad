/** What a prepared statement sends and how it ends, message by message; test/contracts covers it on a real server. */
import pg, { type Connection } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { PreparedRun, type KnownColumns, type Parameter } from './prepared-run.ts';

const TYPE_INT8 = 20;
const TYPE_TEXT = 25;

/** Records what is sent, in order. */
function wire(parsed: Record<string, string> = {}): { connection: Connection; sent: unknown[] } {
  const sent: unknown[] = [];
  const note =
    (what: string) =>
    (told?: unknown): void =>
      void sent.push(told === undefined || told === null ? what : [what, told]);
  const connection = {
    parsedStatements: parsed,
    stream: { cork: note('cork'), uncork: note('uncork') },
    ...{ parse: note('parse'), bind: note('bind'), describe: note('describe') },
    ...{ execute: note('execute'), sync: note('sync') },
  };
  return { connection: connection as unknown as Connection, sent };
}

interface Told {
  readonly run: PreparedRun;
  readonly ends: unknown[];
}

function told(known: KnownColumns, values: readonly Parameter[] = []): Told {
  const ends: unknown[] = [];
  const end = (what: unknown): void => void ends.push(what);
  return { run: new PreparedRun('counts', 'select 1', values, known, end, end), ends };
}

const COLUMNS = { fields: [{ dataTypeID: TYPE_INT8 }, { dataTypeID: TYPE_TEXT }] };

describe('a prepared statement', () => {
  test('is parsed and described by its first run, in one write with the rest', () => {
    const { connection, sent } = wire();
    told(new Map(), [7, null, Buffer.of(1)]).run.submit(connection);
    expect(sent).toEqual([
      'cork',
      ['parse', { name: 'counts', text: 'select 1', types: [] }],
      ['bind', { statement: 'counts', values: ['7', null, Buffer.of(1)] }],
      ['describe', { type: 'P' }],
      ...['execute', 'sync', 'uncork'],
    ]);
  });

  test('is only bound once its columns are known, and its rows are read as before', () => {
    const known: KnownColumns = new Map();
    const first = told(known);
    first.run.submit(wire().connection);
    first.run.handleRowDescription(COLUMNS);
    first.run.handleDataRow({ fields: ['1', 'one'] });
    first.run.handleCommandComplete();
    first.run.handleReadyForQuery();
    expect(first.ends).toEqual([[[1, 'one']]]);

    const { connection, sent } = wire({ counts: 'select 1' });
    const second = told(known);
    second.run.submit(connection);
    expect(sent).toEqual([
      'cork',
      ['bind', { statement: 'counts', values: [] }],
      'execute',
      'sync',
      'uncork',
    ]);
    second.run.handleDataRow({ fields: ['2', null] });
    second.run.handleDataRow({ fields: [null, 'two'] });
    second.run.handleReadyForQuery();
    expect(second.ends).toEqual([
      [
        [2, null],
        [null, 'two'],
      ],
    ]);
  });

  test('that failed before its columns came is described again, and not parsed again', () => {
    const known: KnownColumns = new Map();
    const first = told(known);
    first.run.submit(wire().connection);
    const error = new Error('out of memory');
    first.run.handleError(error);
    expect(first.ends).toEqual([error]);

    const { connection, sent } = wire({ counts: 'select 1' });
    told(known).run.submit(connection);
    expect(sent).toContainEqual(['describe', { type: 'P' }]);
    expect(sent).not.toContainEqual(expect.arrayContaining(['parse']));
  });

  test('of which a value cannot be sent fails when the server is ready for the next, and holds nothing back', () => {
    const { connection, sent } = wire();
    connection.bind = () => {
      throw new RangeError('too large');
    };
    const { run, ends } = told(new Map(), ['']);
    run.submit(connection);
    expect(sent).toEqual(['cork', ['parse', expect.anything()], 'sync', 'uncork']);
    expect(ends).toEqual([]);
    run.handleReadyForQuery();
    const fault = {
      kind: 'refused',
      message: 'a value cannot be sent: too large',
      isOutage: false,
      ofRows: true,
    };
    expect(ends).toEqual([expect.objectContaining(fault)]);
  });

  test('of which a value cannot be read fails, when the server is ready for the next', () => {
    const { run, ends } = told(new Map());
    run.handleRowDescription(COLUMNS);
    run.handleDataRow({ fields: ['9007199254740993', 'too large'] });
    expect(ends).toEqual([]);
    run.handleReadyForQuery();
    expect(ends).toEqual([
      expect.objectContaining({
        ...{ message: expect.stringContaining('safe integer') as string, isOutage: false, ofRows: true },
      }),
    ]);
  });
});

test('a URL with a time limit of the driver: nothing of a run is kept once it has ended', () => {
  vi.useFakeTimers();
  try {
    for (const end of ['handleReadyForQuery', 'handleError'] as const) {
      const client = new pg.Client('postgres://nobody@localhost/none?query_timeout=60000');
      const { run, ends } = told(new Map());
      client.query(run);
      expect(vi.getTimerCount()).toBe(1);
      if (end === 'handleError') run.handleError(new Error('no'));
      else run.handleReadyForQuery();
      expect(vi.getTimerCount()).toBe(0);
      expect(ends).toHaveLength(1);
    }
  } finally {
    vi.useRealTimers();
  }
});

test('a URL with a time limit of the driver, and it passes: the run fails, once', async () => {
  vi.useFakeTimers();
  try {
    const client = new pg.Client('postgres://nobody@localhost/none?query_timeout=60000');
    const { run, ends } = told(new Map());
    client.query(run);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends).toEqual([expect.objectContaining({ message: 'Query read timeout' })]);
  } finally {
    vi.useRealTimers();
  }
});
