/**
 * Which refusals because of settings are reported, for how long they are remembered, and when there is nothing left to
 * wait for.
 */
import { beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import type { Transport, TransportHandler } from '../../ports/transport.ts';
import { nameTaken, refusalOf } from '../../wire/handshake.ts';
import { PeerRefusals } from './peer-refusals.ts';
import { PROBES } from '../readiness.ts';

let now: number;
let refusals: PeerRefusals;
let heard: string[];
let overheard: TransportHandler;
let transport: Transport;

beforeEach(() => {
  now = 1_000;
  heard = [];
  refusals = new PeerRefusals(() => now);
  const bare = {
    start: (_hello: unknown, handler: TransportHandler) => (overheard = handler),
    dial: () => undefined,
    forget: () => undefined,
  };
  transport = refusals.watch(bare as unknown as Transport);
  const handler = { onRefused: (name: string) => heard.push(name), onLinkUp: () => undefined };
  transport.start({} as never, { ...handler, onLinkDown: () => undefined } as unknown as TransportHandler);
});

const terms = (name: string, replicas: string) => ({
  ...{
    name,
    clusterName: 'shop',
    protocolMin: 4,
    protocolMax: 5,
    settings: { 'cluster.replicas': replicas },
  },
});
const REASON = refusalOf(terms('a', '3'), { ...terms('b', '2'), to: 'a', run: 'r', attempt: 1 })!;

test('settings differ: the reason names the setting and how it is at either, and whoever listens is still told', () => {
  expect(REASON).toBe("setting cluster.replicas: '3' at a, '2' at b");
  overheard.onRefused('a', REASON);
  expect(refusals.list()).toEqual([{ peer: 'a', reason: REASON }]);
  expect(heard).toEqual(['a']);
});

test('another process has its name: nothing is left to wait for, and it is told what to do', () => {
  transport.dial('a', 'a:1');
  for (let at = 0; at < 6; at += 1) {
    overheard.onRefused('a', nameTaken('n2'));
    now += 1_000;
  }
  expect(refusals.whyHopeless()).toBe(
    "refused by a: name taken: another process called 'n2' is linked: end one of them, or give it a name of its own",
  );
});

test('refused for a reason that passes by itself: not remembered', () => {
  overheard.onRefused('a', 'attempt: a later one was accepted');
  overheard.onRefused('a', "protocol: '4 to 5' at a, '6 to 7' at b");
  overheard.onRefused('a', "name: 'c' was dialled, this is 'a'");
  expect(refusals.list()).toEqual([]);
  expect(heard).toHaveLength(3);
});

test('not said again for a while, or linked since: it counts for nothing any more', () => {
  overheard.onRefused('a', REASON);
  now += 9_000;
  overheard.onRefused('a', REASON);
  now += 9_000;
  expect(refusals.list()).toHaveLength(1);
  now += 2_000;
  expect(refusals.list()).toEqual([]);
  overheard.onRefused('a', REASON);
  overheard.onLinkUp('a', 5);
  expect(refusals.list()).toEqual([]);
});

test('hopeless: most dialled peers refuse, and nobody was linked for five seconds; one linked peer is hope', () => {
  transport.dial('a', 'a:1');
  const hopeless = (): string | null => {
    overheard.onRefused('a', REASON);
    return refusals.whyHopeless();
  };
  expect(hopeless()).toBeNull();
  now += 4_999;
  expect(hopeless()).toBeNull();
  overheard.onLinkUp('c', 5);
  now += 1;
  expect(hopeless()).toBeNull();
  overheard.onLinkDown('c', 'gone');
  expect(hopeless()).toBeNull();
  now += 4_999;
  expect(hopeless()).toBeNull();
  now += 1;
  expect(hopeless()).toBe(`it and a refuse each other: ${REASON}; set it alike everywhere, then start again`);
  transport.forget('a');
  expect(refusals.whyHopeless()).toBeNull();
});

test('one of two dialled peers refuses, and so do strangers: the other may accept, and is waited for', () => {
  for (const name of ['a', 'b']) transport.dial(name, `${name}:1`);
  const hopelessBy = (...names: string[]): boolean => {
    for (const name of names) overheard.onRefused(name, REASON);
    return refusals.whyHopeless() !== null;
  };
  hopelessBy('a', 'b', 'x', 'y');
  now += 5_000;
  overheard.onLinkUp('b', 5);
  overheard.onLinkDown('b', 'gone');
  now += 5_000;
  expect(hopelessBy('a', 'x', 'y')).toBe(false);
  hopelessBy('a', 'b');
  now += 5_000;
  expect(hopelessBy('a', 'b')).toBe(true);
});

test('strangers of any number: no more are remembered than may ask to join', () => {
  for (let at = 0; at < 1_000; at += 1) overheard.onRefused(`x${at}`, REASON);
  expect(refusals.list()).toHaveLength(64);
});

test('the probe of a node that does not serve names it; one that serves is ready all the same', () => {
  const serving = { ...new FakeNodeApi().status(), refusals: [{ peer: 'a', reason: REASON }] };
  expect(PROBES.ready(serving)).toEqual([]);
  expect(PROBES.ready({ ...serving, phase: 'founding', leaseHeld: false, epoch: 0 })).toContain(
    `a and this node refuse each other: ${REASON}`,
  );
});
