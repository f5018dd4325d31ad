/** The comparison with peers: its load counts exactly what is answered, and its reports agree with the figures. */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { cellNamed } from '../../bench/peers/cells.ts';
import type { Comparison } from '../../bench/peers/comparison.ts';
import type { Contender, ContenderId } from '../../bench/peers/contender.ts';
import { SLOTS_ALL } from '../../bench/peers/load/driver.ts';
import { BEHIND_MAX, Generator } from '../../bench/peers/load/generator.ts';
import { Histogram } from '../../bench/peers/load/histogram.ts';
import { keyChoice } from '../../bench/peers/load/key-choice.ts';
import { RespDriver } from '../../bench/peers/load/resp-driver.ts';
import { ratioOf } from '../../bench/peers/ratio.ts';
import { reportHtml } from '../../bench/peers/report-html.ts';
import { reportMarkdown } from '../../bench/peers/report-markdown.ts';
import { reportOf } from '../../bench/peers/report.ts';
import type { Report } from '../../bench/peers/report.ts';
import type { Sample } from '../../bench/peers/samples.ts';

const ASTERISK = 42;
const PROGRAM_REPLIES: Record<string, string> = {
  HELLO: '%1\r\n+proto\r\n:3\r\n',
  SET: '+OK\r\n',
  GET: '_\r\n',
  INFO: '$9\r\nloading:0\r\n',
  CLIENT: '+OK\r\n',
};

