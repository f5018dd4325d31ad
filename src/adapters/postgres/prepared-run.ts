/**
 * One run of a prepared statement, as a query object of its own. The one of `pg` copies its settings twice, asks what the
 * columns are with each run, and makes much of what comes back that nobody looks at here.
 */
import type { Client, Connection, Submittable } from 'pg';
import { RecordFailure } from './record-failure.ts';
import { RESULT_TYPES } from './record-rows.ts';

export type Parameter = Buffer | string | number | boolean | null;
type Read = (text: string) => unknown;

/** How the columns of a statement are read, by its name. Of one connection: on another the name says nothing. */
export type KnownColumns = Map<string, readonly Read[]>;

export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** Rejects with what the server or `pg` has told. */
export function runPrepared(
  client: Client,
  { name, text }: PreparedStatement,
  values: readonly Parameter[],
  known: KnownColumns,
): Promise<readonly unknown[][]> {
  return new Promise((resolve, reject) => {
    client.query(new PreparedRun(name, text, values, known, resolve, reject));
  });
}

/** `pg` calls what begins with `handle` when such a message has come, and notes the statement by `name` and `text` once it is parsed. */
export class PreparedRun implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly values: readonly Parameter[];
  private readonly known: KnownColumns;
  /** Where the URL sets the time limit of `pg`, it puts one of its own in this place, which ends the timer. */
  callback: (error: unknown, rows: readonly unknown[][]) => void;
  private readonly rows: unknown[][] = [];
  private columns: readonly Read[] | undefined;
  /** A value that cannot be sent or read: told when the server is ready for the next statement. */
  private fault: unknown = null;

  constructor(
    name: string,
    text: string,
    values: readonly Parameter[],
    known: KnownColumns,
    resolve: (rows: readonly unknown[][]) => void,
    reject: (error: unknown) => void,
  ) {
    this.name = name;
    this.text = text;
    this.values = values;
    this.known = known;
    this.columns = known.get(name);
    this.callback = (error, rows) => (error === null ? resolve(rows) : reject(error));
  }

  submit(connection: Connection): void {
    const { name, text } = this;
    const { parsedStatements } = connection as unknown as {
      readonly parsedStatements: Record<string, string>;
    };
    const { stream } = connection;
    stream.cork();
    try {
      if (parsedStatements[name] === undefined) connection.parse({ name, text, types: [] }, true);
      connection.bind({ statement: name, values: this.values.map(asParameter) }, true);
      if (this.columns === undefined) connection.describe({ type: 'P' }, true);
      connection.execute(null, true);
    } catch (error) {
      this.fault = unsendable(error);
    } finally {
      // Whatever was not sent: the server says when it is ready, and without that the connection takes nothing more.
      connection.sync();
      stream.uncork();
    }
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
    this.columns = fields.map(({ dataTypeID }) => RESULT_TYPES.getTypeParser(dataTypeID));
    this.known.set(this.name, this.columns);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    try {
      this.rows.push(fields.map((text, index) => (text === null ? null : this.columns![index]!(text))));
    } catch (error) {
      this.fault ??= error;
    }
  }

  handleCommandComplete(): void {
    // How many rows it was is seen.
  }

  handleReadyForQuery(): void {
    this.callback(this.fault, this.rows);
  }

  handleError(error: unknown): void {
    this.callback(error, []);
  }
}

/** It says nothing of the server, nor of the other rows. */
function unsendable(error: unknown): RecordFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return new RecordFailure('refused', `a value cannot be sent: ${reason}`, { isOutage: false, ofRows: true });
}

/** Bytes go as they are, all else as the text that the server reads it from. */
function asParameter(value: Parameter): Buffer | string | null {
  return value === null || value instanceof Buffer ? value : String(value);
}
