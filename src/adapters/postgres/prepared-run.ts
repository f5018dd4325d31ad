/**
 * One execution of a prepared statement, as a query object of its own. That of `pg` copies its settings twice, asks for
 * the column types at every execution, and builds result objects that nobody here uses.
 */
import type { Client, Connection, Submittable } from 'pg';
import { reasonOf } from '../../base/reason-of.ts';
import { RecordFailure } from './record-failure.ts';
import { RESULT_TYPES } from './record-rows.ts';

export type Parameter = Buffer | string | number | boolean | null;
type Read = (text: string) => unknown;

/** How to parse the columns of each statement, by its name. Valid for one connection only. */
export type KnownColumns = Map<string, readonly Read[]>;

export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** Rejects with the error of the server or of `pg`. */
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

/**
 * `pg` calls the `handle...` methods when the corresponding message arrives, and uses `name` and `text` to remember
 * that the statement is prepared.
 */
export class PreparedRun implements Submittable {
  readonly name: string;
  readonly text: string;
  private readonly values: readonly Parameter[];
  private readonly known: KnownColumns;
  /** If the URL sets a query timeout, `pg` replaces this function by one that also clears the timer. */
  callback: (error: unknown, rows: readonly unknown[][]) => void;
  private readonly rows: unknown[][] = [];
  private columns: readonly Read[] | undefined;
  /** A value that could not be sent or parsed; reported when the server is ready for the next statement. */
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
      // Sent even after an error: the server answers that it is ready, and without that the connection would accept
      // nothing more.
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
    // The number of rows is known from the rows themselves.
  }

  handleReadyForQuery(): void {
    this.callback(this.fault, this.rows);
  }

  handleError(error: unknown): void {
    this.callback(error, []);
  }
}

/** This says nothing about the server, nor about the other rows. */
function unsendable(error: unknown): RecordFailure {
  const reason = reasonOf(error);
  return new RecordFailure('refused', `a value cannot be sent: ${reason}`, { isOutage: false, ofRows: true });
}

/** Bytes are sent as they are, everything else as text that the server parses. */
function asParameter(value: Parameter): Buffer | string | null {
  return value === null || value instanceof Buffer ? value : String(value);
}
