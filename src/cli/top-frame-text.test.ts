/** The frames of `causeway top` for fixed statuses, at three widths, and the effect of each key. */
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { Told } from './every-node.ts';
import { countText, msText } from './figures.ts';
import { shownColumns } from './top-columns.ts';
import { nextModel } from './top-model.ts';
import type { TopModel } from './top-model.ts';
import { frameLines } from './top-screen.ts';
import { barText, PLAIN, trendText } from './top-text.ts';
import type { Palette } from './top-text.ts';
import { firstView, keysIn, press, sortedNodes } from './top-view.ts';
import type { TopView } from './top-view.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

function status(name: string, changes: object = {}, recent: object = {}): Told {
  const legacy = {
    callsPerSecond: 4,
    failuresPerSecond: 0,
    inFlight: 2,
    concurrencyMax: 32,
    retriesLeft: 10,
  };
  const stagesMs = { store: { p50: 0.8, p99: 2.5 }, record: { p50: 1.1, p99: 4 } };
  return {
    address: `10.0.0.${name.slice(5)}:50051`,
    status: {
      ...{ name, clusterId: 'c0ffee00aabb', phase: 'serving', leaseHeld: true, leaseLeftMs: 480, epoch: 12 },
      ...{ keysHeld: 1_234_567, keysInFlight: 3, slotsMoving: 0, slotsLost: 0, copy: { slotsTotal: 0 } },
      ...{ record: { state: 'up', reason: '' }, legacy: { state: 'up', reason: '' }, spool: { oldestMs: 0 } },
      members: [{ name, slotsComplete: 8_192 }],
      recent: {
        perSecond: { reads: 1_200, writes: 340, failures: 0, refused: 0 },
        ...{ readMs: { p50: 0.05, p99: 0.9 }, writeMs: { p50: 2.1, p99: 7.5 }, stagesMs },
        ...{
          store: { syncMs: { p50: 0.7, p99: 2 }, cacheHitShare: 0.97 },
          eventLoopDelayMs: { p50: 1, p99: 3 },
        },
        record: {
          ...{ commitMs: { p50: 1, p99: 3 }, rowsPerSecond: 340, rowsWaiting: 5, oldestUnflushedMs: 3 },
          whyWaiting: '',
        },
        ...{ legacy, memory: { residentBytes: 150 * 2 ** 20 }, cpuShare: 0.42, uptimeMs: 400_000 },
        ...recent,
      },
      ...changes,
    },
  };
}

const copy = { slotsDone: 1_024, slotsTotal: 2_048, bytesPerSecond: 12_300_000, secondsLeft: 8 };
const TOLD: readonly Told[] = [
  status('node-1'),
  status('node-2', { leaseLeftMs: 120 }, { perSecond: { reads: 20, writes: 900, failures: 2, refused: 1 } }),
  status(
    'node-3',
    { phase: 'learning', leaseHeld: false, leaseLeftMs: 0, copy },
    { readMs: null, writeMs: null },
  ),
  { address: '10.0.0.4:50051', name: 'node-4', fault: 'cannot connect to 10.0.0.4:50051: nothing was sent' },
];

function model(told: readonly Told[] = TOLD, looks = 4): TopModel {
  let made = nextModel(null, told, AT);
  for (let look = 1; look < looks; look++) made = nextModel(made, told, AT);
  return made;
}

const view = (changes: Partial<TopView> = {}): TopView => ({ ...firstView(1_000), ...changes });
const frame = (columns: number, changes: Partial<TopView> = {}, rows = 24): string[] =>
  frameLines(model(), view(changes), { columns, rows }, PLAIN);

