/** What a node knows of other members' doors, and for how long after its start it waits to hear of them. */
import { describe, expect, test } from 'vitest';
import { DOORS_AWAITED_MS } from './client-limits.ts';
import { NO_DOORS } from './door-address.ts';
import { DoorBook } from './door-book.ts';

const member = (name: string, alive = true): { name: string; alive: boolean } => ({ name, alive });

describe('the doors of the members', () => {
  test('are what each has said last, and are kept until it is no member any more', () => {
    const book = new DoorBook('a', { http: '', resp: '10.0.0.1:6379' });
    book.hear('b', { http: '', resp: '10.0.0.2:6379' });
    book.hear('b', { http: '10.0.0.2:8080', resp: '10.0.0.3:6379' });
    expect(book.of('a')).toEqual({ http: '', resp: '10.0.0.1:6379' });
    expect(book.of('b')).toEqual({ http: '10.0.0.2:8080', resp: '10.0.0.3:6379' });
    book.forget('b');
    expect(book.of('b')).toBe(NO_DOORS);
  });

  test('change the version with what is new, and not with the same again', () => {
    const book = new DoorBook('a');
    book.hear('b', { http: '', resp: '10.0.0.2:6379' });
    const { version } = book;
    book.hear('b', { http: '', resp: '10.0.0.2:6379' });
    expect(book.version).toBe(version);
    book.hear('b', NO_DOORS);
    expect(book.version).toBeGreaterThan(version);
  });

  test('that are no addresses are none, however often they are said', () => {
    const book = new DoorBook('a');
    book.hear('b', { http: 'x', resp: 'a b:1' });
    const { version } = book;
    book.hear('b', { http: 'x', resp: 'a b:1' });
    expect([book.of('b'), book.version]).toEqual([NO_DOORS, version]);
  });
});

describe('soon after the start', () => {
  test('it waits for the live members to introduce themselves, and not for the dead', () => {
    const book = new DoorBook('a');
    book.begin(100);
    const members = [member('a'), member('b'), member('c', false)];
    expect(book.awaits(members, 101)).toBe(true);
    book.hear('b', NO_DOORS);
    expect(book.awaits(members, 102)).toBe(false);
  });

  test('it waits no longer than a while, and once all were heard for nobody who comes later', () => {
    const late = new DoorBook('a');
    late.begin(100);
    expect(late.awaits([member('b')], 100 + DOORS_AWAITED_MS)).toBe(false);
    const heard = new DoorBook('a');
    heard.begin(100);
    expect(heard.awaits([member('a')], 101)).toBe(false);
    expect(heard.awaits([member('a'), member('b')], 102)).toBe(false);
  });
});
