/** A pipeline before real doors: what it carries, and what it says when its node goes away. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect } from './index.ts';
import type { CausewayClient } from './index.ts';

let one: DoorFixture;
let client: CausewayClient;

beforeEach(async () => {
  one = await openDoors();
  client = connect({ nodes: [one.address], timeoutMs: 3000, connectTimeoutMs: 3000 });
});
afterEach(async () => {
  client.close();
  await one.stop();
});

describe('a pipeline', () => {
  test('thousands of operations: all answered, in far fewer frames', async () => {
    const pipeline = await client.pipeline({ unansweredMax: 500 });
    const answers: Promise<unknown>[] = [];
    for (let at = 0; at < 3000; at++) {
      await pipeline.room();
      answers.push(pipeline.set(`k${at}`, `v${at}`));
    }
    await Promise.all(answers);
    expect(one.api.records.size).toBe(3000);
    expect(Buffer.from((await pipeline.get('k2999'))!).toString()).toBe('v2999');
    expect(await pipeline.increment('n', 5)).toBe(5n);
    expect(await pipeline.compareAndSet('n', { value: '5' }, '6')).toMatchObject({ applied: true });
    expect(await pipeline.compareAndDelete('n', { value: '5' })).toMatchObject({ applied: false });
    expect(await pipeline.compareAndDelete('n', { value: '6' })).toMatchObject({ applied: true });
    await pipeline.delete('n');
    expect(await pipeline.get('n')).toBeUndefined();
    await pipeline.close();
    await expect(pipeline.get('n')).rejects.toMatchObject({ certainty: 'definite' });
  });

  test('one bad key and one failing write: the others are not touched', async () => {
    const pipeline = await client.pipeline();
    await client.set('word', 'x');
    const [good, bad, failing] = await Promise.allSettled([
      pipeline.set('a', '1'),
      pipeline.set('', '1'),
      pipeline.increment('word'),
    ]);
    expect(good.status).toBe('fulfilled');
    expect(bad).toMatchObject({ reason: { code: 'invalid_argument' } });
    expect(failing).toMatchObject({ reason: { code: 'not_an_integer', certainty: 'definite' } });
    await pipeline.close();
  });

  test('more than may wait: refused at once, definitely, while the rest goes on', async () => {
    const pipeline = await client.pipeline({ unansweredMax: 10 });
    one.api.holding = true;
    const answers = Array.from({ length: 10 }, (_, at) => pipeline.set(`k${at}`, 'x'));
    await expect(pipeline.set('late', 'x')).rejects.toMatchObject({
      code: 'overloaded',
      certainty: 'definite',
    });
    await eventually(() => one.api.heldCount === 10, 'ten at the node');
    const waiting = Array.from({ length: 10 }, (_, at) => pipeline.set(`w${at}`, 'x'));
    await expect(pipeline.set('late', 'x')).rejects.toMatchObject({ code: 'overloaded' });
    one.api.release();
    await Promise.all([...answers, ...waiting]);
    await pipeline.close();
  });

  test('a node that dies: writes that were sent are indefinite, reads and what waited are definite', async () => {
    const pipeline = await client.pipeline({ unansweredMax: 2 });
    one.api.holding = true;
    one.api.waiting.add('r');
    const write = pipeline.set('a', 'x').catch((error: unknown) => error);
    const read = pipeline.get('r').catch((error: unknown) => error);
    await eventually(() => one.api.heldCount === 2, 'both at the node');
    const waited = pipeline.set('b', 'x').catch((error: unknown) => error);
    await one.stop();
    expect(await write).toMatchObject({ certainty: 'indefinite' });
    expect(await read).toMatchObject({ certainty: 'definite' });
    expect(await waited).toMatchObject({ certainty: 'definite' });
    await expect(pipeline.set('c', 'x')).rejects.toMatchObject({ certainty: 'definite' });
  });

  test('a node that answers nothing: the pipeline gives up a while after the deadline', async () => {
    const pipeline = await client.pipeline({ timeoutMs: 100 });
    one.api.holding = true;
    await expect(pipeline.set('a', 'x')).rejects.toMatchObject({
      code: 'transport',
      certainty: 'indefinite',
    });
  });
});