describe('a frame', () => {
  test('at 80 columns, as it is', () => {
    expect(frame(80, { chosen: 'node-2' }, 16)).toEqual([
      'Causeway c0ffee00  epoch 12  2 of 4 nodes serve                        03:04:05Z',
      'reads/s 2,420   writes/s 1,580   failures/s 3                               ████',
      'PostgreSQL up  lag 3 ms  1,020 rows/s  15 waiting',
      'legacy     up  12 calls/s  6 of 96 in flight  30 retries left',
      '',
      ' NODEv      STATE    LEASE EPOCH  READS/S  WRITES/S  WRITE MS  PG LAG TREND',
      ' node-1     serving    480    12    1,200       340   2.1/7.5       3       ████',
      '>node-2     serving    120    12       20       900   2.1/7.5       3       ████',
      ' node-3     learning     0    12    1,200       340         -       3       ████',
      ' node-4     silent       -     -        -         -         -       -           ',
      '',
      ' node-3   copies ███████░░░░░░  50 %  1,024 of 2,048 slots  11.7 MiB/s  8 s left',
      '',
      '10.0.0.4:50051: cannot connect to 10.0.0.4:50051: nothing was sent',
      '',
      'q leave  ? help  s sort (name)  r reverse  up/down choose  enter look into',
    ]);
  });

  test.each([60, 80, 120, 200])(
    'at %i columns: no line is wider, all rows are used, the keys stand last',
    (columns) => {
      for (const page of ['overview', 'node', 'help'] as const) {
        const lines = frame(columns, { page, chosen: 'node-2' });
        expect(lines).toHaveLength(24);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        expect(lines.at(-1)).toContain('q leave');
      }
    },
  );

  test('wider terminals show more of each node, narrower ones what is needed most', () => {
    const headings = (width: number): string =>
      shownColumns(width)
        .map(({ heading }) => heading)
        .join(' ');
    expect(headings(40)).toBe('NODE STATE READS/S WRITES/S');
    expect(headings(60)).toBe('NODE STATE LEASE READS/S WRITES/S WRITE MS');
    expect(headings(120)).toContain('READ MS WRITE MS PG LAG LEGACY');
    expect(frame(120).join('\n')).toContain('4/s 2/32');
  });

  test('few lines: the chosen node is among those that are shown', () => {
    const many = Array.from({ length: 30 }, (_, at) => status(`node-${at + 1}`));
    const lines = frameLines(model(many), view({ chosen: 'node-29' }), { columns: 80, rows: 14 }, PLAIN);
    expect(lines).toHaveLength(14);
    expect(lines.filter((line) => line.startsWith('>node-29'))).toHaveLength(1);
  });

  test('one node from near: where its time goes; of one that is silent, why', () => {
    const near = frame(80, { page: 'node', chosen: 'node-2' }, 30).join('\n');
    expect(near).toContain(' writes          900/s  2.1/7.5 ms');
    expect(near).toContain('   PostgreSQL    1.1/4.0 ms');
    expect(near).toContain('97 % from memory');
    expect(near).toContain('2 of 32 in flight, 10 retries left');
    expect(frame(80, { page: 'node', chosen: 'node-4' }).join('\n')).toContain('cannot connect');
  });

  test('once, as text: no keys, no mark, and no trend of a single look', () => {
    const lines = frameLines(
      model(TOLD, 1),
      view({ chosen: 'node-1' }),
      { columns: 80, rows: Infinity },
      PLAIN,
    );
    expect(lines.join('\n')).not.toMatch(/q leave|>|TREND/);
  });

  test('what is wrong outside: slots without an owner, PostgreSQL away, writes that wait for it', () => {
    const spool = { oldestMs: 61_000, entries: 9, isOn: true };
    const told = [
      status('node-1', {
        slotsLost: 7,
        slotsMoving: 12,
        record: { state: 'down', reason: 'refused' },
        spool,
      }),
    ];
    const text = frameLines(model(told), view(), { columns: 80, rows: 24 }, PLAIN).join('\n');
    expect(text).toContain('PostgreSQL down  lag 1m');
    expect(text).toContain('7 slots have no living complete owner');
    expect(text).toContain('12 slots on their way');
    expect(text).toContain('node-1: PostgreSQL: refused');
  });

  test('what bars and the head say is no remark, nor is what is a matter of course; what is news stands', () => {
    const last = { number: 2, endedAt: AT, lengthMs: 9, records: 5, found: 0, repaired: 0 };
    const calm = {
      record: { state: 'down', reason: '', known: { system: '1', timeline: 1 } },
      scrub: { last },
    };
    const moving = { slotsMoving: 12, slotsLost: 7 };
    expect(model([status('node-1', { ...calm, ...moving, copy })]).remarks).toEqual([]);
    expect(model([status('node-1', { ...calm, phase: 'learning', learnedShare: 0.5 })]).remarks).toEqual([]);
    const scrub = { last, totals: { unrepaired: 3 } };
    expect(model([status('node-1', { ...calm, scrub })]).remarks).toEqual([
      'node-1: 3 records could not be repaired, see scrub.unrepaired in its log',
    ]);
  });

  test('nobody answers, nothing is known yet, a node of an older build: still a frame', () => {
    const silent = [{ address: 'h:1', name: '?', fault: 'refused\u001b[2J' }];
    const lines = frameLines(model(silent), view(), { columns: 80, rows: 24 }, PLAIN);
    expect(lines.join('\n')).toContain('0 of 1 nodes serve');
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(frameLines(null, view(), { columns: 80, rows: 24 }, PLAIN)).toEqual(['Asking the nodes ...']);
    const old = [{ address: 'h:1', status: { name: 'node-1', phase: 'serving', leaseHeld: true } }];
    expect(frameLines(model(old), view(), { columns: 80, rows: 24 }, PLAIN).join('\n')).toContain(
      '1 of 1 nodes serve',
    );
  });

  test('colours cost no width, and say nothing that is not there without them', () => {
    const { bold, dim, green, red, yellow, inverse } = createColors(true);
    const styles = { bold, dim, good: green, bad: red, warn: yellow, chosen: inverse };
    const coloured: Palette = { ...styles, isUnicode: true };
    const lines = frameLines(model(), view({ chosen: 'node-2' }), { columns: 80, rows: 24 }, coloured);
    const plain = lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));
    expect(lines.join('')).toContain('\u001b[31m');
    expect(plain).toEqual(frame(80, { chosen: 'node-2' }));
  });

  test('help is whole in a terminal of 80 columns, and in a narrow one', () => {
    for (const columns of [80, 44]) {
      const lines = frame(columns, { page: 'help' }, 40);
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      const words = lines.join(' ').replaceAll(/\s+/g, ' ');
      expect(words).toContain('without one it serves nothing');
      expect(words).toContain('reads, writes, p99, lag');
      expect(words).toContain('the highest of it at the top');
    }
  });

  test('a terminal without UTF-8: nothing but ASCII', () => {
    const lines = frameLines(model(), view(), { columns: 60, rows: 24 }, { ...PLAIN, isUnicode: false });
    expect(lines.join('')).toMatch(/^[ -~]*$/);
  });
});

