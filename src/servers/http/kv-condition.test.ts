/**
 * Conditions with several versions, weak tags or both headers (RFC 9110, 13). Simple conditions are in
 * `kv-one.test.ts`.
 */
import { beforeEach, expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';
import type { Answer } from '../../../test/support/http-door.ts';
import { tagsOf } from './entity-tags.ts';
import { Refusal } from './problem.ts';

let door: HttpDoor;
beforeEach(() => {
  door = new HttpDoor();
});

const put = (path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> =>
  door.ask('PUT', path, { body, headers });
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  door.ask('GET', path, { headers });
const codeOf = ({ status, json }: Answer): unknown[] => [status, json['code']];

test('If-Match with several ETags: one of them has to stand, and weak ones never do', async () => {
  const first = (await put('/v1/kv/n', '1')).headers.get('etag')!;
  const both = { 'If-Match': `"7",, "a,b" , ${first}` };
  const second = (await put('/v1/kv/n', '2', both)).headers.get('etag')!;
  expect(codeOf(await put('/v1/kv/n', '3', both))).toEqual([412, 'condition_failed']);
  const weak = await put('/v1/kv/n', '3', { 'If-Match': `"7", W/${second}` });
  expect([...codeOf(weak), weak.headers.get('etag')]).toEqual([412, 'condition_failed', second]);
  expect(codeOf(await put('/v1/kv/n', '3', { 'If-Match': `W/${second}` }))).toEqual([
    412,
    'condition_failed',
  ]);
  const gone = { 'If-Match': `${first}, ${second}` };
  expect((await door.ask('DELETE', '/v1/kv/n', { headers: gone })).status).toBe(204);
  const none = await put('/v1/kv/n', '4', gone);
  expect([none.status, none.json['currentVersion']]).toEqual([412, null]);
});

test('If-None-Match with ETags on a write: none of them may stand, weak or not; another may, or none', async () => {
  const first = (await put('/v1/kv/n', '1', { 'If-None-Match': '"7", "8"' })).headers.get('etag')!;
  expect(codeOf(await put('/v1/kv/n', '2', { 'If-None-Match': `"7", W/${first}` }))).toEqual([
    412,
    'condition_failed',
  ]);
  expect((await put('/v1/kv/n', '2', { 'If-None-Match': '"7"' })).status).toBe(204);
  expect((await put('/v1/kv/n', '3', { 'If-None-Match': first })).status).toBe(204);
});

test('both: the value has to stand, and not as the other names', async () => {
  const etag = (await put('/v1/kv/n', '1')).headers.get('etag')!;
  expect((await put('/v1/kv/n', '2', { 'If-Match': etag, 'If-None-Match': '*' })).status).toBe(412);
  expect((await put('/v1/kv/n', '2', { 'If-Match': '*', 'If-None-Match': etag })).status).toBe(412);
  expect((await put('/v1/kv/n', '2', { 'If-Match': etag, 'If-None-Match': '"7"' })).status).toBe(204);
  expect((await get('/v1/kv/n', { 'If-Match': '"7"', 'If-None-Match': '*' })).status).toBe(412);
});

test('others write in between: what they leave is judged, and only what holds is replaced', async () => {
  const seen = (await put('/v1/kv/n', '1')).headers.get('etag')!;
  door.api.beforeWrite = () => void door.api.put('n', 'between');
  const refused = await put('/v1/kv/n', '2', { 'If-Match': `"7", ${seen}` });
  expect(codeOf(refused)).toEqual([412, 'condition_failed']);
  expect((await get('/v1/kv/n')).text).toBe('between');
  door.api.beforeWrite = () => void door.api.put('n', 'again');
  expect((await put('/v1/kv/n', '3', { 'If-None-Match': seen })).status).toBe(204);
  expect((await get('/v1/kv/n')).text).toBe('3');
});

test('others write each time before it does: it is refused in the end, and was not done', async () => {
  await put('/v1/kv/n', '1');
  const between = (): void => {
    door.api.put('n', 'between');
    door.api.beforeWrite = between;
  };
  door.api.beforeWrite = between;
  expect(codeOf(await put('/v1/kv/n', '2', { 'If-None-Match': '"7"' }))).toEqual([503, 'contended']);
  door.api.beforeWrite = null;
  expect((await get('/v1/kv/n')).text).toBe('between');
});

test('a tag that no version has: 412, for none stands under it', async () => {
  await put('/v1/kv/n', '1');
  for (const tag of ['"seven"', '"0"', '""', '"99999999999999999"'])
    expect(codeOf(await put('/v1/kv/n', '2', { 'If-Match': tag }))).toEqual([412, 'condition_failed']);
  expect((await get('/v1/kv/n')).text).toBe('1');
});

test('If-Unmodified-Since beside If-Match: it is passed over', async () => {
  const etag = (await put('/v1/kv/n', '1')).headers.get('etag')!;
  const headers = { 'If-Match': etag, 'If-Unmodified-Since': 'Sat, 28 Nov 2026 20:51:05 GMT' };
  expect((await put('/v1/kv/n', '2', headers)).status).toBe(204);
});

test.each([
  ['PUT', (etag: string) => ({ 'If-Match': `"7", ${etag}` })],
  ['PUT', (etag: string) => ({ 'If-Match': etag, 'If-None-Match': '"7"' })],
  ['DELETE', (etag: string) => ({ 'If-Match': `"7", ${etag}` })],
])(
  'a %s whose answer was lost, again under its Idempotency-Key: it was done, and is told so, whatever stands by now',
  async (method, conditionOn) => {
    const etag = (await put('/v1/kv/n', '1')).headers.get('etag')!;
    const key = '019ad000-0000-7000-8000-000000000001';
    const headers = { ...conditionOn(etag), 'Idempotency-Key': key };
    const body = method === 'PUT' ? { body: '2' } : {};
    door.api.loseAnswers = 1;
    expect((await door.ask(method, '/v1/kv/n', { ...body, headers })).status).toBe(504);
    const again = await door.ask(method, '/v1/kv/n', { ...body, headers });
    expect(again.status).toBe(204);
    await put('/v1/kv/n', 'later');
    const third = await door.ask(method, '/v1/kv/n', { ...body, headers });
    expect([third.status, third.headers.get('etag')]).toEqual([204, again.headers.get('etag')]);
    expect((await get('/v1/kv/n')).text).toBe('later');
    const other = { ...headers, 'Idempotency-Key': key.replace(/1$/, '2') };
    expect(codeOf(await door.ask(method, '/v1/kv/n', { ...body, headers: other }))).toEqual([
      412,
      'condition_failed',
    ]);
  },
);

test('a list with tens of thousands of spaces in it: read once from its beginning to its end', () => {
  const spaces = ' '.repeat(60_000);
  expect(tagsOf('If-Match', `"1",${spaces}"2"${spaces},${spaces}`)).toHaveLength(2);
  for (const broken of [`"1",${spaces}x`, `"1"${spaces}x`, `${spaces}W/`])
    expect(() => tagsOf('If-Match', broken)).toThrow(Refusal);
});

test('the value to be judged cannot be read: in time, definite; for another reason, that reason; nothing is written', async () => {
  const oneOf = { 'If-Match': '"7", "8"' };
  door.api.failWith = 'read_timeout';
  expect((await put('/v1/kv/n', '1', oneOf)).json['code']).toBe('deadline_before_start');
  door.api.failWith = 'not_ready';
  expect((await put('/v1/kv/n', '1', oneOf)).json['code']).toBe('not_ready');
  expect(door.api.calls.map(({ kind }) => kind)).toEqual(['get', 'get']);
});

test('whatever stands has to stand, with an Idempotency-Key: refused, since that cannot be told apart when repeated', async () => {
  const now = Date.now().toString(16).padStart(12, '0');
  const id = `${now.slice(0, 8)}-${now.slice(8)}-7000-8000-000000000001`;
  const refused = await put('/v1/kv/n', '1', { 'If-Match': '*', 'Idempotency-Key': id });
  expect([refused.status, refused.json['detail'], door.api.calls]).toEqual([
    400,
    'If-Match: * takes no Idempotency-Key; name the version',
    [],
  ]);
});
