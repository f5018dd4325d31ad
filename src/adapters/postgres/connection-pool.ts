/**
 * A small pool of connections, each lent to one call at a time. Waiters have a deadline, and the queue is bounded.
 * While the server is known to be down only the probe dials; other calls are refused at once, with a definite failure,
 * instead of waiting for a connection that will not come.
 */
import type { Connection } from './connection.ts';
import { RecordFailure } from './record-failure.ts';

export interface ConnectionPoolSettings {
  readonly connectionCountMax: number;
  readonly waiterCountMax: number;
  readonly open: () => Promise<Connection>;
  /** Why dialling is pointless; null if it is not. */
  readonly downReason: () => string | null;
  readonly onIdleLost: () => void;
  /** Whether a connection must not be used any more although it works, because it leads to a replaced server. */
  readonly isStale: (connection: Connection) => boolean;
}

interface Waiter {
  readonly take: (connection: Connection) => void;
  readonly refuse: (reason: string, isOutage: boolean) => void;
}

export class ConnectionPool {
  private readonly settings: ConnectionPoolSettings;
  private readonly idle: Connection[] = [];
  private readonly busy = new Set<Connection>();
  private readonly waiters = new Set<Waiter>();
  private openingCount = 0;
  private closed = false;

  constructor(settings: ConnectionPoolSettings) {
    this.settings = settings;
  }

  /** Lends a connection exclusively to `work`. `force` dials although the server is known to be down. */
  async use<T>(deadline: number, force: boolean, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.take(deadline, force);
    try {
      return await work(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** Statements under way end with an unknown outcome; waiters are refused. */
  close(): void {
    this.closed = true;
    this.refuseWaiters('closed', false);
    for (const connection of [...this.idle, ...this.busy]) connection.destroy();
    this.idle.length = 0;
  }

  /** Whether no connection is lent and nobody waits. */
  get isQuiet(): boolean {
    return this.busy.size === 0 && this.waiters.size === 0;
  }

  private take(deadline: number, force: boolean): Promise<Connection> {
    if (this.closed) return Promise.reject(new RecordFailure('refused', 'closed', { isOutage: false }));
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      if (this.settings.isStale(connection)) {
        connection.destroy();
        continue;
      }
      this.busy.add(connection);
      return Promise.resolve(connection);
    }
    const downReason = this.settings.downReason();
    if (downReason !== null && !force) return Promise.reject(new RecordFailure('refused', downReason));
    if (this.waiters.size >= this.settings.waiterCountMax) {
      const reason = `${this.waiters.size} calls already wait for a connection`;
      return Promise.reject(new RecordFailure('refused', reason, { isOutage: false }));
    }
    const promise = this.wait(deadline);
    this.dialForWaiters();
    return promise;
  }

  private wait(deadline: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        take: (connection) => {
          end();
          resolve(connection);
        },
        refuse: (reason, isOutage) => {
          end();
          reject(new RecordFailure('refused', reason, { isOutage }));
        },
      };
      const waitMs = Math.max(0, deadline - performance.now());
      const timer = setTimeout(() => waiter.refuse('no connection became free in time', false), waitMs);
      this.waiters.add(waiter);
    });
  }

  private dialForWaiters(): void {
    const room = this.settings.connectionCountMax - this.idle.length - this.busy.size - this.openingCount;
    if (room <= 0 || this.openingCount >= this.waiters.size) return;
    this.openingCount += 1;
    this.settings.open().then(
      (connection) => {
        this.openingCount -= 1;
        this.welcome(connection);
      },
      (error: Error) => {
        this.openingCount -= 1;
        // Waiters keep waiting if a connection in use could serve them later; without one nobody can.
        if (this.busy.size === 0 && this.openingCount === 0)
          this.refuseWaiters(`cannot connect: ${error.message}`, true);
      },
    );
  }

  private welcome(connection: Connection): void {
    if (this.closed) return connection.destroy();
    connection.whenLost(() => {
      this.busy.delete(connection);
      const index = this.idle.indexOf(connection);
      if (index < 0) return;
      this.idle.splice(index, 1);
      this.settings.onIdleLost();
    });
    this.hand(connection);
  }

  private giveBack(connection: Connection): void {
    this.busy.delete(connection);
    if (this.settings.isStale(connection)) connection.destroy();
    if (connection.isLost) this.dialForWaiters();
    else this.hand(connection);
  }

  private hand(connection: Connection): void {
    for (const waiter of this.waiters) {
      this.busy.add(connection);
      waiter.take(connection);
      return;
    }
    this.idle.push(connection);
  }

  private refuseWaiters(reason: string, isOutage: boolean): void {
    for (const waiter of [...this.waiters]) waiter.refuse(reason, isOutage);
  }
}
