/** The verdict on recorded runs: a good one passes, and each way in which a run can be bad is reported. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeRun } from '../../verify/chaos/judge-run.ts';
import { movesSeen } from '../../verify/chaos/moves-seen.ts';
import { readRun, RunWriter, type Run } from '../../verify/chaos/run-file.ts';
import { decodeLine, encodeLine, heldLine, type RunLine } from '../../verify/chaos/run-lines.ts';
import { leastCopies } from '../../verify/moves.ts';
import { FLOODED, goodLines, NEW, OLD, operation, recordOf } from './chaos-run-of.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'causeway-judge-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runOf(lines: readonly RunLine[]): Promise<Run> {
  const path = join(folder, 'history.ndjson');
  const writer = new RunWriter(path);
  for (const line of lines) writer.write(line);
  await writer.close();
  return readRun(path);
}

const faultsOf = async (lines: readonly RunLine[]): Promise<string[]> => judgeRun(await runOf(lines));
const without = (is: RunLine['is']): RunLine[] => goodLines().filter((line) => line.is !== is);
const before = (is: RunLine['is'], ...added: RunLine[]): RunLine[] =>
  goodLines().flatMap((line) => (line.is === is ? [...added, line] : [line]));

describe('a recorded run', () => {
  test('all is well: nothing is told', async () => {
    expect(await faultsOf(goodLines())).toEqual([]);
  });

  test('a stale read in the history: told, with the key', async () => {
    const stale = operation(16, { kind: 'get' }, { kind: 'value', value: 'one', version: OLD });
    expect((await faultsOf(before('progress', stale))).join()).toContain('a: violation');
  });

  test('a stale read, and nobody looked at the cluster afterwards: told all the same', async () => {
    const stale = operation(16, { kind: 'get' }, { kind: 'value', value: 'one', version: OLD });
    const lines = before('progress', stale).filter(({ is }) => is !== 'held' && is !== 'row');
    const faults = (await faultsOf(lines)).join();
    expect(faults).toContain('a: violation');
    expect(faults).toContain('was not looked at');
  });

  test('an owner that holds an older version than was acknowledged: told', async () => {
    const older = heldLine('node-2', 'a', { owner: true, valid: true, record: recordOf(OLD, 'one') });
    const lines = goodLines().map((line) => (line.is === 'held' && line.node === 'node-2' ? older : line));
    expect((await faultsOf(lines)).join()).toContain(`version ${NEW} was acknowledged, node-2 holds ${OLD}`);
  });

  test('the row of an acknowledged write is missing in PostgreSQL: told', async () => {
    expect((await faultsOf(without('row'))).join()).toContain('PostgreSQL holds 0');
  });

  test('a key that was acknowledged under overload is gone: told', async () => {
    const figures = { ...FLOODED, lookedUp: 500, lost: 2 };
    expect(await faultsOf(before('progress', FLOODED))).toEqual([]);
    expect((await faultsOf(before('progress', figures))).join()).toContain('2 of 500 keys acknowledged');
  });

  test('a node holds more for clients that do not read than it may: told', async () => {
    const unread = {
      is: 'unread',
      atMs: 1_550,
      clients: 4,
      refused: 10,
      grownBytes: 200 * 1024 * 1024,
    } as const;
    expect(await faultsOf(before('progress', unread))).toEqual([]);
    const faults = await faultsOf(before('progress', { ...unread, grownBytes: 700 * 1024 * 1024 }));
    expect(faults).toEqual(['a node grew by 700 MB for 4 clients that did not read']);
  });

  test('a fault that was asked for and never injected: told', async () => {
    const lines = goodLines({ asked: ['kill', 'cut one', 'pause'] });
    expect(await faultsOf(lines)).toEqual(['pause was asked for and was never injected']);
  });

  test('a fault that was injected and struck nobody: told; one that struck once is enough', async () => {
    const missed = goodLines().map((line) =>
      line.is === 'fault-end' ? { ...line, struck: line.id !== 2 } : line,
    );
    expect(await faultsOf(missed)).toEqual(['cut one was asked for and never struck, injected 1 times']);
    const again: RunLine[] = [
      { is: 'fault', id: 3, fault: 'cut one', atMs: 1_460, nodes: [], told: '' },
      { is: 'fault-end', id: 3, atMs: 1_470, struck: true },
    ];
    const at = missed.findIndex(({ is }) => is === 'progress');
    expect(await faultsOf([...missed.slice(0, at), ...again, ...missed.slice(at)])).toEqual([]);
  });

  test('a fault whose injection failed: told, with the reason', async () => {
    const failed: RunLine = { is: 'fault-failed', fault: 'kill', atMs: 1, why: 'no such process' };
    expect(await faultsOf(before('progress', failed))).toEqual([
      'kill could not be injected: no such process',
    ]);
  });

  test('too few operations: told', async () => {
    expect(await faultsOf(goodLines({ operationsMin: 4 }))).toEqual([
      'only 3 operations succeeded, at least 4 must',
    ]);
  });

  test('too few faults struck: told', async () => {
    expect(await faultsOf(goodLines({ faultsMin: 3 }))).toEqual(['only 2 faults struck, at least 3 must']);
    expect(await faultsOf(goodLines({ faultsMin: 2 }))).toEqual([]);
  });

  test('failures where none may be: told; one that was tried again is none', async () => {
    const failed = operation(4, { kind: 'put', value: 'x' }, { kind: 'definiteFailure' });
    const lines = before('progress', failed);
    const head = goodLines({ failuresMax: 0 })[0]!;
    expect(await faultsOf([head, ...lines.slice(1)])).toEqual([
      '1 operations failed for good, at most 0 may',
    ]);
    const retried = lines.map((line) =>
      line === failed ? { ...failed, isRetried: true } : line,
    ) as RunLine[];
    expect(await faultsOf([head, ...retried.slice(1)])).toEqual([]);
  });

  test('a process that ended by itself: told, unless the scenario allows it', async () => {
    const ending: RunLine = { is: 'ending', atMs: 1_000, name: 'node-2', how: 1 };
    const lines = before('progress', ending);
    expect((await faultsOf(lines)).join()).toContain('node-2 (1) at 1.0 s');
    expect(await faultsOf([goodLines({ mayEnd: true })[0]!, ...lines.slice(1)])).toEqual([]);
  });

  test('a cluster that did not come back, or nobody looked: told', async () => {
    const stuck = goodLines().map((line): RunLine =>
      line.is === 'progress' ? { is: 'no-progress', atMs: 1, why: 'node-1 is ready' } : line,
    );
    expect(await faultsOf(stuck)).toEqual(['the cluster did not come back: node-1 is ready']);
    expect(await faultsOf(without('progress'))).toEqual(['nobody looked whether the cluster came back']);
  });

  test('a file without its end, or a run that was stopped: not passed', async () => {
    expect((await faultsOf(without('end'))).join()).toContain('cut off');
    const stopped = goodLines().map((line) => (line.is === 'end' ? { ...line, stopped: true } : line));
    expect((await faultsOf(stopped)).join()).toContain('stopped before its time');
  });
});

describe('members that come and go', () => {
  const [two, three] = [
    ['node-1', 'node-2', 'node-3'],
    ['node-1', 'node-2', 'node-3', 'node-4'],
  ];
  const moved = (records: number): RunLine => ({
    ...{ is: 'moved', atMs: 400, fromMs: 200, before: two, after: three, replicas: 3 },
    ...{ records, bytes: records * 100, forMs: 100 },
  });
  const bulk = (missing: number): RunLine => ({ is: 'bulk', node: 'node-4', keys: 999, missing });
  const head = goodLines({ bulkKeys: 999, movedFactorMax: 1.1 })[0]!;
  const lines = (...added: RunLine[]): RunLine[] => [head, ...before('progress', ...added).slice(1)];

  test('a newcomer copied its share, 750 of 1,000 keys, and a tenth more: nothing is told', async () => {
    expect(await faultsOf(lines(moved(825), bulk(0)))).toEqual([]);
  });

  test('more was copied than that: told', async () => {
    expect(await faultsOf(lines(moved(840), bulk(0)))).toEqual([
      '3 to 4: 1.12 of the least possible was copied, at most 1.1 may be',
    ]);
  });

  test('keys that were written first are missing somewhere, or nobody looked: told', async () => {
    expect(await faultsOf(lines(moved(750), bulk(2)))).toEqual([
      'node-4 does not read 2 of 999 keys that were written first',
    ]);
    expect(await faultsOf(lines(moved(750)))).toEqual([
      'the keys that were written first were not looked for',
    ]);
  });

  test('no change came to its end: told', async () => {
    expect(await faultsOf(lines(bulk(0)))).toEqual(['no change of members came to its end']);
  });

  test('what it cost clients: the times beside the change and within it, each from its own operations', async () => {
    const [seen] = movesSeen(await runOf(lines(moved(750), bulk(0))));
    expect(seen).toMatchObject({ named: '3 to 4', tookMs: 200, factor: 1 });
    expect(seen!.perSecond).toEqual({ records: 7_500, bytes: 750_000 });
    expect([seen!.before.p99Ms, seen!.during.p99Ms, seen!.after.p99Ms]).toEqual([5, 5, 5]);
    // The only write in it was acknowledged at 305 ms.
    expect(seen!.during.stallMs).toBe(105);
  });

  test('three become five: each newcomer must get three fifths of all keys, and nobody else anything', () => {
    expect(leastCopies(3, ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e'])).toBeCloseTo(1.2);
    expect(leastCopies(3, ['a', 'b', 'c', 'd', 'e'], ['a', 'c', 'd'])).toBeCloseTo(1.2);
    expect(leastCopies(3, ['a', 'b'], ['a', 'b', 'c'])).toBeCloseTo(1);
  });
});

describe('the lines of a run', () => {
  test('a run that was killed in the middle of a line: what stands before it is judged, the stores are not', async () => {
    const path = join(folder, 'torn.ndjson');
    const stale = operation(16, { kind: 'get' }, { kind: 'value', value: 'one', version: OLD });
    const lines = [...before('progress', stale).slice(0, -3), goodLines().at(-2)!].map(encodeLine);
    writeFileSync(path, lines.join('\n').slice(0, -20));
    const faults = judgeRun(await readRun(path)).join();
    for (const told of ['cut off', 'a: violation', 'was not looked at']) expect(faults).toContain(told);
    expect(faults).not.toContain('PostgreSQL');
  });

  test('whole numbers of 64 bits: come back as they were', () => {
    const total = 9_007_199_254_740_993n;
    const line = operation(1, { kind: 'increment', delta: 5n }, { kind: 'done', version: 1, number: total });
    expect(decodeLine(encodeLine(line))).toEqual(line);
  });

  test('a line that is none, another format, a file that begins in the middle: refused with the line', async () => {
    const path = join(folder, 'broken.ndjson');
    const good = goodLines().map(encodeLine);
    writeFileSync(path, `${good[0]!}\n{"is":"oper\n${good[2]!}\n`);
    await expect(readRun(path)).rejects.toThrow(`${path}, line 2`);
    writeFileSync(path, good[0]!.replace('"format":1', '"format":2'));
    await expect(readRun(path)).rejects.toThrow('format 2');
    writeFileSync(path, `${good[2]!}\n`);
    await expect(readRun(path)).rejects.toThrow('line 1');
    writeFileSync(path, `${good[0]!}\n{"is":"weather"}\n`);
    await expect(readRun(path)).rejects.toThrow('unknown kind weather');
  });
});

describe('a scenario whose faults must not cost speed', () => {
  const STEADY = { afterMs: 5_000, factorMax: 2, slackMs: 0 };
  const put = (beganMs: number, tookMs: number, kind: 'done' | 'indefinite' = 'done'): RunLine => ({
    ...(operation(
      beganMs,
      { kind: 'put', value: `v${beganMs}` },
      kind === 'done' ? { kind, version: 8_193 + beganMs * 4_096 } : { kind },
    ) as Extract<RunLine, { is: 'operation' }>),
    key: `key:${beganMs}`,
    beganMs,
    endedMs: beganMs + tookMs,
  });

  /**
   * One operation every 10 ms and a fault from 10 s to 20 s; the parameter says how long an operation took, by when it
   * began.
   */
  async function lateFaults(
    tookMs: (atMs: number) => number,
    lastsMs = 10_000,
    kind: (atMs: number) => 'done' | 'indefinite' = () => 'done',
  ): Promise<readonly string[]> {
    const head = goodLines({ asked: ['slow'], steady: STEADY, operationsMin: 0 })[0]!;
    const puts = Array.from({ length: 3_000 }, (_, at) => put(at * 10, tookMs(at * 10), kind(at * 10)));
    const fault: RunLine = { is: 'fault', id: 1, fault: 'slow', atMs: 10_000, nodes: ['node-2'], told: '' };
    const ends: RunLine = { is: 'fault-end', id: 1, atMs: 10_000 + lastsMs, struck: true };
    return (await faultsOf([head, fault, ...puts, ends])).filter((told) => /slow|usual|lasted/.test(told));
  }

  test('served as fast as ever, once the fault has lasted for a while: nothing is told', async () => {
    expect(await lateFaults((at) => (at >= 10_000 && at < 14_000 ? 2_000 : 20))).toEqual([]);
  });

  test('slow for as long as the fault lasts: told', async () => {
    expect(await lateFaults((at) => (at >= 10_000 && at < 20_000 && at % 500 === 0 ? 300 : 20))).toEqual([
      'slow, from 5000 ms after it began: the slowest hundredth took 300 ms, and 20 ms without a fault',
    ]);
  });

  test('not served at all, and quickly told so: told', async () => {
    const kind = (at: number): 'done' | 'indefinite' =>
      at >= 15_000 && at < 20_000 && at % 500 === 0 ? 'indefinite' : 'done';
    expect((await lateFaults(() => 20, 10_000, kind)).join()).toContain('no answer that served');
  });

  test('the fault was over before that: told, for nothing was shown', async () => {
    expect(await lateFaults(() => 20, 3_000)).toEqual(['no fault lasted longer than 5000 ms']);
  });
});
