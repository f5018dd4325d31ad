/**
 * The three small values that membership keeps on disk, each rewritten as a whole: who this process is, what its
 * acceptor has promised and accepted, and the last topology it knows to be chosen. A value that cannot be decoded is
 * reported as damaged: such a disk is never taken for an empty one. (PROTOCOL R11, R27, R29)
 */
import type { Ballot, LifeName } from '../../core/membership/membership-message.ts';
import { PROTOCOL_UNTOLD, protocolInForce } from '../../core/membership/protocol-versions.ts';
import type { AcceptorState } from '../../core/membership/register.ts';
import { ACCEPTOR_BLANK } from '../../core/membership/register.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Storage, StorageError } from '../../ports/storage.ts';
import { crc32Text } from '../../wire/text-checksum.ts';
import { metaKey } from '../../wire/store-codec.ts';

/** `persist` may be called while another call is under way; values become durable in the order of the calls. */
export interface MetaStore {
  load(key: string): Uint8Array | undefined;
  persist(key: string, bytes: Uint8Array, done: (error: StorageError | null) => void): void;
  /**
   * Programs that speak only versions below this one must not open the disk any more: they would take it for damaged.
   */
  raise(protocol: number): void;
}

export interface TopologyCodec {
  encode(topology: Topology): Uint8Array;
  decode(bytes: Uint8Array): Topology | undefined;
}

export interface Identity {
  /** '' on a blank disk. */
  readonly clusterId: string;
  readonly life: number;
  /** 0 while this disk has no place in the cluster. */
  readonly id: number;
  /**
   * Incarnations under which the cluster may remember this disk, oldest first: the last one that was seen in a
   * topology, and all starts since. If a topology records any other one, the disk was copied, and the topology was made
   * after that.
   */
  readonly incarnations: readonly number[];
  /** The lives of the cluster that precede its present one, the first one first. */
  readonly ancestors: readonly LifeName[];
}

export const IDENTITY_BLANK: Identity = { clusterId: '', life: 0, id: 0, incarnations: [], ancestors: [] };
/** Used as the cluster id if the disk is damaged, or replaced a damaged one: neither blank nor a member. */
export const CLUSTER_ID_DAMAGED = '?';
/**
 * Such a disk founds nothing, because it is unknown what it may have held; it is admitted by members that remember this
 * one. (R8, R27)
 */
const IDENTITY_IN_DOUBT: Identity = { ...IDENTITY_BLANK, clusterId: CLUSTER_ID_DAMAGED };

const IDENTITY_KEY = 'identity';
const REGISTER_KEY = 'register';
const TOPOLOGY_KEY = 'topology';
const TRIAL_KEY = 'trial';
/** Starts without ever being seen in a topology that are remembered; beyond that the oldest is forgotten. */
const INCARNATIONS_MAX = 64;
const HEAD_LENGTH_BYTES = 4;
const CHECKSUM_DIGITS = 8;

export interface LoadedMeta {
  readonly identity: Identity;
  readonly register: AcceptorState;
  readonly topology: Topology | null;
  readonly damaged: boolean;
}

export class MembershipDisk {
  private readonly meta: MetaStore;
  private readonly codec: TopologyCodec;
  private raisedTo = PROTOCOL_UNTOLD;

  constructor(meta: MetaStore, codec: TopologyCodec) {
    this.meta = meta;
    this.codec = codec;
  }

  load(): LoadedMeta {
    const identity = this.loadIdentity();
    const register = this.loadRegister();
    const topology = this.loadTopology();
    if (identity === undefined || register === undefined || topology === undefined) {
      // Drops even the incarnations that can be read: by one of them the disk could be taken for intact, and vote.
      // (R29)
      return {
        identity: IDENTITY_IN_DOUBT,
        register: register ?? ACCEPTOR_BLANK,
        topology: null,
        damaged: true,
      };
    }
    return { identity, register, topology, damaged: false };
  }

  saveIdentity(identity: Identity, done: (error: StorageError | null) => void): void {
    this.meta.persist(IDENTITY_KEY, encodeObject(identity), done);
  }

  /** Stores something small, to measure how long that takes. */
  tryStore(): void {
    this.meta.persist(TRIAL_KEY, new Uint8Array(1), () => undefined);
  }

  saveTopology(topology: Topology, done: (error: StorageError | null) => void): void {
    this.raise(topology);
    this.meta.persist(TOPOLOGY_KEY, this.codec.encode(topology), done);
  }

  saveRegister(state: AcceptorState, done: (error: StorageError | null) => void): void {
    const { promised, accepted } = state;
    if (accepted !== null) this.raise(accepted.topology);
    const head = encodeObject({ promised, ballot: accepted?.ballot ?? null });
    const body = accepted === null ? new Uint8Array(0) : this.codec.encode(accepted.topology);
    const bytes = new Uint8Array(HEAD_LENGTH_BYTES + head.length + body.length);
    new DataView(bytes.buffer).setUint32(0, head.length);
    bytes.set(head, HEAD_LENGTH_BYTES);
    bytes.set(body, HEAD_LENGTH_BYTES + head.length);
    this.meta.persist(REGISTER_KEY, bytes, done);
  }

