/** A client of the first system, generated from that system's own contract, against our door. */
import { status as Status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callBytes, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';

/**
 * The contract that clients of the first system were generated from, copied here so that no change to proto/ affects
 * it.
 */
const SEED_CONTRACT = `
  syntax = "proto3";
  package cache;
  service CacheService { rpc Set (SetRequest) returns (SetResponse); rpc Get (GetRequest) returns (GetResponse); }
  message SetRequest { string key = 1; bytes value = 2; }
  message SetResponse { bool success = 1; }
  message GetRequest { string key = 1; }
  message GetResponse { bytes value = 1; bool found = 2; }
`;

describe('a client of the first system', () => {
  const { root } = protobuf.parse(SEED_CONTRACT);
  let doors: DoorFixture;

  beforeAll(async () => {
    doors = await openDoors();
  });
  afterAll(() => doors.stop());

  async function ask(method: 'Get' | 'Set', request: object): Promise<Record<string, unknown>> {
    const requestType = root.lookupType(`cache.${method}Request`);
    const answerType = root.lookupType(`cache.${method}Response`);
    const bytes = requestType.encode(requestType.create(request)).finish();
    const answer = answerType.decode(await callBytes(doors.client, `/cache.CacheService/${method}`, bytes));
    return answerType.toObject(answer, { defaults: true, bytes: String });
  }

  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('sets and gets: success, then found with the value', async () => {
    expect(await ask('Set', { key: 'user:1', value: Buffer.from('Grüße') })).toEqual({ success: true });
    expect(await ask('Get', { key: 'user:1' })).toEqual({ found: true, value: base64('Grüße') });
  });

  test('gets a key that does not exist: found is false, and no error', async () => {
    expect(await ask('Get', { key: 'user:2' })).toEqual({ found: false, value: '' });
  });

  test('sets an empty value: found, and empty', async () => {
    await ask('Set', { key: 'empty', value: Buffer.alloc(0) });
    expect(await ask('Get', { key: 'empty' })).toEqual({ found: true, value: '' });
  });

  test('asks while the source is down: an error, never found = false or success = false', async () => {
    doors.api.failWith = 'source_unavailable';
    await expect(ask('Get', { key: 'user:3' })).rejects.toMatchObject({ status: Status.UNAVAILABLE });
    doors.api.failWith = 'record_unavailable';
    const failed = ask('Set', { key: 'user:3', value: Buffer.from('x') });
    await expect(failed).rejects.toMatchObject({ status: Status.UNAVAILABLE, certainty: 'definite' });
  });
});
