/** Which messages a node accepts, by epoch and incarnation. */
import { expect, test } from 'vitest';
import { isEarly, isHeard } from './hearing.ts';
import type { PeerMessage } from '../message.ts';
import type { Topology } from './topology.ts';

const topology = {
  epoch: 7,
  members: [
    { id: 1, incarnation: 3, alive: true },
    { id: 2, incarnation: 5, alive: false },
  ],
} as unknown as Topology;
const query: PeerMessage = { kind: 'query', key: 'k', version: 1 };
const validate: PeerMessage = { kind: 'validate', key: 'k', version: 1 };

test('the process that the epoch knows, in that epoch: is heard', () => {
  expect(isHeard(topology, { from: 1, incarnation: 3, epoch: 7 }, query)).toBe(true);
});

test('another epoch, an earlier process, a removed member, a stranger: are not heard', () => {
  for (const header of [
    { from: 1, incarnation: 3, epoch: 6 },
    { from: 1, incarnation: 3, epoch: 8 },
    { from: 1, incarnation: 2, epoch: 7 },
    { from: 2, incarnation: 5, epoch: 7 },
    { from: 9, incarnation: 1, epoch: 7 },
  ]) {
    expect(isHeard(topology, header, query)).toBe(false);
  }
  expect(isHeard(null, { from: 1, incarnation: 3, epoch: 7 }, query)).toBe(false);
});

test('a message that is true in every epoch: is heard from anybody, at any time', () => {
  expect(isHeard(topology, { from: 9, incarnation: 1, epoch: 2 }, validate)).toBe(true);
  expect(isHeard(null, { from: 9, incarnation: 1, epoch: 2 }, validate)).toBe(true);
});

test('a later epoch than the hearer knows: early, and only what an epoch decides', () => {
  expect(isEarly(topology, { from: 1, incarnation: 3, epoch: 8 }, query)).toBe(true);
  expect(isEarly(null, { from: 1, incarnation: 3, epoch: 1 }, query)).toBe(true);
  expect(isEarly(topology, { from: 1, incarnation: 3, epoch: 7 }, query)).toBe(false);
  expect(isEarly(topology, { from: 1, incarnation: 3, epoch: 6 }, query)).toBe(false);
  expect(isEarly(topology, { from: 1, incarnation: 3, epoch: 8 }, validate)).toBe(false);
});