describe('keys', () => {
  const nodes = model().nodes;
  const after = (keys: string, from = view()): TopView => {
    let now = from;
    for (const key of keysIn(keys)) {
      const pressed = press(now, key, nodes);
      if (pressed.kind === 'view') now = pressed.view;
    }
    return now;
  };

  test('choosing goes from the first to the last and no further, by letters and arrows', () => {
    expect(after('j').chosen).toBe('node-1');
    expect(after('jj\u001b[B\u001bOB').chosen).toBe('node-4');
    expect(after('jjjjjjjk\u001b[A').chosen).toBe('node-2');
    expect(after('j', view({ chosen: 'gone' })).chosen).toBe('node-1');
  });

  test('looking into a node and back; help and back', () => {
    expect(after('j\r')).toMatchObject({ page: 'node', chosen: 'node-1' });
    expect(after('\r')).toMatchObject({ page: 'node', chosen: 'node-1' });
    expect(after('\r', view({ chosen: 'node-2' }))).toMatchObject({ page: 'node', chosen: 'node-2' });
    const early = press(view(), '\r', []);
    expect(early).toMatchObject({ view: { page: 'overview' } });
    for (const back of ['\u001b', 'h', '\u001b[D']) expect(after(`j\r${back}`).page).toBe('overview');
    expect(after('?').page).toBe('help');
    expect(after('??').page).toBe('overview');
  });

  test('each sort, and the other way round', () => {
    const order = (changes: Partial<TopView>): string =>
      sortedNodes(nodes, view(changes))
        .map(({ name }) => name.slice(5))
        .join('');
    expect(order({})).toBe('1234');
    expect(order({ isReversed: true })).toBe('4321');
    expect(order({ sort: 'writes' })).toBe('2134');
    expect(order({ sort: 'reads' })).toBe('1324');
    expect(order({ sort: 'state' })).toBe('3412');
    expect(after('ssssss').sort).toBe('name');
    expect(after('r').isReversed).toBe(true);
  });

  test('holding still, faster and slower within bounds, leaving, stopping, and keys that mean nothing', () => {
    expect(after('p').isPaused).toBe(true);
    expect(after('p ').isPaused).toBe(false);
    expect([after('+').intervalMs, after('-').intervalMs]).toEqual([2_000, 500]);
    expect([after('+'.repeat(20)).intervalMs, after('-'.repeat(20)).intervalMs]).toEqual([60_000, 250]);
    for (const key of ['q', '\u0003', '\u0004']) expect(press(view(), key, nodes).kind).toBe('leave');
    expect(press(view(), '\u001a', nodes).kind).toBe('stop');
    expect(after('xyz\u001b[5~')).toEqual(view());
  });
});

describe('small pieces', () => {
  test('trends, bars, counts and times keep their cells', () => {
    expect(trendText([0, 1, 8, 4], 6, true)).toBe('   ▁█▄');
    expect(trendText([], 3, true)).toBe('   ');
    expect(trendText([1, 2], 4, false)).toBe('  =@');
    expect([barText(0.5, 4, true), barText(2, 4, false), barText(-1, 4, false)]).toEqual([
      '██░░',
      '####',
      '----',
    ]);
    expect([0, 9.5, 12_345, 123_456, 1_234_567, 12_345_678].map(countText)).toEqual([
      '0',
      '9.5',
      '12,345',
      '123k',
      '1.2M',
      '12M',
    ]);
    expect([0, 0.123, 1.23, 12.3, 999, 1_234, 12_345, 61_000, 7_200_000].map(msText)).toEqual([
      '0',
      '0.12',
      '1.2',
      '12',
      '999',
      '1.2s',
      '12s',
      '1m',
      '2h',
    ]);
  });
});
