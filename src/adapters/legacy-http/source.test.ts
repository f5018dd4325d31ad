/** The HTTP legacy source under failures and load: deadlines, retries, breaker, pauses, queue, hostile keys. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { LegacyFixture, sleep, stopClock } from '../../../test/support/legacy-fixture.ts';
import { until } from '../../../test/support/supervisor-program.ts';

let legacy: LegacyFixture;

beforeEach(async () => {
  legacy = await LegacyFixture.start();
});
afterEach(() => legacy.end());

const NEVER_OPENS = { windowMs: 10_000, failureShareMin: 1, sampleCountMin: 1e9, openMs: 1, openMsMax: 1 };

test('a fetch that is part of a trace: told with each request; one that is none, and one that is not sent: not', async () => {
  const trace = { traceId: '4b'.repeat(16), spanId: '0f'.repeat(8), flags: 1, state: 'a=1' };
  let asked = 0;
  const source = legacy.open({ headers: { traceparent: 'of settings' } });
  legacy.server.data.set('k', 'v');
  legacy.server.nextBehaviours.push({ kind: 'reset' });
  await new Promise((resolve) => {
    source.fetch('k', 5_000, resolve, () => {
      asked += 1;
      return trace;
    });
  });
  const traceparent = `00-${trace.traceId}-${trace.spanId}-01`;
  expect(legacy.server.lastHeaders).toMatchObject({ traceparent, tracestate: 'a=1' });
  expect(asked).toBe(2);
  await legacy.ask('k');
  expect(legacy.server.lastHeaders).toMatchObject({ traceparent: 'of settings' });
  expect(legacy.server.lastHeaders).not.toHaveProperty('tracestate');
  await new Promise((resolve) => source.fetch('..', 5_000, resolve, () => ((asked += 1), trace)));
  expect(asked).toBe(2);
});

describe('time', () => {
  test('attempts that all take long: one answer by the deadline, and the request is given up', async () => {
    legacy.open({ timeoutMs: 300 });
    legacy.server.behaviour = { kind: 'hang' };
    const begun = performance.now();
    expect(await legacy.tell('k')).toContain('did not answer in time');
    expect(performance.now() - begun).toBeLessThan(10_000);
    await until('the request is given up', () => legacy.server.underWay === 0);
  });

  test('the caller gives less time than the settings: the less counts', async () => {
    legacy.open({ timeoutMs: 60_000 });
    legacy.server.behaviour = { kind: 'hang' };
    expect(await legacy.tell('k', 100)).toContain('did not answer in time');
  });

  test.each([{ kind: 'status', status: 500 }, { kind: 'reset' }, { kind: 'truncated' }] as const)(
    'a source that fails once ($kind): asked again, and its value is found',
    async (behaviour) => {
      legacy.open();
      legacy.server.data.set('k', 'v');
      legacy.server.nextBehaviours.push(behaviour);
      expect(await legacy.tell('k')).toBe('v');
      expect(legacy.server.callCount).toBe(2);
    },
  );

  test('a source that fails for good: three attempts and no more; a refusal: one', async () => {
    legacy.open();
    legacy.server.behaviour = { kind: 'status', status: 500 };
    expect(await legacy.tell('k')).toContain('500');
    expect(legacy.server.callCount).toBe(3);
    for (const code of [400, 401, 403, 302]) {
      legacy.server.behaviour = { kind: 'status', status: code };
      const before = legacy.server.callCount;
      expect(await legacy.tell('k')).toContain(String(code));
      expect(legacy.server.callCount).toBe(before + 1);
    }
  });

  test('the budget of retries: a share of the requests', async () => {
    legacy.open({ retryShareMax: 0.5, retriesPerSecondMin: 0 });
    expect(legacy.health().retriesLeft).toBe(0);
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => legacy.tell(key)));
    expect(legacy.health().retriesLeft).toBe(2);
  });

  test('many failures at once: retries stay within their budget', async () => {
    legacy.open({ breaker: { ...NEVER_OPENS }, queueWaitMsMax: 5_000 });
    legacy.server.behaviour = { kind: 'status', status: 500 };
    await Promise.all(Array.from({ length: 200 }, (_, n) => legacy.ask(`k${n}`)));
    // Ten seconds of the minimum rate of one per second, plus a tenth of the two hundred calls.
    expect(legacy.server.callCount).toBeGreaterThan(200);
    expect(legacy.server.callCount).toBeLessThanOrEqual(230);
  });
});

describe('a source in trouble', () => {
  const breaker = {
    windowMs: 10_000,
    failureShareMin: 0.5,
    sampleCountMin: 20,
    openMs: 1_000,
    openMsMax: 2_000,
  };

  test('it fails: the breaker opens and spares it; it recovers: the breaker closes', async () => {
    const pass = stopClock();
    legacy.open({ breaker, retryCountMax: 0 });
    legacy.server.data.set('k', 'v');
    legacy.server.behaviour = { kind: 'status', status: 500 };
    for (let n = 0; n < 20; n++) await legacy.ask(`k${n}`);
    expect(legacy.health().state).toBe('open');
    expect(legacy.server.callCount).toBe(20);
    const refused = await legacy.ask('k');
    expect(refused).toMatchObject({ kind: 'unavailable', reason: 'the circuit breaker is open' });
    expect(refused.kind === 'unavailable' && refused.retryAfterMs > 0).toBe(true);
    expect(legacy.server.callCount).toBe(20);

    pass(1_300);
    const probes = await Promise.all(Array.from({ length: 10 }, () => legacy.ask('k')));
    expect(probes.every((outcome) => outcome.kind === 'unavailable')).toBe(true);
    expect(legacy.server.callCount, 'one probe').toBe(21);

    legacy.server.behaviour = { kind: 'normal' };
    pass(2_500);
    expect(await legacy.tell('k')).toBe('v');
    expect(legacy.health()).toMatchObject({ state: 'up', calls: 22, failures: 21 });
    expect(legacy.events.map((event) => event.split(' ')[0])).toEqual(
      expect.arrayContaining(['legacy.breaker.open', 'legacy.breaker.closed']),
    );
  });

  test('it is down: the breaker opens; it comes back: values are found again', async () => {
    const pass = stopClock();
    legacy.open({ breaker, retryCountMax: 0 });
    legacy.server.data.set('k', 'v');
    expect(await legacy.tell('k')).toBe('v');
    await legacy.server.goDown();
    for (let n = 0; n < 30; n++) expect((await legacy.ask('k')).kind).toBe('unavailable');
    expect(legacy.health().state).toBe('open');
    await legacy.server.comeUp();
    pass(1_300);
    expect(await legacy.tell('k')).toBe('v');
  });

  test.each([404, 410, 400, 401, 403, 429])('a storm of %i: the breaker stays closed', async (code) => {
    legacy.open({ breaker, retryCountMax: 0, pauseMsMax: 0 });
    legacy.server.behaviour = { kind: 'status', status: code };
    for (let n = 0; n < 100; n++) await legacy.ask(`k${n}`);
    expect(legacy.server.callCount).toBe(100);
    expect(legacy.health().state).not.toBe('open');
    legacy.server.behaviour = { kind: 'normal' };
    legacy.server.data.set('k', 'v');
    expect(await legacy.tell('k')).toBe('v');
  });

  test('values that cannot be mapped: the breaker stays closed for the other keys', async () => {
    legacy.open({ breaker });
    legacy.server.behaviour = { kind: 'body', body: '{"key":"k","value":null}' };
    for (let n = 0; n < 50; n++) await legacy.ask('k');
    expect(legacy.health().state).toBe('failing');
  });

  test('callers that give no time: the breaker stays closed', async () => {
    legacy.open({ breaker });
    legacy.server.behaviour = { kind: 'slow', ms: 100 };
    for (let n = 0; n < 30; n++) await legacy.ask('k', 2);
    expect(legacy.health().state).toBe('failing');
  });

  test.each([429, 503])(
    '%i with Retry-After: nothing is sent until then, and askers are told',
    async (code) => {
      const pass = stopClock();
      legacy.open({ breaker: NEVER_OPENS, pauseMsMax: 1_500 });
      legacy.server.behaviour = { kind: 'status', status: code, headers: { 'retry-after': '3600' } };
      legacy.server.data.set('k', 'v');
      expect((await legacy.ask('k')).kind).toBe('unavailable');
      legacy.server.behaviour = { kind: 'normal' };
      const refused = await legacy.ask('k');
      expect(refused).toMatchObject({ kind: 'unavailable', reason: 'the source asked for a pause' });
      expect(
        refused.kind === 'unavailable' && refused.retryAfterMs > 0 && refused.retryAfterMs <= 1_800,
      ).toBe(true);
      expect(legacy.server.callCount).toBe(1);
      pass(1_850);
      expect(await legacy.tell('k')).toBe('v');
      // Seen only now: what is sent takes a while to arrive.
      expect(legacy.server.callCount).toBe(2);
    },
  );
});

describe('many at once', () => {
  test('more than may be under way: they queue, and all are served', async () => {
    legacy.open({ concurrencyMax: 4, queueWaitMsMax: 5_000 });
    legacy.server.behaviour = { kind: 'slow', ms: 5 };
    for (let n = 0; n < 100; n++) legacy.server.data.set(`k${n}`, `v${n}`);
    let inFlightMost = 0;
    const look = (answer: string): string => {
      inFlightMost = Math.max(inFlightMost, legacy.health().inFlight);
      return answer;
    };
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => legacy.tell(`k${n}`).then(look)));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => `v${n}`));
    expect(legacy.server.underWayMax).toBeLessThanOrEqual(4);
    expect(inFlightMost).toBe(4);
    expect(legacy.server.connectionCount).toBeLessThanOrEqual(4);
  });

  test('more than may queue, or longer than they may wait: refused, and the source never sees them', async () => {
    legacy.open({ concurrencyMax: 2, queueMax: 3, queueWaitMsMax: 50, timeoutMs: 400 });
    legacy.server.behaviour = { kind: 'hang' };
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => legacy.tell(`k${n}`)));
    const count = (text: string): number => answers.filter((answer) => answer.includes(text)).length;
    expect(count('too many fetches')).toBe(5);
    expect(count('waited too long for its turn')).toBe(3);
    expect(count('did not answer in time')).toBe(2);
    expect(legacy.server.callCount).toBe(2);
  });

  test('a fetch that has waited in line and is under way: its wait is over, however long the answer takes', async () => {
    const queueWaitMsMax = 54_321;
    const [begun, ended] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')];
    onTestFinished(() => void vi.restoreAllMocks());
    legacy.open({ concurrencyMax: 1, queueWaitMsMax });
    legacy.server.data.set('k', 'v');
    expect(await Promise.all([legacy.tell('first'), legacy.tell('k')])).toEqual(['absent', 'v']);
    const at = begun.mock.calls.findIndex(([, ms]) => ms === queueWaitMsMax);
    expect(ended).toHaveBeenCalledWith(begun.mock.results[at]!.value);
  });

  test('an answer about another key: no connection from before is used again', async () => {
    legacy.open();
    legacy.server.data.set('k', 'v');
    for (let n = 0; n < 3; n++) {
      await legacy.ask('k');
      await sleep(20);
    }
    expect(legacy.server.connectionCount, 'kept while all is well').toBe(1);
    legacy.server.behaviour = { kind: 'otherKey', key: 'other' };
    expect(await legacy.tell('k')).toContain('another key');
    await sleep(20);
    legacy.server.behaviour = { kind: 'normal' };
    expect(await legacy.tell('k')).toBe('v');
    expect(legacy.server.connectionCount).toBe(2);
  });

  test('a thousand hostile keys over the wire: each reaches its own resource', async () => {
    legacy.open({ queueMax: 1_000, queueWaitMsMax: 10_000, timeoutMs: 10_000 });
    const keys = Array.from({ length: 1_000 }, (_, n) => randomBytes(1 + (n % 12)).toString('latin1'));
    for (const key of keys) legacy.server.data.set(key, key);
    const answers = await Promise.all(keys.map((key) => legacy.tell(key, 10_000)));
    for (const [index, answer] of answers.entries()) {
      if (!answer.startsWith('unaddressable')) expect(answer).toBe(keys[index]);
    }
    expect(answers.filter((answer) => !answer.startsWith('unaddressable')).length).toBeGreaterThan(900);
    expect(legacy.server.strayed).toEqual([]);
  });
});

describe('a source that answers 404 to every escaped slash', () => {
  test('a key with one: unavailable and never absent, though other keys are; told in the log, the breaker stays closed', async () => {
    legacy.open({ breaker: { ...NEVER_OPENS, sampleCountMin: 1 } });
    legacy.server.data.set('a/b', 'there all the same');
    legacy.server.behaviourByKey.set('a/b', { kind: 'status', status: 404 });
    expect(await legacy.tell('a/b')).toMatch(/^unavailable: 404, but .* understands %2F was never seen/);
    expect(await legacy.tell('none')).toBe('absent');
    expect(legacy.events.filter((line) => line.startsWith('legacy.absence_doubted'))).toHaveLength(1);
    expect(legacy.health().state).toBe('up');
    expect(legacy.server.callCount, 'asking again would be answered alike').toBe(2);
  });

  test('it understands them after all, seen by a value: absence of such keys is believed from then on', async () => {
    legacy.open();
    expect(await legacy.tell('a/none')).toContain('unavailable');
    legacy.server.data.set('a/b', 'v');
    expect(await legacy.tell('a/b')).toBe('v');
    expect(await legacy.tell('a/none')).toBe('absent');
    expect(await legacy.tell('a\\none')).toContain('%5C was never seen');
  });

  test('the operator vouches for it, or the key stands in the query: believed at once', async () => {
    legacy.open({ trustedEscapes: '/' });
    expect(await legacy.tell('a/none')).toBe('absent');
    await legacy.closeSource();
    legacy.open({ url: `${legacy.server.origin}/legacy/data/x?key={key}` });
    expect(await legacy.tell('a/none')).toBe('absent');
  });
});

describe('the network', () => {
  test.each(['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '2852039166'])(
    'an address of metadata services (%s): never connected to',
    async (host) => {
      legacy.open({ url: `http://${host}/{key}` });
      expect(await legacy.tell('k')).toBe('unavailable: the connection failed: REFUSED_ADDRESS');
    },
  );

  test('a port where nothing answers the connection with bytes: given up by the deadline', async () => {
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    legacy.open({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/{key}`, timeoutMs: 200 });
    expect(await legacy.tell('k')).toContain('did not answer in time');
    await legacy.closeSource();
    await new Promise<void>((resolve) => silent.close(() => resolve()));
  });
});
