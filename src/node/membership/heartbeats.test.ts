/** What a node sends with a heartbeat, and in how many frames: each frame wakes its receiver. */
import { expect, test } from 'vitest';
import type { Strain } from '../../core/membership/membership-message.ts';
import type { FrameHeader } from '../../core/message.ts';
import { PROTOCOL_MAX } from '../../core/membership/protocol-versions.ts';
import { decodeFrame } from '../../wire/message-codec.ts';
import { Heartbeats } from './heartbeats.ts';
import type { HeartbeatParts } from './heartbeats.ts';
import { PeerOutbox } from '../peers/peer-outbox.ts';

const header: FrameHeader = { from: 1, incarnation: 7, epoch: 3 };

/** The kinds of messages in each frame sent when node `a`, which has two peers, sends a heartbeat. */
function framesOf(strain: Strain | null): string[] {
  const frames: string[] = [];
  const deferred: (() => void)[] = [];
  const transport = {
    send: (name: string, frame: Uint8Array): boolean => {
      const decoded = decodeFrame(frame);
      if ('fault' in decoded) throw new Error(decoded.fault);
      frames.push(`${name}: ${decoded.messages.map(({ kind }) => kind).join(' ')}`);
      return true;
    },
  } as unknown as ConstructorParameters<typeof PeerOutbox>[0];
  const clock = { now: () => 0, wallNow: () => 0, defer: (run: () => void) => void deferred.push(run) };
  const outbox = new PeerOutbox(transport, clock as unknown as HeartbeatParts['clock'], () => header);
  for (const name of ['b', 'c']) outbox.onLinkUp(name, PROTOCOL_MAX);
  const send = (...said: Parameters<PeerOutbox['sendNow']>): void => outbox.sendNow(...said);
  const parts = {
    ...{ clock, heartbeatMs: 100, self: { live: false }, voice: { send } },
    peers: { linked: () => [{ name: 'b' }, { name: 'c' }] },
    suspicion: { silent: () => [] },
    slowness: { asked: () => undefined, look: () => undefined, strain: () => strain, isStoreLate: false },
    store: { lateMs: () => 0, isIdle: () => false },
    ...{ learned: () => null, clientDelayFactor: () => 0, ofRecord: () => null },
  };
  new Heartbeats(parts as unknown as HeartbeatParts).sendAll(0);
  const atOnce = [...frames];
  for (const run of deferred) run();
  expect(frames).toEqual(atOnce);
  return atOnce;
}

test('a heartbeat is a frame of its own if there is nothing else to send', () => {
  expect(framesOf(null)).toEqual(['b: heartbeat', 'c: heartbeat']);
});

test('the slowness that a node reports leaves in the frame of the heartbeat, at once', () => {
  const strain: Strain = { kind: 'strain', storeMs: 40, slow: [], clientDelayFactor: 2 };
  const kinds = 'strain heartbeat';
  expect(framesOf(strain)).toEqual([`b: ${kinds}`, `c: ${kinds}`]);
});
