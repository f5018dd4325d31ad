/**
 * Codec of membership messages. They are rare, apart from heartbeats. A topology inside them keeps its own encoding and
 * checksum, the same as on disk.
 */
import { assert } from '../base/assert.ts';
import { NO_DOORS } from '../core/clients/door-address.ts';
import type { DoorAddresses } from '../core/clients/door-address.ts';
import type {
  Accept,
  Accepted,
  Ballot,
  Heartbeat,
  HeartbeatAnswer,
  Introduction,
  LifeName,
  Prepare,
  Promise_,
  Strain,
  Succession,
  TopologyNews,
} from '../core/membership/membership-message.ts';
import { PROTOCOL_UNTOLD, SINCE, protocolInForce } from '../core/membership/protocol-versions.ts';
import type { Topology } from '../core/membership/topology.ts';
import type { Reader } from './reader.ts';
import { readChoice } from './choices.ts';
import { decodeTopology, encodeTopology } from './topology-codec.ts';
import type { Writer } from './writer.ts';

const STATES = ['blank', 'entering', 'serving'] as const;
const ROOMS = ['enough', 'low', 'refusing'] as const;
/** Returned if none could be read; the frame with it is refused. */
const NO_TOPOLOGY: Topology = {
  epoch: 0,
  clusterId: '',
  life: 0,
  replicaCount: 0,
  ownerCountMin: 0,
  leaseMs: 0,
  clockDrift: 0,
  healAfterMs: 0,
  members: [],
  council: [],
  nextId: 0,
  rows: [],
  slotRow: new Uint16Array(0),
  placed: [],
  floorCounter: 0,
  loaded: false,
};

export function writePrepare(out: Writer, message: Prepare): void {
  out.whole(message.attempt);
  writeBallot(out, message.ballot);
}

export function readPrepare(from: Reader): Prepare {
  return { kind: 'prepare', attempt: from.whole(), ballot: readBallot(from) };
}

export function writePromise(out: Writer, message: Promise_): void {
  out.whole(message.attempt);
  out.bool(message.granted);
  out.bool(message.abstains);
  writeBallot(out, message.seen);
  out.bool(message.accepted !== null);
  if (message.accepted === null) return;
  writeBallot(out, message.accepted.ballot);
  writeTopology(out, message.accepted.topology);
}

export function readPromise(from: Reader): Promise_ {
  const attempt = from.whole();
  const granted = from.bool();
  const abstains = from.bool();
  const seen = readBallot(from);
  const accepted = from.bool() ? { ballot: readBallot(from), topology: readTopology(from) } : null;
  return { kind: 'promise', attempt, granted, seen, accepted, abstains };
}

export function writeAccept(out: Writer, message: Accept): void {
  out.whole(message.attempt);
  writeBallot(out, message.ballot);
  writeTopology(out, message.topology);
}

export function readAccept(from: Reader): Accept {
  return { kind: 'accept', attempt: from.whole(), ballot: readBallot(from), topology: readTopology(from) };
}

export function writeAccepted(out: Writer, message: Accepted): void {
  out.whole(message.attempt);
  out.bool(message.granted);
  writeBallot(out, message.seen);
}

export function readAccepted(from: Reader): Accepted {
  return { kind: 'accepted', attempt: from.whole(), granted: from.bool(), seen: readBallot(from) };
}

export function writeTopologyNews(out: Writer, message: TopologyNews): void {
  writeTopology(out, message.topology);
}

export function readTopologyNews(from: Reader): TopologyNews {
  return { kind: 'topology', topology: readTopology(from) };
}

export function writeHeartbeat(out: Writer, message: Heartbeat): void {
  out.real(message.sentAt);
  out.real(message.wallAt);
  out.u16(message.suspects.length);
  for (const name of message.suspects) out.text(name);
}

export function readHeartbeat(from: Reader): Heartbeat {
  const sentAt = from.real();
  const wallAt = from.real();
  const suspects: string[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) suspects.push(from.text());
  return { kind: 'heartbeat', sentAt, wallAt, suspects };
}

