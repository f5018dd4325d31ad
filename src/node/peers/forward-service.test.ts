/** Answers are kept for an unreachable asker, up to a number of bytes. */
import { expect, test } from 'vitest';
import { KEPT_ANSWER_BYTES_MAX } from '../../core/limits.ts';
import type { ForwardRead } from '../../core/message.ts';
import type { Storage } from '../../ports/storage.ts';
import { Admission } from '../admission.ts';
import { ForwardService } from './forward-service.ts';
import type { Serving } from '../serving.ts';

interface Bench {
  readonly service: ForwardService;
  readonly sent: number[];
  readonly members: Set<string>;
  /** An answer is due to this peer. */
  readonly answer: (peer: string, request: number) => void;
}

/** Every operation is refused at once, so each request just produces an answer. */
function bench(): Bench {
  const admission = new Admission();
  admission.close('peer');
  const sent: number[] = [];
  const members = new Set(['b', 'c']);
  const service = new ForwardService({
    serving: {} as Serving,
    storage: {} as Storage,
    send: (_peer, message) => sent.push(message.request),
    isLinked: () => false,
    isMember: (peer) => members.has(peer),
    admission,
  });
  const answer = (peer: string, request: number): void => {
    const message: ForwardRead = {
      kind: 'forwardRead',
      request,
      hops: 1,
      timeoutMs: 1_000,
      key: 'k',
      miss: false,
      allowStale: false,
      watch: false,
    };
    service.onRequest(peer, message);
  };
  return { service, sent, members, answer };
}

test('a peer is out of reach while ever more answers are due: the newest are kept within a bound, and sent when it is back', () => {
  const { service, sent, answer } = bench();
  const asked = 100_000;
  for (let request = 1; request <= asked; request += 1) answer('b', request);
  const kept = service['kept'].get('b')!;
  expect(kept.bytes).toBeLessThanOrEqual(KEPT_ANSWER_BYTES_MAX);
  expect(kept.answers.length).toBeLessThan(asked / 2);
  service.onLinkUp('b');
  expect(sent.at(-1)).toBe(asked);
  expect(sent).toHaveLength(kept.answers.length);
  expect(service['kept'].size).toBe(0);
});

test('members vanish while answers are due, and are members no longer: theirs are dropped, the others are sent', () => {
  const { service, sent, members, answer } = bench();
  answer('b', 1);
  answer('c', 2);
  members.delete('b');
  service.onLinkUp('c');
  expect(sent).toEqual([2]);
  expect(service['kept'].size).toBe(0);

  for (let round = 0; round < 100; round += 1) {
    members.add(`guest-${round}`);
    answer(`guest-${round}`, round);
    members.delete(`guest-${round}`);
  }
  expect(service['kept'].size).toBe(1);
});
