/**
 * Scenarios as data: ours are readable, wrong ones are refused with every fault, and the shapes of cuts are what they
 * say.
 */
import { describe, expect, test } from 'vitest';
import { faultSpec } from '../../verify/chaos/fault-spec.ts';
import { parseScenario, readScenario, scenarioNames } from '../../verify/chaos/scenario.ts';
import { waysOf } from '../../verify/chaos/scene.ts';
import { KINDS_NOT_RUN, SCENARIOS_LONG, SCENARIOS_LONG_OTHER, SCENARIOS_QUICK } from './scenarios-run.ts';

describe('scenarios', () => {
  test.each(scenarioNames())('%s: is usable', (name) => {
    expect(readScenario(name).faults.length).toBeGreaterThan(0);
  });

  test('every kind of fault: in a scenario that the tests run, or named with the reason why not', () => {
    const run = [...SCENARIOS_QUICK, ...SCENARIOS_LONG, ...SCENARIOS_LONG_OTHER];
    const kinds = new Set(run.flatMap((name) => readScenario(name).faults.map(({ fault }) => fault)));
    const all = faultSpec.options.map(({ shape }) => shape.fault.value);
    expect(all.filter((kind) => !kinds.has(kind)).sort()).toEqual(Object.keys(KINDS_NOT_RUN).sort());
  });

  test('a wrong file: every fault is told with its place', () => {
    const text = `about: x
seconds: 0
load: { client: 3 }
faults:
  - { fault: kill, nodes: most }
  - { fault: explode }
  - { fault: pause, lastsMs: [5, 1] }`;
    const told = (): string => {
      try {
        parseScenario(text, 'mine');
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    for (const place of ['seconds', 'load', 'faults.0.nodes', 'faults.1.fault', 'faults.2.lastsMs']) {
      expect(told()).toContain(`  ${place}: `);
    }
    expect(() => parseScenario('about: [', 'mine')).toThrow('mine');
    expect(() => parseScenario('seconds: 5', 'mine')).toThrow('about');
  });

  test('a cut in a ring of three nodes: refused, as every node is next to every other', () => {
    const text = 'about: x\nseconds: 1\nfaults: [{ fault: cut, shape: ring, lastsMs: 5 }]';
    expect(() => parseScenario(text, 'mine')).toThrow('ring');
    expect(parseScenario(`nodes: 4\n${text}`, 'mine').nodes).toBe(4);
  });

  test('an unknown name: refused with those that there are', () => {
    expect(() => readScenario('nothing')).toThrow('kills');
    expect(() => readScenario('./no/file.yaml')).toThrow('./no/file.yaml');
  });
});

describe('the shape of a cut', () => {
  const five = ['a', 'b', 'c', 'd', 'e'];
  const cutOf = (...of: Parameters<typeof waysOf>): string =>
    waysOf(...of)
      .ways.map(([from, to]) => from + to)
      .sort()
      .join(' ');

  test('one node: both ways, only what it sends, only what it gets', () => {
    expect(cutOf(['a', 'b', 'c'], 'one', 'both')).toBe('ab ac ba ca');
    expect(cutOf(['a', 'b', 'c'], 'one', 'out')).toBe('ab ac');
    expect(cutOf(['a', 'b', 'c'], 'one', 'in')).toBe('ba ca');
  });

  test('halves: fewer than half against the rest, who reach each other', () => {
    expect(cutOf(five, 'halves', 'out')).toBe('ac ad ae bc bd be');
    expect(waysOf(['a', 'b', 'c', 'd'], 'halves', 'both').nodes).toEqual(['a']);
  });

  test('bridge: one node reaches both sides', () => {
    expect(cutOf(five, 'bridge', 'out')).toBe('ad ae bd be');
  });

  test('ring: each node reaches two others, and no two the same ones', () => {
    const { ways } = waysOf(five, 'ring', 'both');
    for (const from of five) expect(ways.filter(([one]) => one === from)).toHaveLength(2);
    expect(cutOf(five, 'ring', 'both')).toBe('ac ad bd be ca ce da db eb ec');
  });
});