export function writeHeartbeatAnswer(out: Writer, message: HeartbeatAnswer): void {
  out.real(message.sentAt);
  out.bool(message.granted);
  out.whole(message.acceptedEpoch);
  out.real(message.wallAt);
}

export function readHeartbeatAnswer(from: Reader): HeartbeatAnswer {
  return {
    kind: 'heartbeatAnswer',
    sentAt: from.real(),
    granted: from.bool(),
    acceptedEpoch: from.whole(),
    wallAt: from.real(),
  };
}

export function writeStrain(out: Writer, message: Strain): void {
  out.real(message.storeMs);
  out.u16(message.slow.length);
  for (const name of message.slow) out.text(name);
  if (out.protocol >= SINCE.clientDelay) out.real(message.clientDelayFactor);
}

export function readStrain(from: Reader): Strain {
  const storeMs = from.real();
  const slow: string[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) slow.push(from.text());
  const clientDelayFactor = from.protocol >= SINCE.clientDelay ? from.real() : 0;
  return { kind: 'strain', storeMs, slow, clientDelayFactor };
}

export function writeIntroduction(out: Writer, message: Introduction): void {
  out.text(message.name);
  out.text(message.address);
  out.text(message.zone);
  out.text(message.host);
  out.whole(message.incarnation);
  out.u16(message.id);
  out.text(message.clusterId);
  out.whole(message.life);
  out.u8(STATES.indexOf(message.state));
  out.whole(message.epoch);
  out.real(message.weight);
  out.bool(message.joins);
  out.text(message.replaces);
  out.text(message.founders);
  out.u8(ROOMS.indexOf(message.room));
  if (out.protocol >= SINCE.introducedProtocol) out.u8(message.protocol);
  if (out.protocol < SINCE.introducedDoors) return;
  out.text(message.doors.http);
  out.text(message.doors.resp);
}

export function readIntroduction(from: Reader): Introduction {
  return {
    kind: 'introduction',
    name: from.text(),
    address: from.text(),
    zone: from.text(),
    host: from.text(),
    incarnation: from.whole(),
    id: from.u16(),
    clusterId: from.text(),
    life: from.whole(),
    state: readChoice(from, STATES),
    epoch: from.whole(),
    weight: from.real(),
    joins: from.bool(),
    replaces: from.text(),
    founders: from.text(),
    room: readChoice(from, ROOMS),
    protocol: from.protocol >= SINCE.introducedProtocol ? from.u8() : PROTOCOL_UNTOLD,
    doors: from.protocol >= SINCE.introducedDoors ? readDoors(from) : NO_DOORS,
  };
}

function readDoors(from: Reader): DoorAddresses {
  return { http: from.text(), resp: from.text() };
}

export function writeSuccession(out: Writer, message: Succession): void {
  out.u16(message.ancestors.length);
  for (const { clusterId, life } of message.ancestors) {
    out.text(clusterId);
    out.whole(life);
  }
  writeTopology(out, message.topology);
}

export function readSuccession(from: Reader): Succession {
  const ancestors: LifeName[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--)
    ancestors.push({ clusterId: from.text(), life: from.whole() });
  return { kind: 'succession', ancestors, topology: readTopology(from) };
}

function writeBallot(out: Writer, ballot: Ballot): void {
  out.whole(ballot.number);
  out.text(ballot.proposer);
}

function readBallot(from: Reader): Ballot {
  return { number: from.whole(), proposer: from.text() };
}

function writeTopology(out: Writer, topology: Topology): void {
  assert(protocolInForce(topology) <= out.protocol, 'a topology is told to who understands it');
  out.blob(encodeTopology(topology));
}

function readTopology(from: Reader): Topology {
  const bytes = from.blob();
  if (!from.ok) return NO_TOPOLOGY;
  const topology = decodeTopology(bytes);
  if (topology === undefined) from.fail('a topology is damaged');
  else if (protocolInForce(topology) > from.protocol) from.fail('a topology is of a later version');
  return topology ?? NO_TOPOLOGY;
}
