/** What people are shown of URLs: everything but the secrets in them. */
import { expect, test } from 'vitest';
import { postgresUrlShown, withoutCredentials } from './credentials.ts';

test.each([
  ['postgres://u:secret@h/d', 'postgres://u:***@h/d'],
  ['postgres://u:secret@secret@h/d', 'postgres://u:***@h/d'],
  ['postgresql://me:secr@t@db:5432/x', 'postgresql://me:***@db:5432/x'],
  ['postgres://h/d?password=secret&user=u', 'postgres://h/d?password=***&user=u'],
  ['postgresql://me@db/x?password=secret&a=1', 'postgresql://me@db/x?password=***&a=***'],
  ['postgres://h/d?sslmode=require&sslpassword=secret', 'postgres://h/d?sslmode=require&sslpassword=***'],
  ['none', 'none'],
])('a database at %s is shown without its secret', (url, shown) => {
  expect(postgresUrlShown(url)).toBe(shown);
});

test('a text with addresses in it: neither a name nor a password is left, and the rest stands', () => {
  expect(withoutCredentials('no answer from postgres://u:p@ss@h:5432/d, nor from http://a@b/c')).toBe(
    'no answer from postgres://[hidden]@h:5432/d, nor from http://[hidden]@b/c',
  );
  expect(withoutCredentials('http://a/b@c')).toBe('http://a/b@c');
});
