/**
 * Processes of the server whose reply this node no longer waits for. One whose commit waits for a standby neither keeps
 * to the server's limit for statements nor notices that its client has gone. Each would keep its connection at the
 * server, until there were none left for anybody. So they are ended from another connection, and while some do not end
 * no further write is tried.
 */
import { packInt4s } from './binary-array.ts';
import type { Connection } from './connection.ts';
import { RecordFailure } from './record-failure.ts';

/** Processes of one node that may hang before it tries no further write. */
const OVERDUE_MAX = 3;

/** Has one statement run on some connection that answers. */
export type RunAnywhere = <T>(work: (connection: Connection, deadline: number) => Promise<T>) => Promise<T>;

export class OverdueProcesses {
  private readonly runAnywhere: RunAnywhere;
  private readonly statementTimeoutMs: number;
  private pids = new Set<number>();

  constructor(runAnywhere: RunAnywhere, statementTimeoutMs: number) {
    this.runAnywhere = runAnywhere;
    this.statementTimeoutMs = statementTimeoutMs;
  }

  get isFull(): boolean {
    return this.pids.size >= OVERDUE_MAX;
  }

  /**
   * Rejects, before a write is sent, while too many hang. Asks the server first: those that are known may be of before
   * an outage, and have gone with it.
   */
  async makeRoom(): Promise<void> {
    if (this.isFull) await this.end().catch(() => undefined);
    this.checkRoom();
  }

  /** Throws while too many hang, by what was seen last. */
  checkRoom(): void {
    if (!this.isFull) return;
    const message = `${this.pids.size} statements of this node do not end at PostgreSQL`;
    throw new RecordFailure('refused', message, { isStalled: true });
  }

  /** `pid`: the server's process. A failure leaves it to the next call of `end`. */
  add(pid: number): void {
    this.pids.add(pid);
    this.end().catch(() => undefined);
  }

  /** Ends those that are known and have had their time, and forgets those that have ended. */
  async end(): Promise<void> {
    const asked = [...this.pids];
    if (asked.length === 0) return;
    const left = await this.runAnywhere(async (connection, deadline) => {
      const { endOverdue } = connection.sql;
      if (endOverdue === null) return [];
      const values = [packInt4s(asked), this.statementTimeoutMs];
      return (await connection.run(endOverdue, values, deadline)).map(([pid]) => pid as number);
    });
    for (const pid of asked) if (!left.includes(pid)) this.pids.delete(pid);
  }
}
