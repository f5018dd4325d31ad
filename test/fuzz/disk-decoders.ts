/** Decoders of what a process finds on its own disk, and of files that people pass to the command line. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { identityFault } from '../../src/adapters/leveldb/directory.ts';
import { logLostWrites } from '../../src/adapters/leveldb/log-check.ts';
import { parseCheckpoint } from '../../src/cli/import-checkpoint.ts';
import { parseLine } from '../../src/cli/import-rows.ts';
import { SLOT_COUNT } from '../../src/core/limits.ts';
import type { Topology } from '../../src/core/membership/topology.ts';
import { MembershipDisk } from '../../src/node/membership/disk.ts';
import type { LoadedMeta, MetaStore } from '../../src/node/membership/disk.ts';
import { decodeTopology, encodeTopology } from '../../src/wire/topology-codec.ts';
import { messageOf } from '../support/any-message.ts';
import type { FuzzedDecoder } from './fuzz.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const tokens = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e999',
  '"',
  ',',
  '{"incarnations":',
  '"ballot":null',
  '__proto__',
].map(utf8);
const codec = { encode: encodeTopology, decode: decodeTopology };
const slotTables = 8 * SLOT_COUNT;

/** What the real code writes to disk for a value of membership. */
function written(save: (disk: MembershipDisk) => void): Uint8Array {
  let bytes = new Uint8Array(0);
  const meta: MetaStore = {
    load: () => undefined,
    persist: (_name, persisted) => {
      bytes = Uint8Array.from(persisted);
    },
    raise: () => undefined,
  };
  save(new MembershipDisk(meta, codec));
  return bytes;
}

/** Loads a disk on which one value has these bytes and the others are absent. */
function loadWith(name: string, bytes: Uint8Array): LoadedMeta | null {
  const nothing = (): void => undefined;
  const load = (asked: string): Uint8Array | undefined => (asked === name ? bytes : undefined);
  const meta: MetaStore = { load, persist: nothing, raise: nothing };
  const loaded = new MembershipDisk(meta, codec).load();
  return loaded.damaged ? null : loaded;
}

const nothing = (): void => undefined;
const topologies = (): Topology[] =>
  fc
    .sample(messageOf('topology'), { seed: 2, numRuns: 8 })
    .map((message) => (message as { topology: Topology }).topology);

/** A real log of the engine, with a few batches in it. */
async function levelLog(): Promise<Uint8Array> {
  const path = mkdtempSync(join(tmpdir(), 'causeway-fuzz-'));
  const level = new ClassicLevel(path);
  for (let batch = 0; batch < 12; batch += 1) {
    const value = 'v'.repeat(batch * 700);
    await level.batch([{ type: 'put', key: `key ${batch}`, value }], { sync: true });
  }
  const name = readdirSync(path).find((each) => each.endsWith('.log'))!;
  const log = Uint8Array.from(readFileSync(join(path, name)));
  await level.close();
  rmSync(path, { recursive: true, force: true });
  return log;
}

export async function diskDecoders(): Promise<readonly FuzzedDecoder[]> {
  const log = await levelLog();
  return [
    {
      name: 'the identity on a node’s disk',
      covers: ['MembershipDisk'],
      samples: () => [
        written((disk) =>
          disk.saveIdentity(
            {
              ...{ clusterId: 'abc', life: 2, id: 7, incarnations: [3, 4, 2 ** 40] },
              ancestors: [{ clusterId: 'xyz', life: 1 }],
            },
            nothing,
          ),
        ),
      ],
      tokens,
      decode: (bytes) => loadWith('identity', bytes),
      faultOf: ({ identity }: LoadedMeta) => {
        const lives = identity.ancestors.map((each) => each.life);
        const numbers = [identity.life, identity.id, ...identity.incarnations, ...lives];
        return numbers.every((number) => Number.isSafeInteger(number) && number >= 0)
          ? ''
          : JSON.stringify(identity);
      },
    },
    {
      name: 'the register on a node’s disk',
      covers: ['MembershipDisk'],
      samples: () => {
        const promised = { number: 9, proposer: 'node-1' };
        const accepted = topologies().map((topology) => ({
          ballot: { number: 8, proposer: 'node-2' },
          topology,
        }));
        return [null, ...accepted].map((each) =>
          written((disk) => disk.saveRegister({ promised, accepted: each }, nothing)),
        );
      },
      tokens,
      decode: (bytes) => loadWith('register', bytes),
      faultOf: ({ register: { promised, accepted } }: LoadedMeta) => {
        const ballots = accepted === null ? [promised] : [promised, accepted.ballot];
        const isBallot = ({ number, proposer }: typeof promised): boolean =>
          Number.isSafeInteger(number) && number >= 0 && typeof proposer === 'string';
        return ballots.every(isBallot) ? '' : JSON.stringify(ballots);
      },
      bytesFixed: slotTables,
    },
    {
      name: 'the topology on a node’s disk',
      covers: ['MembershipDisk'],
      samples: () => topologies().map((topology) => written((disk) => disk.saveTopology(topology, nothing))),
      decode: (bytes) => loadWith('topology', bytes),
      bytesFixed: slotTables,
    },
    {
      name: 'the name of a data directory',
      covers: ['identityFault'],
      samples: () => [utf8('{\n  "format": 1,\n  "clusterName": "shop",\n  "nodeName": "a"\n}\n')],
      tokens,
      decode: (bytes) =>
        identityFault('/data', textOf(bytes), { clusterName: 'shop', nodeName: 'a' }) === null
          ? 'ours'
          : null,
    },
    {
      name: 'the log of the engine',
      covers: ['logLostWrites'],
      samples: () => [log, log.subarray(0, 40_000), new Uint8Array(0)],
      decode: (bytes) => logLostWrites(bytes),
    },
    {
      name: 'the note of how far an import has come',
      covers: ['parseCheckpoint'],
      samples: () => [
        utf8('{"size":900,"changedAtMs":1790000000000,"offset":400,"lines":7,"imported":6,"refused":1}\n'),
      ],
      tokens,
      decode: (bytes) => parseCheckpoint(textOf(bytes)),
      faultOf: ({ offset, size }: { offset: number; size: number }) =>
        offset >= 0 && offset <= size ? '' : `offset ${offset} of ${size}`,
    },
    {
      name: 'a row of an import',
      covers: ['parseLine'],
      samples: () =>
        ['{"key":"a","value":"text"}', '{"key":"b","valueBase64":"AAEC","ttlMs":5000}', ''].map(utf8),
      tokens,
      decode: (bytes) => parseLine(Buffer.from(bytes)).row,
    },
  ];
}
