/**
 * PostgreSQL by itself: a statement for each row over fifty connections, or rows gathered into one statement over one
 * connection.
 */
import pg from 'pg';
import { keyName, Values } from './driver.ts';
import type { Driver, OnAnswer } from './driver.ts';

const CONNECTIONS_MAX = 50;
const BATCH_ROWS_MAX = 500;

export const TABLE = 'create table if not exists pairs (key text primary key, value bytea not null)';
export const PUT_ONE = {
  name: 'put',
  text: 'insert into pairs values ($1, $2) on conflict (key) do update set value = excluded.value',
};
export const GET_ONE = { name: 'get', text: 'select value from pairs where key = $1' };
const PUT_MANY = {
  name: 'put-many',
  text: `insert into pairs select * from unnest($1::text[], $2::bytea[])
    on conflict (key) do update set value = excluded.value`,
};
const GET_MANY = { name: 'get-many', text: 'select key, value from pairs where key = any($1)' };

async function opened(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

abstract class PostgresDriver implements Driver {
  protected readonly onAnswer: OnAnswer;
  protected readonly clients: pg.Client[] = [];
  protected values = new Values(0);
  protected valueBytes = 0;
  private readonly url: string;

  constructor(url: string, onAnswer: OnAnswer) {
    this.url = url;
    this.onAnswer = onAnswer;
  }

  protected abstract connectionCount(lanes: number): number;
  abstract issue(lane: number, isPut: boolean, key: number, token: number): void;

  async prepare(count: number): Promise<void> {
    while (this.clients.length < this.connectionCount(count)) {
      const client = await opened(this.url);
      if (this.clients.length === 0) await client.query(TABLE);
      this.clients.push(client);
    }
  }

  use(valueBytes: number): void {
    this.valueBytes = valueBytes;
    this.values = new Values(valueBytes);
  }

  flush(): void {}

  close(): void {
    for (const client of this.clients) void client.end();
  }
}

export class RowsDriver extends PostgresDriver {
  private readonly idle: pg.Client[] = [];
  private readonly waiting: { readonly query: pg.QueryConfig; readonly token: number }[] = [];

  protected override connectionCount(lanes: number): number {
    return Math.min(lanes, CONNECTIONS_MAX);
  }

  override async prepare(count: number): Promise<void> {
    await super.prepare(count);
    this.idle.splice(0, this.idle.length, ...this.clients.slice(0, this.connectionCount(count)));
  }

  override issue(_lane: number, isPut: boolean, key: number, token: number): void {
    const name = keyName(this.valueBytes, key);
    const query = isPut ? { ...PUT_ONE, values: [name, this.values.next()] } : { ...GET_ONE, values: [name] };
    const client = this.idle.pop();
    if (client === undefined) this.waiting.push({ query, token });
    else void this.carryOut(client, query, token);
  }

  private async carryOut(client: pg.Client, query: pg.QueryConfig, token: number): Promise<void> {
    let fault: string | undefined;
    try {
      const { rowCount } = await client.query(query);
      if (rowCount !== 1) fault = 'there is no such key';
    } catch (error) {
      fault = (error as Error).message;
    }
    const next = this.waiting.shift();
    if (next === undefined) this.idle.push(client);
    else void this.carryOut(client, next.query, next.token);
    this.onAnswer(token, fault);
  }
}

interface Waiting {
  readonly key: string;
  readonly value: Buffer | null;
  readonly token: number;
}

/** Rows that arrive while a statement is under way are sent with the next one. */
export class BatchDriver extends PostgresDriver {
  private readonly puts: Waiting[] = [];
  private readonly gets: Waiting[] = [];
  private isBusy = false;

  protected override connectionCount(): number {
    return 1;
  }

  override issue(_lane: number, isPut: boolean, key: number, token: number): void {
    const name = keyName(this.valueBytes, key);
    if (isPut) this.puts.push({ key: name, value: this.values.next(), token });
    else this.gets.push({ key: name, value: null, token });
    if (this.isBusy) return;
    this.isBusy = true;
    setImmediate(() => void this.run());
  }

  private async run(): Promise<void> {
    while (this.puts.length + this.gets.length > 0) {
      if (this.puts.length > 0) await this.carryOut(this.puts.splice(0, BATCH_ROWS_MAX), true);
      if (this.gets.length > 0) await this.carryOut(this.gets.splice(0, BATCH_ROWS_MAX), false);
    }
    this.isBusy = false;
  }

  private async carryOut(batch: readonly Waiting[], isPut: boolean): Promise<void> {
    const client = this.clients[0]!;
    // A statement cannot change a row twice, so of two values the later one is kept.
    const rows = new Map(batch.map(({ key, value }) => [key, value]));
    const keys = [...rows.keys()];
    try {
      const query = isPut
        ? client.query({ ...PUT_MANY, values: [keys, [...rows.values()]] })
        : client.query<{ key: string }>({ ...GET_MANY, values: [keys] });
      const { rowCount } = await query;
      const fault = rowCount === keys.length ? undefined : 'there is no such key';
      for (const { token } of batch) this.onAnswer(token, fault);
    } catch (error) {
      for (const { token } of batch) this.onAnswer(token, (error as Error).message);
    }
  }
}
