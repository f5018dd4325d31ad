/** Health and reflection as probes and tools use them, which know nothing else of this server. */
import { once } from 'node:events';
import { status as Status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HEALTH_WATCHERS_MAX } from '../../core/clients/grpc-limits.ts';
import { grpc } from '../../gen/protocol.js';
import { CallError, call, eventually, openDoors, openStream } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';

const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;
let doors: DoorFixture;

beforeAll(async () => {
  doors = await openDoors();
});
afterAll(() => doors.stop());
beforeEach(() => {
  doors.api.statusChanges = {};
});

describe('health', () => {
  const check = (service: string) =>
    call(doors.client, '/grpc.health.v1.Health/Check', HealthCheckRequest, HealthCheckResponse, { service });

  test('a node that serves under a lease: serving, by every name; without the lease or learning: not', async () => {
    for (const service of ['', 'cache.CacheService', 'causeway.v1.KeyValue']) {
      expect((await check(service)).status).toBe(SERVING);
    }
    doors.api.statusChanges = { leaseHeld: false };
    expect((await check('')).status).toBe(NOT_SERVING);
    doors.api.statusChanges = { phase: 'learning' };
    expect((await check('cache.CacheService')).status).toBe(NOT_SERVING);
  });

  test('the probes of HTTP by their names: each says what its page says', async () => {
    for (const name of ['liveness', 'readiness', 'safe-to-stop'])
      expect((await check(name)).status).toBe(SERVING);
    doors.api.statusChanges = { leaseHeld: false };
    expect((await check('liveness')).status).toBe(SERVING);
    expect((await check('readiness')).status).toBe(NOT_SERVING);
    doors.api.statusChanges = { stopCosts: ['a vote is missing'] };
    expect((await check('safe-to-stop')).status).toBe(NOT_SERVING);
    expect((await check('readiness')).status).toBe(SERVING);
    doors.api.statusChanges = { progress: { tickAgoMs: 60_000, storeBatchMs: 0 } };
    expect((await check('liveness')).status).toBe(NOT_SERVING);
  });

  test('a service that is not there: not found', async () => {
    await expect(check('nobody')).rejects.toMatchObject({ status: Status.NOT_FOUND });
  });

  const watch = (service: string) => {
    const seen: number[] = [];
    const stream = doors.client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      (request: { service: string }) => HealthCheckRequest.encode(request).finish() as Buffer,
      (bytes: Buffer) => HealthCheckResponse.decode(bytes),
      { service },
    );
    stream.on('data', ({ status }: { status: number }) => seen.push(status));
    const ended = new Promise<CallError | null>((resolve) => {
      stream.on('error', (error) => resolve(new CallError(error as never)));
      stream.on('end', () => resolve(null));
    });
    return { seen, stream, ended };
  };

  test('a watcher: told at once, then of each change; of an unknown service too', async () => {
    const { seen, stream } = watch('');
    const unknown = watch('nobody');
    await eventually(() => seen.length === 1 && unknown.seen.length === 1, 'the first word');
    doors.api.statusChanges = { leaseHeld: false };
    await eventually(() => seen.length === 2, 'the change');
    expect(seen).toEqual([SERVING, NOT_SERVING]);
    expect(unknown.seen).toEqual([SERVICE_UNKNOWN]);
    stream.cancel();
    unknown.stream.cancel();
  });

  test('more watchers than a node takes: refused until one has gone; the door is closed: all are ended', async () => {
    const watchers = Array.from({ length: HEALTH_WATCHERS_MAX }, () => watch(''));
    await eventually(() => watchers.every(({ seen }) => seen.length === 1), 'the first words');
    expect(await watch('').ended).toMatchObject({ causewayCode: 'overloaded' });
    watchers.pop()!.stream.cancel();
    // The server learns of it a moment after the client does.
    let next = watch('');
    while ((await Promise.race([next.ended, once(next.stream, 'data')])) instanceof CallError)
      next = watch('');
    doors.doors.close();
    expect(new Set(await Promise.all(watchers.map(({ ended }) => ended)))).toEqual(new Set([null]));
  });
});

describe('reflection', () => {
  type Answer = grpc.reflection.v1.ServerReflectionResponse;

  async function ask(
    requests: grpc.reflection.v1.ServerReflectionRequestFields[],
    version = 'v1',
  ): Promise<Answer[]> {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const stream = openStream(doors.client, path, ServerReflectionRequest, ServerReflectionResponse);
    const answers: Answer[] = [];
    stream.on('data', (answer: Answer) => answers.push(answer));
    const ended = new Promise((resolve, reject) => {
      stream.on('end', resolve);
      stream.on('error', reject);
    });
    for (const request of requests) stream.write(request);
    stream.end();
    await ended;
    return answers;
  }

  test('a client that asks and does not read: no more is read from it, and nothing is lost when it reads', async () => {
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const stream = openStream(doors.client, path, ServerReflectionRequest, ServerReflectionResponse);
    const asked = 40;
    let sent = 0;
    let answered = 0;
    stream.on('data', () => (answered += 1));
    stream.pause();
    const ended = new Promise((resolve) => stream.on('end', resolve));
    // Together far more than the two ends of a connection buffer.
    const long = 'x'.repeat(500_000);
    for (let at = 0; at < asked; at += 1) stream.write({ fileContainingSymbol: long }, () => (sent += 1));
    stream.end();
    await eventually(() => sent > 0, 'the first question');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBeLessThan(asked / 2);
    stream.resume();
    await ended;
    expect(answered).toBe(asked);
  });

  test.each(['v1', 'v1alpha'])('%s: every service is listed', async (version) => {
    const [answer] = await ask([{ listServices: '' }], version);
    expect(answer!.listServicesResponse!.service.map(({ name }) => name)).toEqual([
      'cache.CacheService',
      'causeway.v1.KeyValue',
      'causeway.v1.Admin',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ]);
  });

  test('a service found by its name: a client that knows nothing else can call it', async () => {
    const [answer] = await ask([{ fileContainingSymbol: 'cache.CacheService' }]);
    const file = answer!.fileDescriptorResponse!.fileDescriptorProto[0]!;
    const set = { file: [descriptor.FileDescriptorProto.decode(file)] };
    const root = protobuf.Root.fromDescriptor(set as never);
    const service = root.lookupService('cache.CacheService');
    expect(service.methodsArray.map((method) => method.name)).toEqual(['Set', 'Get']);
    const request = root.lookupType('cache.SetRequest').fields;
    expect(request.key).toMatchObject({ id: 1, type: 'string' });
    expect(request.value).toMatchObject({ id: 2, type: 'bytes' });
  });

  test('files, methods and messages: all found; what is not there: an error in its place, in order', async () => {
    const answers = await ask([
      { fileByFilename: 'causeway/v1/key_value.proto' },
      { fileContainingSymbol: 'causeway.v1.KeyValue.Pipeline' },
      { fileContainingSymbol: 'nobody' },
      { fileContainingSymbol: 'causeway.v1.Record' },
      { allExtensionNumbersOfType: 'causeway.v1.Record' },
      {},
    ]);
    expect(answers.map((answer) => answer.messageResponse)).toEqual([
      'fileDescriptorResponse',
      'fileDescriptorResponse',
      'errorResponse',
      'fileDescriptorResponse',
      'errorResponse',
      'errorResponse',
    ]);
    expect(answers[2]!.errorResponse!.errorCode).toBe(Status.NOT_FOUND);
    expect(answers[2]!.originalRequest!.fileContainingSymbol).toBe('nobody');
  });
});
