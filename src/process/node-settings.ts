/** From the settings of a process to the parameters of its parts. */
import type { Config } from '../config/config.ts';
import { settingsThatMustAgree } from '../config/config.ts';
import { advertised } from '../core/clients/door-address.ts';
import type { DoorAddresses } from '../core/clients/door-address.ts';
import { legacySourceConfig } from '../core/legacy/legacy-config.ts';
import type { LegacySourceConfig } from '../core/legacy/legacy-config.ts';
import * as limits from '../core/limits.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../core/membership/protocol-versions.ts';
import type { MembershipSettings } from '../node/membership/parts.ts';
import type { NodeParts } from '../node/node-parts.ts';

/** Milliseconds: a closed socket is noticed at once, and usually reconnects at once or not at all. */
const LINK_GRACE_MS = 50;
/** How long (ms) two members may report each other as unreachable while all others reach both. */
const SPLIT_AFTER_MS = 1_000;
/** How long (ms) a member that stops waits for the others to agree on an epoch without it. */
const STOP_TIMEOUT_MS = 3_000;

type Settings = Pick<
  NodeParts,
  | 'self'
  | 'joins'
  | 'members'
  | 'membership'
  | 'hello'
  | 'cacheBytes'
  | 'copyBytesPerSecondMax'
  | 'scrub'
  | 'overloadDelayMs'
  | 'diskReserve'
  | 'writeThrough'
  | 'record'
  | 'legacyTimeoutMs'
  | 'tombstoneKeepMs'
>;

export function nodeSettings(config: Config): Settings {
  const { cluster, node } = config;
  const { name, address, zone, host } = cluster.members.find((member) => member.name === node.name)!;
  return {
    // What a process says about its own place takes precedence over the common list of members.
    self: { name, address, zone: node.zone || zone, host: node.host || host },
    joins: node.join === undefined ? null : { weight: node.weight, replaces: node.replace ?? '' },
    members: cluster.members.map((member) => ({ name: member.name, address: member.address, weight: 1 })),
    membership: membershipSettings(config),
    hello: {
      name,
      clusterName: cluster.name,
      protocolMin: PROTOCOL_MIN,
      protocolMax: PROTOCOL_MAX,
      settings: settingsThatMustAgree(config),
    },
    cacheBytes: config.cache.bytes,
    copyBytesPerSecondMax: config.copy.bytesPerSecondMax,
    scrub: config.scrub,
    overloadDelayMs: config.limits.delayMsMax,
    diskReserve: { bytes: config.disk.reserveBytes, shareMax: config.disk.reserveShareMax },
    writeThrough: config.routes,
    record: config.record,
    legacyTimeoutMs: config.legacy?.timeoutMs ?? 0,
    tombstoneKeepMs: config.tombstones.keepMs,
  };
}

function membershipSettings({ cluster }: Config): MembershipSettings {
  return {
    replicaCount: cluster.replicas,
    ownerCountMin: cluster.ownersMin,
    leaseMs: limits.LEASE_MS,
    clockDrift: limits.CLOCK_DRIFT_MAX,
    healAfterMs: cluster.healAfterMs,
    heartbeatMs: limits.HEARTBEAT_MS,
    suspectAfterMs: limits.SUSPECT_AFTER_MS,
    linkGraceMs: LINK_GRACE_MS,
    splitAfterMs: SPLIT_AFTER_MS,
    slowAfterMs: cluster.slowAfterMs,
    coldStartGraceMs: limits.COLD_START_GRACE_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  };
}

/** The addresses of this process's doors that other members are told; none for a door on an arbitrary free port. */
export function toldDoors({ cluster, node, ...doors }: Config): DoorAddresses {
  const { address: memberAddress } = cluster.members.find((member) => member.name === node.name)!;
  const told = (door: 'http' | 'resp'): string => {
    const { host, port = 0, address } = doors[door];
    return port === 0 ? '' : advertised({ host, port, told: address, memberAddress });
  };
  return { http: told('http'), resp: told('resp') };
}

/** By a member's name: where it is dialled, if not at its own address. */
export function dialAddresses({ network }: Config): ReadonlyMap<string, string> {
  return new Map(network.dial.map(({ name, address }) => [name, address]));
}

export function legacySettings(
  legacy: NonNullable<Config['legacy']>,
  valueBytesMax: number,
): LegacySourceConfig {
  const { url, headers, value, echo, trustedEscapes, timeoutMs, concurrencyMax } = legacy;
  return legacySourceConfig({
    url,
    headers,
    valuePointer: value,
    echoPointer: echo ?? null,
    trustedEscapes,
    timeoutMs,
    concurrencyMax,
    valueBytesMax,
  });
}
