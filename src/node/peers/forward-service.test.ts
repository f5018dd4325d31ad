/** Answers are kept for an unreachable asker, up to a number of bytes. */
import { expect, test } from 'vitest';
import { KEPT_ANSWER_BYTES_MAX } from '../../core/limits.ts';
import type { ForwardRead } from '../../core/message.ts';
import type { Storage } from '../../ports/storage.ts';
import { Admission } from '../admission.ts';
import { ForwardService } from './forward-service.ts';
import type { Serving } from '../serving.ts';

test('a peer is out of reach while ever more answers are due: the newest are kept within a bound, and sent when it is back', () => {
  // Every operation is refused at once, so each request just produces an answer.
  const admission = new Admission();
  admission.close('peer');
  const sent: number[] = [];
  const service = new ForwardService({
    serving: {} as Serving,
    storage: {} as Storage,
    send: (_peer, message) => sent.push(message.request),
    isLinked: () => false,
    admission,
  });
  const asked = 100_000;
  for (let request = 1; request <= asked; request += 1) {
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
    service.onRequest('b', message);
  }
  const kept = service['kept'].get('b')!;
  expect(kept.bytes).toBeLessThanOrEqual(KEPT_ANSWER_BYTES_MAX);
  expect(kept.answers.length).toBeLessThan(asked / 2);
  service.onLinkUp('b');
  expect(sent.at(-1)).toBe(asked);
  expect(sent).toHaveLength(kept.answers.length);
  expect(service['kept'].size).toBe(0);
});
