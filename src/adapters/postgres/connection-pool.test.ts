/** How connections are lent, tested with fake connections. */
import { expect, test, vi } from 'vitest';
import type { Connection } from './connection.ts';
import type { RecordFailure } from './record-failure.ts';
import { ConnectionPool, type ConnectionPoolSettings } from './connection-pool.ts';

class FakeConnection {
  isLost = false;
  private onLost: () => void = () => {};
  whenLost(onLost: () => void): void {
    this.onLost = onLost;
  }
  lose(): void {
    this.isLost = true;
    this.onLost();
  }
  destroy(): void {
    this.isLost = true;
  }
}

const asReal = (fake: FakeConnection): Connection => fake as unknown as Connection;
const soon = (): number => performance.now() + 50;
const never = new Promise<never>(() => {});

function makePool(settings: Partial<ConnectionPoolSettings> = {}): {
  pool: ConnectionPool;
  opened: FakeConnection[];
} {
  const opened: FakeConnection[] = [];
  const pool = new ConnectionPool({
    connectionCountMax: 2,
    waiterCountMax: 3,
    open: async () => {
      const fake = new FakeConnection();
      opened.push(fake);
      return asReal(fake);
    },
    downReason: () => null,
    onIdleLost: () => {},
    isStale: () => false,
    ...settings,
  });
  return { pool, opened };
}

test('one call after another: the same connection serves them', async () => {
  const { pool, opened } = makePool();
  for (let i = 0; i < 5; i += 1) await pool.use(soon(), false, async () => {});
  expect(opened).toHaveLength(1);
});

test('more calls than connections: they wait, in order, and no more connections are opened than allowed', async () => {
  const { pool, opened } = makePool();
  const served: number[] = [];
  const work = (i: number) => async (): Promise<void> => void served.push(i);
  await Promise.all([0, 1, 2].map((i) => pool.use(soon(), false, work(i))));
  expect(served).toEqual([0, 1, 2]);
  expect(opened.length).toBeLessThanOrEqual(2);
});

test('no connection becomes free: refused at the deadline, and not before', async () => {
  vi.useFakeTimers();
  try {
    await vi.advanceTimersByTimeAsync(1_000);
    const { pool } = makePool();
    for (let i = 0; i < 2; i += 1) void pool.use(soon(), false, () => never);
    const ends: unknown[] = [];
    pool
      .use(soon(), false, async () => {})
      .catch(({ kind, isOutage }: RecordFailure) => ends.push({ kind, isOutage }));
    await vi.advanceTimersByTimeAsync(49);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([{ kind: 'refused', isOutage: false }]);
  } finally {
    vi.useRealTimers();
  }
});

test('a connection that has been used before counts as one of those that may be open', async () => {
  const { pool, opened } = makePool();
  await pool.use(soon(), false, async () => {});
  for (let i = 0; i < 2; i += 1) void pool.use(soon(), false, () => never);
  await expect(pool.use(soon(), false, async () => {})).rejects.toThrow('became free');
  expect(opened).toHaveLength(2);
});

test('one is served, or one waits: it is not quiet; then it is', async () => {
  const { pool } = makePool({ connectionCountMax: 1 });
  expect(pool.isQuiet).toBe(true);
  const waiting = pool.use(soon(), false, async () => pool.isQuiet);
  expect(pool.isQuiet).toBe(false);
  expect(await waiting).toBe(false);
  expect(pool.isQuiet).toBe(true);
});

test('the queue is full: refused at once', async () => {
  const { pool } = makePool({ open: () => never });
  const waiting = [1, 2, 3].map(() => pool.use(soon(), false, async () => {}));
  await expect(pool.use(performance.now() + 60_000, false, async () => {})).rejects.toThrow(/already wait/);
  await Promise.allSettled(waiting);
});

test('the server cannot be reached: those who wait are refused with the reason', async () => {
  const { pool } = makePool({ open: () => Promise.reject(new Error('no route')) });
  const answers = await Promise.allSettled([1, 2].map(() => pool.use(soon(), false, async () => {})));
  for (const answer of answers)
    expect(String((answer as PromiseRejectedResult).reason)).toContain('no route');
});

test('one dial fails while another connection serves: who waits is served by that one', async () => {
  const fake = new FakeConnection();
  const open = vi.fn<ConnectionPoolSettings['open']>().mockRejectedValue(new Error('no more'));
  const { pool } = makePool({ open: open.mockResolvedValueOnce(asReal(fake)) });
  const first = pool.use(soon(), false, async () => {
    const second = pool.use(performance.now() + 10_000, false, async (connection) => connection);
    await vi.waitFor(() => expect(open).toHaveBeenCalledTimes(2));
    return { second };
  });
  expect(await (await first).second).toBe(asReal(fake));
});

test('one who was refused for the time: the connection that becomes free is not his', async () => {
  const { pool } = makePool({ connectionCountMax: 1 });
  const tooLate = (): Promise<void> => pool.use(performance.now(), false, async () => {});
  await pool.use(soon(), false, () => expect(tooLate()).rejects.toThrow('became free'));
  expect(pool.isQuiet).toBe(true);
});

test('closed: nothing is lent or dialled any more, and a connection that comes after it is ended', async () => {
  const { pool, opened } = makePool();
  const waiting = pool.use(soon(), false, async () => {});
  pool.close();
  await expect(waiting).rejects.toThrow('closed');
  await expect(pool.use(soon(), true, async () => {})).rejects.toThrow('closed');
  expect(opened.map((fake) => fake.isLost)).toEqual([true]);
});

test('known to be down: refused without dialling, except for the probe', async () => {
  const { pool, opened } = makePool({ downReason: () => 'down' });
  await expect(pool.use(soon(), false, async () => {})).rejects.toThrow('down');
  expect(opened).toHaveLength(0);
  await pool.use(soon(), true, async () => {});
  expect(opened).toHaveLength(1);
});

test('lost while in use: not used again, and one who waits gets a new one', async () => {
  const { pool, opened } = makePool({ connectionCountMax: 1 });
  const first = pool.use(soon(), false, async () => opened[0]!.lose());
  const second = pool.use(soon(), false, async (connection) => connection);
  await first;
  expect(await second).toBe(asReal(opened[1]!));
});

test('lost while idle: told, and not used again', async () => {
  let told = 0;
  const { pool, opened } = makePool({ onIdleLost: () => (told += 1) });
  await pool.use(soon(), false, async () => {});
  opened[0]!.lose();
  expect(told).toBe(1);
  await pool.use(soon(), false, async () => {});
  expect(opened).toHaveLength(2);
});

test('lost while in use: an idle one stays, and is used next', async () => {
  const onIdleLost = vi.fn();
  const { pool, opened } = makePool({ onIdleLost });
  await pool.use(soon(), false, async () => {
    await pool.use(soon(), false, async () => {});
    opened[0]!.lose();
  });
  expect(await pool.use(soon(), false, async (connection) => connection)).toBe(asReal(opened[1]!));
  expect(onIdleLost).not.toHaveBeenCalled();
});

test('stale, for another server has taken over: ended instead of used', async () => {
  const stale = new Set<Connection>();
  const { pool, opened } = makePool({ isStale: (connection) => stale.has(connection) });
  await pool.use(soon(), false, async () => {});
  stale.add(asReal(opened[0]!));
  await pool.use(soon(), false, async (connection) => stale.add(connection));
  expect(opened.map((fake) => fake.isLost)).toEqual([true, true]);
});
