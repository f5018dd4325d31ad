/** The ring: order, weights, and that a node's points depend only on its name and weight. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash32 } from '../../../test/support/hash32.ts';
import { CIRCLE, firstPointFrom, makeRing, POINTS_PER_NODE, POINTS_PER_NODE_MAX, walkRing } from './ring.ts';

describe('ring', () => {
  test('any nodes: points ascend, and each node stands there in proportion to its weight', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 20 }), (weights) => {
        const names = weights.map((_, node) => `node-${node}`);
        const ring = makeRing(names, weights, hash32);
        for (let at = 1; at < ring.points.length; at++) {
          expect(ring.points[at]!).toBeGreaterThanOrEqual(ring.points[at - 1]!);
        }
        const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
        weights.forEach((weight, node) => {
          const count = ring.nodeAt.filter((at) => at === node).length;
          expect(count).toBe(Math.round((POINTS_PER_NODE * weight) / mean));
        });
      }),
      { numRuns: 10 },
    );
  });

  test('any hash: a node has one point in each of as many equal parts of the circle', () => {
    const ring = makeRing(['a', 'b', 'c'], [1, 1, 1], () => 0xffffffff);
    const parts = Array.from({ length: POINTS_PER_NODE }, (_, part) => part);
    for (const node of [0, 1, 2]) {
      const points = ring.points.filter((_, at) => ring.nodeAt[at] === node);
      expect(Array.from(points, (point) => Math.floor((point / CIRCLE) * POINTS_PER_NODE))).toEqual(parts);
    }
  });

  test('weights far apart: the heaviest is held to the maximum, the lightest still stands somewhere', () => {
    const weights = [1_000_000, ...new Array<number>(20).fill(1)];
    const ring = makeRing(
      weights.map((_, node) => `n${node}`),
      weights,
      hash32,
    );
    expect(ring.nodeAt.filter((node) => node === 0).length).toBe(POINTS_PER_NODE_MAX);
    expect(ring.nodeAt.filter((node) => node === 7).length).toBe(1);
  });

  test('a position: the next point clockwise, and beyond the last one the first', () => {
    const ring = { points: Uint32Array.from([10, 20, 30]), nodeAt: Uint16Array.from([0, 1, 2]) };
    expect([0, 10, 11, 30, 31].map((position) => firstPointFrom(ring, position))).toEqual([0, 0, 1, 2, 0]);
  });

  test('a walk: every point once round, from the position on, unless it is ended or limited', () => {
    const ring = { points: Uint32Array.from([10, 20, 30]), nodeAt: Uint16Array.from([0, 1, 2]) };
    const met: number[] = [];
    const ended = walkRing(ring, 15, 100, (node) => {
      met.push(node);
      return false;
    });
    expect([ended, met]).toEqual([false, [1, 2, 0]]);
    expect(walkRing(ring, 15, 1, (node) => node === 2)).toBe(false);
    expect(walkRing(ring, 15, 2, (node) => node === 2)).toBe(true);
  });

  test('one node joins: of ring positions only those change hands that come to it', () => {
    const names = Array.from({ length: 11 }, (_, node) => `node-${node}`);
    const weights = names.map(() => 1);
    const before = makeRing(names.slice(0, 10), weights.slice(0, 10), hash32);
    const after = makeRing(names, weights, hash32);
    let came = 0;
    for (let position = 0; position < 0xffffffff; position += 4_000_037) {
      const was = before.nodeAt[firstPointFrom(before, position)]!;
      const is = after.nodeAt[firstPointFrom(after, position)]!;
      if (is === 10) came++;
      else expect(is).toBe(was);
    }
    expect(came).toBeGreaterThan(0);
  });
});
