/** Messages of membership do not wait for the end of the turn, and keep their place. */
import { expect, test } from 'vitest';
import type { PeerMessage } from '../../core/message.ts';
import { PROTOCOL_MAX } from '../../core/membership/protocol-versions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transport } from '../../ports/transport.ts';
import { decodeFrame } from '../../wire/message-codec.ts';
import { PeerOutbox } from './peer-outbox.ts';

interface Sent {
  readonly epoch: number;
  readonly kinds: string[];
}

function outboxOf(sent: Sent[]): { outbox: PeerOutbox; endTurn: () => void; header: { epoch: number } } {
  const header = { from: 1, incarnation: 1, epoch: 7 };
  let due: (() => void)[] = [];
  const transport = {
    send: (_name: string, frame: Uint8Array): boolean => {
      const decoded = decodeFrame(frame);
      if ('fault' in decoded) throw new Error(decoded.fault);
      const kinds = decoded.messages.map(({ kind }) => kind);
      sent.push({ epoch: decoded.header.epoch, kinds });
      return true;
    },
  } as unknown as Transport;
  const clock = { defer: (run: () => void) => void due.push(run) } as unknown as Clock;
  const outbox = new PeerOutbox(transport, clock, () => ({ ...header }));
  outbox.onLinkUp('b', PROTOCOL_MAX);
  const endTurn = (): void => {
    const runs = due;
    due = [];
    for (const run of runs) run();
  };
  return { outbox, endTurn, header };
}

const query: PeerMessage = { kind: 'query', key: 'k', version: 4_097 };
const heartbeat: PeerMessage = { kind: 'heartbeat', sentAt: 1, wallAt: 2, suspects: [] };

test('a heartbeat after other messages of the turn: it leaves at once, behind them, and what follows leaves with the turn', () => {
  const sent: Sent[] = [];
  const { outbox, endTurn } = outboxOf(sent);
  outbox.send('b', query);
  outbox.sendNow('b', heartbeat);
  outbox.send('b', query);
  expect(sent).toEqual([{ epoch: 7, kinds: ['query', 'heartbeat'] }]);
  endTurn();
  expect(sent.slice(1)).toEqual([{ epoch: 7, kinds: ['query'] }]);
});

test('an epoch begins meanwhile: each message is said in the epoch in which it was handed in, in their order', () => {
  const sent: Sent[] = [];
  const { outbox, endTurn, header } = outboxOf(sent);
  outbox.send('b', query);
  header.epoch = 8;
  outbox.sendNow('b', heartbeat);
  expect(sent).toEqual([
    { epoch: 7, kinds: ['query'] },
    { epoch: 8, kinds: ['heartbeat'] },
  ]);
  endTurn();
  expect(sent).toHaveLength(2);
});
