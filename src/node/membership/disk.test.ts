/**
 * What membership keeps on disk is read back as it was written, or reported as damaged: no bit of it can change
 * unnoticed.
 */
import { expect, test } from 'vitest';
import { foundTopology } from '../../core/membership/topology-change.ts';
import { decodeTopology, encodeTopology } from '../../wire/topology-codec.ts';
import { CLUSTER_ID_DAMAGED, IDENTITY_BLANK, MembershipDisk } from './disk.ts';

const CODEC = { encode: encodeTopology, decode: decodeTopology };
const IDENTITY = {
  ...{ clusterId: 'c0ffee', life: 3, id: 2, incarnations: [65_537, 131_075] },
  ancestors: [
    { clusterId: 'decade', life: 1 },
    { clusterId: 'facade', life: 2 },
  ],
};
const topology = foundTopology({
  clusterId: 'c0ffee',
  life: 1,
  members: ['a', 'b'].map((name) => ({ name, address: '', zone: '', host: '', weight: 1, incarnation: 1 })),
  place: () => ({ rows: [{ owners: [1, 2], complete: [] }], slotRow: new Uint16Array(16_384) }),
  ...{ replicaCount: 2, ownerCountMin: 1, leaseMs: 600, clockDrift: 0.01, healAfterMs: 0 },
  ...{ floorCounter: 1, loaded: true },
});
const accepted = { ballot: { number: 7, proposer: 'a' }, topology };

const raise = (): void => undefined;

function written(): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  const disk = new MembershipDisk(
    { load: (key) => entries.get(key), persist: (key, bytes) => void entries.set(key, bytes), raise },
    CODEC,
  );
  disk.saveIdentity(IDENTITY, () => undefined);
  disk.saveRegister({ promised: { number: 8, proposer: 'b' }, accepted }, () => undefined);
  disk.saveTopology(topology, () => undefined);
  return entries;
}

function loaded(entries: ReadonlyMap<string, Uint8Array>): ReturnType<MembershipDisk['load']> {
  return new MembershipDisk(
    { load: (key) => entries.get(key), persist: () => undefined, raise },
    CODEC,
  ).load();
}

test('all three come back as they were written', () => {
  const { identity, register, damaged, ...rest } = loaded(written());
  expect(damaged).toBe(false);
  expect(identity).toEqual(IDENTITY);
  expect(register).toMatchObject({
    promised: { number: 8, proposer: 'b' },
    accepted: { ballot: accepted.ballot },
  });
  expect(rest.topology?.epoch).toBe(1);
});

test.each(['identity', 'register', 'topology'])(
  'any bit of the %s changes: told, and nothing of it is believed',
  (key) => {
    const entries = written();
    const good = entries.get(key)!;
    const step = Math.max(1, Math.floor((good.length * 8) / 2_000));
    for (let bit = 0; bit < good.length * 8; bit += bit < 2_000 ? 1 : step) {
      const bytes = new Uint8Array(good);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const { damaged, identity, topology: known } = loaded(new Map([...entries, [key, bytes]]));
      expect(damaged, `bit ${bit}`).toBe(true);
      expect(identity).toEqual({ ...IDENTITY_BLANK, clusterId: CLUSTER_ID_DAMAGED });
      expect(known).toBe(null);
    }
  },
);

test('an identity of a store from before there was a checksum: read as it stands', () => {
  const bytes = new TextEncoder().encode(JSON.stringify(IDENTITY));
  expect(loaded(new Map([...written(), ['identity', bytes]]))).toMatchObject({
    damaged: false,
    identity: IDENTITY,
  });
});