  /** Called before the first topology of a version is on disk. (decision 19) */
  private raise(topology: Topology): void {
    const protocol = protocolInForce(topology);
    if (protocol <= this.raisedTo) return;
    this.raisedTo = protocol;
    this.meta.raise(protocol);
  }

  private loadIdentity(): Identity | undefined {
    const bytes = this.meta.load(IDENTITY_KEY);
    if (bytes === undefined) return IDENTITY_BLANK;
    // Older disks have no ancestors.
    const { clusterId, life, id, incarnations, ancestors = [] } = parse(bytes) as Partial<Identity>;
    if (typeof clusterId !== 'string' || !isWhole(life) || !isWhole(id)) return undefined;
    if (!Array.isArray(incarnations) || !incarnations.every(isWhole)) return undefined;
    if (!Array.isArray(ancestors) || !ancestors.every(isLifeName)) return undefined;
    return { clusterId, life, id, incarnations, ancestors };
  }

  private loadRegister(): AcceptorState | undefined {
    const bytes = this.meta.load(REGISTER_KEY);
    if (bytes === undefined) return ACCEPTOR_BLANK;
    if (bytes.length < HEAD_LENGTH_BYTES) return undefined;
    const bodyAt = HEAD_LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const { promised, ballot } = parse(bytes.subarray(HEAD_LENGTH_BYTES, bodyAt)) as {
      promised?: unknown;
      ballot?: unknown;
    };
    if (!isBallot(promised)) return undefined;
    if (ballot === null) return { promised, accepted: null };
    const topology = this.codec.decode(bytes.subarray(bodyAt));
    if (topology === undefined || !isBallot(ballot)) return undefined;
    return { promised, accepted: { ballot, topology } };
  }

  private loadTopology(): Topology | null | undefined {
    const bytes = this.meta.load(TOPOLOGY_KEY);
    return bytes === undefined ? null : this.codec.decode(bytes);
  }
}

/** True if what membership keeps on this disk is damaged. */
export function isMetaDamaged(storage: Storage, codec: TopologyCodec): boolean {
  return new MembershipDisk(readingOf(storage), codec).load().damaged;
}

/** The last topology that an earlier process knew; null if there is none, or it cannot be read. */
export function topologyOnDisk(storage: Storage, codec: TopologyCodec): Topology | null {
  return new MembershipDisk(readingOf(storage), codec).load().topology;
}

function readingOf(storage: Storage): MetaStore {
  return { load: (name) => storage.get(metaKey(name)), persist: () => undefined, raise: () => undefined };
}

/** Marks a store that replaced a damaged one; the mark stays until more is known of it. */
export function markInDoubt(storage: Storage, done: (error: StorageError | null) => void): void {
  const key = metaKey(IDENTITY_KEY);
  if (storage.get(key) !== undefined) return done(null);
  storage.write([key], [encodeObject(IDENTITY_IN_DOUBT)], done);
}

/** The identity of a starting process. The incarnation is used once this is on disk. */
export function withIncarnation(identity: Identity, incarnation: number): Identity {
  const incarnations = [...identity.incarnations, incarnation];
  while (incarnations.length > INCARNATIONS_MAX) incarnations.splice(1, 1);
  return { ...identity, incarnations };
}

/** The cluster remembers this disk under `recorded`: older starts are not needed any more. */
export function withRecorded(identity: Identity, recorded: number): Identity {
  const index = identity.incarnations.indexOf(recorded);
  return index <= 0 ? identity : { ...identity, incarnations: identity.incarnations.slice(index) };
}

export function incarnationOf(identity: Identity): number {
  return identity.incarnations.at(-1) ?? 0;
}

/** Preceded by a checksum: a single changed digit would make another member of it. */
function encodeObject(value: object): Uint8Array {
  const text = JSON.stringify(value);
  return new TextEncoder().encode(checksumOf(text) + text);
}

function checksumOf(text: string): string {
  return crc32Text(text).toString(16).padStart(CHECKSUM_DIGITS, '0');
}

/** An object; an empty one stands for something that is not an object. */
function parse(bytes: Uint8Array): object {
  try {
    const sealed = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Older stores had no checksum here, and began with the object.
    const text = sealed.startsWith('{') ? sealed : sealed.slice(CHECKSUM_DIGITS);
    if (text !== sealed && sealed !== checksumOf(text) + text) return {};
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isBallot(value: unknown): value is Ballot {
  if (typeof value !== 'object' || value === null) return false;
  const { number, proposer } = value as Partial<Ballot>;
  return isWhole(number) && typeof proposer === 'string';
}

function isLifeName(value: unknown): value is LifeName {
  if (typeof value !== 'object' || value === null) return false;
  const { clusterId, life } = value as Partial<LifeName>;
  return typeof clusterId === 'string' && isWhole(life);
}
