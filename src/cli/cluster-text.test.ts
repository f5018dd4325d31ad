/** What the commands about members show: a plan as a table, and the progress of moving slots. */
import { expect, test, vi } from 'vitest';
import type { CausewayClient } from '../client/index.ts';
import { planLines } from './cluster.ts';
import { hasJoined, whatDiffers, whyNotJoin } from './node-join.ts';
import { progressLine, waitingLine, watchMoves } from './progress.ts';

const share = (name: string, slotsBefore: number, slotsAfter: number, slotsGained: number) => ({
  ...{ name, slotsBefore, slotsAfter, slotsGained },
});

test('a plan: one line a member, what it comes to, and why it is not possible', () => {
  const shares = [share('node-1', 16_384, 4_096, 0), share('node-4', 0, 12_288, 12_288)];
  const plan = { shares, slotsCopied: 12_288, recordsCopied: 1_234_567, obstacle: '' };
  expect(planLines(plan)).toEqual([
    'NODE    SLOTS   THEN    TO COPY',
    'node-1  16,384  4,096   0',
    'node-4  0       12,288  12,288',
    '12,288 copies of slots would be made, about 1,234,567 records',
  ]);
  expect(planLines({ ...plan, recordsCopied: 1 }).at(-1)).toMatch(/about 1 record$/);
  expect(planLines({ ...plan, obstacle: 'nobody would stay' })).toEqual(['not possible: nobody would stay']);
});

test('a plan by which keys have fewer copies says so: nothing is to be copied, and that is no good news', () => {
  const shares = ['a', 'b', 'c'].map((name) => share(name, 16_384, name === 'a' ? 0 : 16_384, 0));
  const lines = planLines({ shares, slotsCopied: 0, recordsCopied: 0, obstacle: '' });
  expect(lines.at(-1)).toBe('there are too few members for more: each key would have 2 copies instead of 3');
  const two = ['a', 'b'].map((name) => share(name, 16_384, name === 'a' ? 0 : 16_384, 0));
  expect(planLines({ shares: two, slotsCopied: 0, recordsCopied: 0, obstacle: '' }).at(-1)).toMatch(
    /would have 1 copy instead of 2$/,
  );
});

test('progress: a bar, slots, rate and time left; the last two only where they can be told', () => {
  expect(progressLine(1_024, 2_048, 12_345_678, 8)).toBe(
    '[############------------]  50 %  1,024 of 2,048 slots  11.8 MiB/s  8 s left',
  );
  expect(progressLine(1_024, 2_048, 65_536, 90)).toContain('2,048 slots  64 KiB/s  90 s left');
  expect(progressLine(0, 2_048, 0, null)).toBe('[------------------------]  0 %  0 of 2,048 slots');
  expect(progressLine(7, 7, 0, 0)).toBe('[########################]  100 %  7 of 7 slots');
});

test('what is waited for: nothing is said of it for two seconds; then in place on a terminal, and now and then in a log', () => {
  vi.useFakeTimers();
  try {
    const said = { terminal: '', log: '' };
    const terminal = waitingLine({ isTTY: true, write: (text) => (said.terminal += String(text)) });
    const log = waitingLine({ write: (text) => (said.log += String(text)) });
    for (const line of [terminal, log]) line.of('Disk: being looked at');
    vi.advanceTimersByTime(1_999);
    expect(said).toEqual({ terminal: '', log: '' });
    vi.advanceTimersByTime(1);
    for (const line of [terminal, log]) line.of('Network: being looked at');
    vi.advanceTimersByTime(6_000);
    for (const line of [terminal, log]) line.end();
    expect(said.terminal.startsWith('\r\u001b[KDisk: being looked at, 2 s\r\u001b[KNetwork: being')).toBe(
      true,
    );
    expect(said.terminal.endsWith('Network: being looked at, 8 s\r\u001b[K')).toBe(true);
    expect(said.log).toBe('Disk: being looked at, 2 s\nNetwork: being looked at, 7 s\n');
    vi.advanceTimersByTime(60_000);
    expect(said.log).not.toContain('60 s');
  } finally {
    vi.useRealTimers();
  }
});

test('what is to move is not known yet: no share of nothing is shown as all of it', async () => {
  let looks = 0;
  const moving = [0, 100, 40, 0];
  const status = (): Promise<object> =>
    Promise.resolve({ slotsMoving: moving[looks++] ?? 0, copy: { bytesPerSecond: 0 } });
  const client = { nodes: ['a:1'], status } as unknown as CausewayClient;
  let said = '';
  vi.useFakeTimers();
  try {
    const watched = watchMoves(
      client,
      { isTTY: true, write: (text) => (said += String(text)) },
      () => looks >= moving.length,
    );
    await vi.advanceTimersByTimeAsync(5_000);
    await watched;
  } finally {
    vi.useRealTimers();
  }
  const shown = said.split('\r\u001b[K').filter((line) => line !== '');
  expect(shown[0]).toBe('nothing moves yet');
  expect(shown.slice(1).map((line) => /\d+ %/.exec(line)?.[0])).toEqual(['0 %', '60 %', '100 %']);
});

test('nothing had to be moved: that is said, and no bar of nothing', async () => {
  let said = '';
  const client = { nodes: ['a:1'], status: async () => ({ slotsMoving: 0 }) } as unknown as CausewayClient;
  await watchMoves(client, { write: (text) => (said += String(text)) }, () => true);
  expect(said).toBe('no slot had to be moved\n');
});

test('what a process has otherwise than the cluster that it is to join: the setting, and how it is at either', () => {
  const settings = [
    { name: 'cluster.replicas', value: '3' },
    { name: 'legacy', value: 'ab12' },
  ];
  const facts = { clusterName: 'shop', settings, members: [] };
  const same = { 'cluster.replicas': '3', legacy: 'ab12' };
  expect(whatDiffers(facts, same, 'd')).toBeUndefined();
  expect(whatDiffers(facts, { ...same, 'cluster.replicas': '2' }, 'd')).toBe(
    "setting cluster.replicas: '3' in the cluster shop, '2' at d",
  );
  expect(whatDiffers(facts, { ...same, legacy: 'none' }, 'd')).toBe(
    "setting legacy (the digest of its url, value and echo): 'ab12' in the cluster shop, 'none' at d; " +
      'compare the three with those of a member (causeway config show)',
  );
  expect(whatDiffers(facts, { ...same, routes: '' }, 'd')).toBe(
    "setting routes: nothing in the cluster shop, '' at d",
  );
});

test('who may not join: by a name that lives, in place of one that lives or is unknown', () => {
  const member = (name: string, alive: boolean) => ({ name, address: 'h:1', zone: '', host: '', alive });
  const facts = { clusterName: 'c', settings: [], members: [member('a', true), member('b', false)] };
  expect(whyNotJoin(facts, 'a', undefined, false)).toContain('is alive');
  // Its own previous process may still be counted as alive.
  expect(whyNotJoin(facts, 'a', undefined, true)).toBeUndefined();
  expect(whyNotJoin(facts, 'c', undefined, false)).toBeUndefined();
  expect(whyNotJoin(facts, 'c', 'a', false)).toContain('is alive');
  expect(whyNotJoin(facts, 'c', 'b', false)).toBeUndefined();
  expect(whyNotJoin(facts, 'c', 'z', false)).toContain('no member named z');
  expect(hasJoined('/nowhere')).toBe(false);
});