describe('the load', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  test('replies cut at every byte: each is counted once, and what is no value or no OK is a fault', async () => {
    const replies = '+OK\r\n$5\r\na\r\nbc\r\n$-1\r\n-MOVED 1 elsewhere\r\n$0\r\n\r\n:7\r\n';
    server = createServer((socket) => {
      socket.setNoDelay(true).once('data', () => {
        const bytes = [...replies];
        const next = (): void => {
          if (bytes.length === 0) return;
          socket.write(bytes.shift()!);
          setImmediate(next);
        };
        next();
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const told: [number, string | undefined][] = [];
    const whole = new Promise<void>((resolve) => {
      const { port } = server!.address() as AddressInfo;
      const driver = new RespDriver([{ ...SLOTS_ALL, port }], (token, fault) => {
        told.push([token, fault]);
        if (told.length < 6) return;
        driver.close();
        resolve();
      });
      void driver.prepare(1).then(() => {
        driver.use(100);
        for (let token = 0; token < 6; token += 1) driver.issue(0, token === 0, token, token);
        driver.flush(0);
      });
    });
    await whole;
    expect(told).toEqual([
      [0, undefined],
      [1, undefined],
      [2, 'there is no such key'],
      [3, '-MOVED 1 elsewhere'],
      [4, undefined],
      [5, undefined],
    ]);
  });

  test('a system that has fallen behind for good and then answers all at once: the open loop ends', async () => {
    let asked = 0;
    server = createServer((socket) => {
      socket.on('data', (data: Buffer) => {
        const before = asked;
        for (const byte of data) if (byte === ASTERISK) asked += 1;
        if (asked > BEHIND_MAX)
          socket.write('$1\r\na\r\n'.repeat(before > BEHIND_MAX ? asked - before : asked));
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const generator = new Generator({ kind: 'resp', ranges: [{ ...SLOTS_ALL, port }] });
    const work = { valueBytes: 100, keyCount: 10, spread: 'uniform', readShare: 1 } as const;
    // Ten times as many as it may fall behind by.
    const order = { kind: 'open', lanes: 1, perSecond: 2_000_000, forMs: 100 } as const;
    const { count, failed } = await generator.carryOut({ ...work, ...order });
    generator.close();
    expect({ count, failed }).toEqual({ count: BEHIND_MAX + 1, failed: 0 });
  });

  test('one program: operations of all lanes go over the one connection of its client, and each is told by what came', async () => {
    let connections = 0;
    server = createServer((socket) => {
      connections += 1;
      // Only names of commands are in capitals here.
      socket.on('data', (data: Buffer) => {
        for (const [command] of data.toString('latin1').matchAll(/\b(HELLO|SET|GET|INFO|CLIENT)\b/gi))
          socket.write(PROGRAM_REPLIES[command.toUpperCase()]!);
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const generator = new Generator({ kind: 'resp', ranges: [{ ...SLOTS_ALL, port }] });
    const work = { valueBytes: 0, keyCount: 10, spread: 'uniform', forMs: 50 } as const;
    const order = { ...work, kind: 'closed', lanes: 8, pipeline: 1, through: 'plain-program' } as const;
    const puts = await generator.carryOut({ ...order, readShare: 0 });
    const gets = await generator.carryOut({ ...order, readShare: 1 });
    generator.close();
    expect(connections).toBe(1);
    expect(puts).toMatchObject({ failed: 0, fault: '' });
    expect(puts.count).toBeGreaterThanOrEqual(8);
    expect(gets).toMatchObject({ count: 0, fault: 'there is no such key' });
  });

  test('a thousand latencies: quantiles are within two in a hundred', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1_000; ms += 1) histogram.add(ms);
    for (const share of [0.5, 0.99, 0.999]) {
      expect(Math.abs(histogram.quantile(share) / (1_000 * share) - 1)).toBeLessThan(0.02);
    }
  });

  test('keys by Zipf: one is asked for a tenth of the time, and all that are asked for exist', () => {
    const choose = keyChoice('zipf', 10_000);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 50_000; draw += 1) {
      const key = choose();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const most = Math.max(...counts.values()) / 50_000;
    expect(most).toBeGreaterThan(0.07);
    expect(most).toBeLessThan(0.14);
    expect([...counts.keys()].every((key) => key >= 0 && key < 10_000)).toBe(true);
  });

  test('ratios are of pairs: what slows both down in one repeat changes nothing', () => {
    expect(ratioOf([100, 10, 300], [50, 5, 100])).toEqual({ median: 2, low: 2, high: 3, repeats: 3 });
    expect(ratioOf([1], [])).toBeUndefined();
  });
});

describe('the reports', () => {
  test('a peer that does more: said to be ahead, and a ratio below its target is missed', () => {
    const report = made({
      'set-512': { causeway: 1_000, 'hand-written': 900, redis: 5_000 },
      'set-512-program': { causeway: 1_200, 'hand-written': 800 },
      'set-512-plain-program': { causeway: 1_600, 'hand-written': 800 },
    });
    const text = reportMarkdown(report);
    expect(text).toContain('**redis: ahead in 1 of 1 workloads**');
    expect(text).toContain('hand-written: behind in all 3 workloads');
    const rows = report.rows.filter(({ beside }) => beside.startsWith('ioredis + pg by hand'));
    expect(rows.map(({ work, ratio }) => [work.split(',')[0], ratio?.median.toFixed(2)])).toEqual([
      ['durable SET by one program with one ioredis connection', '2.00'],
      ['durable SET by one program with ioredis as a cluster client', '1.50'],
      ['durable SET by 512 clients with one in flight each', '1.11'],
    ]);
    expect(text).toMatch(/with one ioredis connection.* \| 2 .* \| met \|/);
    expect(text).toMatch(/with ioredis as a cluster client.* \| 1\.5 .* \| missed \|/);
    const [, section] = text.split('one program, ioredis, a connection to each node, 512 in flight');
    expect(section).toContain('| hand-written | 800 |');
    expect(section!.split('## At a steady rate')[0]).not.toContain('| redis |');
    expect(text).toMatch(/etcd of three \| {2}\| at least 6, aim 8 \| not measured/);
  });

  test('answers that failed, and peers that were left out, are told', () => {
    const text = reportMarkdown(made({ get: { causeway: 10, redis: 20 } }, 3));
    expect(text).toContain('3: no such thing');
    expect(text).toContain('**Left out: etcd of three**: there is no etcd on this machine');
  });

  test('only some of it was asked for: no empty plots, no heads without figures, and no end without a report', () => {
    const { comparison, ...rest } = made({ 'mix-50': { causeway: 10, redis: 20 } });
    const none = {
      ...comparison,
      open: [],
      grpc: { ours: [], bare: [], pipelinePuts: [], pipelineGets: [] },
    };
    const about = {
      at: 'now',
      label: '',
      quick: true,
      skipped: [],
      facts: rest.facts,
      contenders: rest.contenders,
    };
    const one = reportOf(about, none);
    expect(reportMarkdown(one)).not.toContain('At a steady rate');
    expect(reportMarkdown(one)).toContain('## Workloads');
    expect(reportHtml(one)).not.toContain('of the target');
    expect(reportHtml(one).match(/class="chart"/g) ?? []).toEqual([]);
    const nothing = reportOf(about, { ...none, cells: [] });
    expect(reportMarkdown(nothing)).not.toContain('## Workloads');
    expect(reportHtml(nothing)).toContain('What each promises');
  });

  test('the page needs nothing from elsewhere, and names what it shows', () => {
    const page = reportHtml(made({ get: { causeway: 10, redis: 20 }, 'set-512': { causeway: 9, redis: 1 } }));
    expect(page).not.toMatch(/<script|<link|src=|href=/);
    expect(page.match(/<svg/g)?.length).toBeGreaterThan(4);
    expect(page).toContain('there is no etcd on this machine');
    expect(page).toContain('ahead in 1 of 2 workloads');
  });
});

function made(rates: Record<string, Partial<Record<ContenderId, number>>>, failed = 0): Report {
  const cells = Object.entries(rates).map(([id, of]) => ({
    cell: cellNamed(id),
    samples: samplesOf(of, failed),
  }));
  const [{ samples }] = cells as [(typeof cells)[0]];
  const contenders = [...samples.keys()].map(contender);
  const comparison: Comparison = {
    cells,
    open: [{ of: 'GET', share: 0.5, perSecond: 5, samples }],
    tool: [],
    grpc: { ours: [10], bare: [10], pipelinePuts: [1], pipelineGets: [1] },
    diskBytes: new Map(contenders.map(({ id }) => [id, 1_048_576])),
  };
  const facts = { cores: 2, cpu: 'a', memoryGb: 1, memoryFreeGb: 1, platform: 'p', node: 'v', loadBefore: 0 };
  const skipped = [{ name: 'etcd of three', reason: 'there is no etcd on this machine' }];
  return reportOf({ at: 'now', label: '', quick: false, facts, contenders, skipped }, comparison);
}

function samplesOf(rates: Partial<Record<ContenderId, number>>, failed: number) {
  const fault = failed > 0 ? 'no such thing' : '';
  const times = { p50: 1, p99: 2, p999: 3, serverMicros: 4, clientMicros: 5, lateMs: 0.1 };
  const entries = Object.entries(rates) as [ContenderId, number][];
  return new Map<ContenderId, Sample[]>(
    entries.map(([id, rate]) => [id, [{ rate, ...times, failed, fault }]]),
  );
}

function contender(id: ContenderId): Contender {
  const target = { kind: 'etcd', addresses: [] } as const;
  const system = { id, name: id, promise: 'kept', disks: 1, target, pids: () => [], directories: [] };
  return { id, system } as unknown as Contender;
}
