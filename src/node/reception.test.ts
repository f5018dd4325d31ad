/** What no frame and no record can hold is refused where it enters a node, whichever door let it through. */
import { expect, test } from 'vitest';
import { TTL_MS_MAX, VALUE_BYTES_MAX } from '../core/limits.ts';
import type { WriteOperation, WriteResult } from '../core/operation.ts';
import type { Storage } from '../ports/storage.ts';
import { Admission } from './admission.ts';
import { Reception } from './reception.ts';
import type { Serving } from './serving.ts';

function answerTo(operation: WriteOperation): WriteResult | undefined {
  let answer: WriteResult | undefined;
  const later: (() => void)[] = [];
  const serving = { clock: { defer: (run: () => void) => void later.push(run) } } as unknown as Serving;
  const admission = new Admission();
  new Reception(serving, {} as Storage, admission).write(operation, 1_000, (result) => (answer = result));
  expect(answer).toBeUndefined();
  if (admission.inFlight('client') === 0) for (const run of later) run();
  return answer;
}

const put = (bytes: number, ttlMs: number): WriteOperation => ({
  ...{ kind: 'put', key: 'k', operationId: null, value: new Uint8Array(bytes), ttlMs },
});

test('a value or a time to live beyond the limits: definitely refused, and not before the call has returned', () => {
  for (const operation of [put(VALUE_BYTES_MAX + 1, 0), put(1, TTL_MS_MAX + 1), put(1, -1)])
    expect(answerTo(operation)).toMatchObject({ kind: 'failed', failure: { code: 'invalid_argument' } });
});

test('at the limits: admitted', () => {
  expect(answerTo(put(VALUE_BYTES_MAX, TTL_MS_MAX))).toBeUndefined();
});
