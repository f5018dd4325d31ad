/** Answers that must never become a value or an absence, each sent by a real server over a real connection. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LegacyFixture } from '../../../test/support/legacy-fixture.ts';
import type { Behaviour } from '../../../test/support/legacy-server.ts';
import { VALUE_BYTES_MAX } from '../../core/limits.ts';

let legacy: LegacyFixture;

beforeEach(async () => {
  legacy = await LegacyFixture.start();
});
afterEach(() => legacy.end());

const json = (body: string): Behaviour => ({ kind: 'body', body });
const raw = (bytes: string): Behaviour => ({ kind: 'raw', bytes });
const status = (code: number, body = '{"key":"k","value":"v"}'): Behaviour => ({
  kind: 'status',
  status: code,
  headers: { 'content-type': 'application/json' },
  body,
});
const GOOD_BODY = '{"key":"k","value":"v"}';

const BAD_ANSWERS: readonly [string, Behaviour][] = [
  ...[201, 202, 204, 206, 207, 300, 304, 307, 400, 401, 402, 403, 405, 406, 408, 409, 418, 425, 429, 451].map(
    (code): [string, Behaviour] => [
      `status ${code}`,
      status(code, code === 204 || code === 304 ? '' : undefined),
    ],
  ),
  ...[500, 501, 502, 503, 504, 599].map((code): [string, Behaviour] => [`status ${code}`, status(code)]),
  ['a redirect to the value', { kind: 'redirect', to: '/legacy/data/good' }],
  ['a redirect elsewhere', { kind: 'redirect', to: 'http://169.254.169.254/latest/meta-data/' }],
  ['an error page with 200', { kind: 'body', body: '<html>Login</html>', contentType: 'text/html' }],
  ['an error page as JSON', json('<html>Login</html>')],
  ['JSON as HTML', { kind: 'body', body: GOOD_BODY, contentType: 'text/html' }],
  ['JSON without a type', { kind: 'body', body: GOOD_BODY, contentType: null }],
  ['JSON in Latin-1', { kind: 'body', body: GOOD_BODY, contentType: 'application/json; charset=iso-8859-1' }],
  ['an empty body', json('')],
  ['half a document', json('{"key":"k","value":"v')],
  ['two documents', json(GOOD_BODY + GOOD_BODY)],
  ['JavaScript', json("{key:'k',value:'v'}")],
  ['an error object', json('{"error":"database is down"}')],
  ['a null value', json('{"key":"k","value":null}')],
  ['no value', json('{"key":"k"}')],
  ['two values', json('{"key":"k","value":"a","value":"b"}')],
  ['an array', json('[{"key":"k","value":"v"}]')],
  ['a bare null', json('null')],
  ['no key', json('{"value":"v"}')],
  ['another key', { kind: 'otherKey', key: 'good' }],
  ['a value that is no text', json('{"key":"k","value":"\\ud800"}')],
  ['bytes that are no UTF-8', { kind: 'body', body: Buffer.from('{"key":"k","value":"\xff"}', 'latin1') }],
  ['nesting without end', json('{"key":"k","value":' + '['.repeat(200_000))],
  ['a body too large, told', { kind: 'huge', bytes: 10_000_000, chunked: false }],
  ['a body too large, in chunks', { kind: 'huge', bytes: 10_000_000, chunked: true }],
  ['a gzip bomb', { kind: 'gzipBomb', bytes: 50_000_000 }],
  ['a truncated body', { kind: 'truncated' }],
  ['a body that stops', { kind: 'hangInBody' }],
  ['a body that trickles', { kind: 'trickle', ms: 20 }],
  ['no answer', { kind: 'hang' }],
  ['an answer too late', { kind: 'slow', ms: 1_000 }],
  ['a closed connection', { kind: 'reset' }],
  ['no HTTP', raw('SSH-2.0-OpenSSH_9.6\r\n')],
  ['a broken head', raw('HTTP/1.1 200 OK\r\ncontent-type application/json\r\n\r\n')],
  ['no status', raw('HTTP/1.1 OK\r\n\r\n')],
  [
    'two lengths',
    raw(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\ncontent-length: 23\r\n\r\n${GOOD_BODY}`,
    ),
  ],
  [
    'a length beyond the body',
    raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n${GOOD_BODY}`),
  ],
  [
    'a broken chunk',
    raw(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n',
    ),
  ],
  [
    'a last chunk missing',
    raw(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n17\r\n${GOOD_BODY}\r\n`,
    ),
  ],
  ['a head without end', raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)],
  [
    'two content types',
    raw(
      `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n${GOOD_BODY}`,
    ),
  ],
];

describe('a bad answer is unavailable, never a value and never an absence', () => {
  test('all of them', async () => {
    expect(BAD_ANSWERS.length).toBeGreaterThan(55);
    legacy.server.data.set('good', 'good');
    const breaker = { windowMs: 10_000, failureShareMin: 1, sampleCountMin: 10_000, openMs: 1, openMsMax: 1 };
    legacy.open({ breaker, idleTimeoutMs: 100, timeoutMs: 400, pauseMsMax: 0, retryCountMax: 0 });
    for (const [name, behaviour] of BAD_ANSWERS) {
      legacy.server.behaviour = behaviour;
      const outcome = await legacy.ask('k');
      expect(outcome.kind, name).toBe('unavailable');
      legacy.server.behaviour = { kind: 'normal' };
      expect(await legacy.tell('good'), `after ${name}`).toBe('good');
    }
    expect(legacy.server.strayed).toEqual([]);
  }, 20_000);

  test('a body beyond its bound, or compressed: given up where it stands, and not asked for again', async () => {
    legacy.open({ bodyBytesMax: 1_000 });
    for (const chunked of [false, true]) {
      legacy.server.behaviour = { kind: 'huge', bytes: 1_000, chunked };
      expect(await legacy.tell('k')).toBe('unavailable: the answer is too large');
    }
    legacy.server.behaviour = { kind: 'gzipBomb', bytes: 50_000_000 };
    expect(await legacy.tell('k')).toBe('unavailable: the answer is compressed, which was not asked for');
    expect(legacy.server.callCount).toBe(3);
  });

  test('the largest value, however its characters are escaped: is a value; one of a byte more is none', async () => {
    legacy.open();
    for (const [escape, bytes] of [
      ['x', 1],
      ['\\n', 1],
      ['\\u0001', 1],
      ['\\u00e9', 2],
    ] as const) {
      const text = (byteCount: number): string => escape.repeat(byteCount / bytes);
      legacy.server.behaviour = json(`{"key":"k","value":"${text(VALUE_BYTES_MAX)}"}`);
      const outcome = await legacy.ask('k');
      expect(outcome.kind === 'value' && outcome.value.length, escape).toBe(VALUE_BYTES_MAX);
      legacy.server.behaviour = json(`{"key":"k","value":"x${text(VALUE_BYTES_MAX)}"}`);
      expect(await legacy.tell('k'), escape).toBe(
        `unavailable: the value has ${VALUE_BYTES_MAX + 1} bytes, more than the limit of ${VALUE_BYTES_MAX}`,
      );
    }
  }, 20_000);

  test('a lower limit of the cluster: a value that no client could write is none, and the limit is named', async () => {
    legacy.open({ valueBytesMax: 3 });
    legacy.server.behaviour = json('{"key":"k","value":"abc"}');
    expect(await legacy.tell('k')).toBe('abc');
    legacy.server.behaviour = json('{"key":"k","value":"abcd"}');
    expect(await legacy.tell('k')).toBe('unavailable: the value has 4 bytes, more than the limit of 3');
    expect(legacy.health()).toMatchObject({ failures: 1 });
  });

  test('the same answers without their fault: values, so the table judges what it names', async () => {
    legacy.open();
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
    const good = [
      json(GOOD_BODY),
      status(200),
      status(203),
      raw(`${head}content-length: 23\r\n\r\n${GOOD_BODY}`),
      raw(`${head}\r\n${GOOD_BODY}`),
      raw(`${head}transfer-encoding: chunked\r\n\r\n17\r\n${GOOD_BODY}\r\n0\r\n\r\n`),
    ];
    for (const behaviour of good) {
      legacy.server.behaviour = behaviour;
      expect(await legacy.tell('k')).toBe('v');
    }
    legacy.server.behaviour = { kind: 'huge', bytes: 1_000_000, chunked: true };
    expect((await legacy.tell('k')).length).toBe(1_000_000);
    for (const code of [404, 410]) {
      legacy.server.behaviour = status(code);
      expect(await legacy.tell('k')).toBe('absent');
    }
  });
});
