/**
 * CLUSTER: who serves which slots, so that clients can ask an owner directly. Any node answers any key, and none ever
 * redirects a client. So a slot whose owner's Redis address is not known is reported as this node's, which is true.
 */
import { SLOT_COUNT } from '../../../core/limits.ts';
import { RESP_REPLY_BYTES_MAX } from '../../../core/clients/redis-limits.ts';
import { slotOf, slotOfBytes } from '../../../core/placement/slots.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import { withMap } from '../cluster-map.ts';
import type { MappedMember } from '../cluster-map.ts';
import type { CommandBody } from '../command.ts';
import { NOT_AN_INTEGER } from '../error-replies.ts';
import { keysOfSlot, sweep } from '../sweep.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { helpOf } from './help.ts';

function tellNode(out: ReplyWriter, { host, port, nodeId }: MappedMember): void {
  out.array(4);
  out.bulkText(host);
  out.integer(port);
  out.bulkText(nodeId);
  // Further addresses by their names.
  out.map(0);
}

function slots(client: Client): void {
  withMap(client, 'slots', (out, { ranges }) => {
    out.array(ranges.length);
    for (const { from, to, members } of ranges) {
      out.array(2 + members.length);
      out.integer(from);
      out.integer(to);
      for (const member of members) tellNode(out, member);
    }
  });
}

/** One shard for each master. */
function shards(client: Client): void {
  withMap(client, 'shards', (out, { ranges }) => {
    const byMaster = new Map<MappedMember, { members: readonly MappedMember[]; bounds: number[] }>();
    for (const { from, to, members } of ranges) {
      const shard = byMaster.get(members[0]!) ?? { members, bounds: [] };
      shard.bounds.push(from, to);
      byMaster.set(members[0]!, shard);
    }
    out.array(byMaster.size);
    for (const { members, bounds } of byMaster.values()) {
      out.map(2);
      out.bulkText('slots');
      out.array(bounds.length);
      for (const bound of bounds) out.integer(bound);
      out.bulkText('nodes');
      out.array(members.length);
      members.forEach((member, at) => tellShardNode(out, member, at === 0));
    }
  });
}

function tellShardNode(out: ReplyWriter, member: MappedMember, isFirst: boolean): void {
  const { nodeId, host, port } = member;
  const texts = { ip: host, endpoint: host, role: isFirst ? 'master' : 'replica' };
  out.map(7);
  out.bulkText('id');
  out.bulkText(nodeId);
  out.bulkText('port');
  out.integer(port);
  for (const [field, text] of Object.entries(texts)) {
    out.bulkText(field);
    out.bulkText(text);
  }
  out.bulkText('replication-offset');
  out.integer(0);
  out.bulkText('health');
  out.bulkText('online');
}

/** Each member once, as the master of the slots of which it is the first owner. */
function nodes(client: Client): void {
  withMap(client, 'nodes', (out, { members, ranges, epoch, selfId }) => {
    const lines = members.map(({ nodeId, host, port, alive }) => {
      const own = ranges.filter((range) => range.members[0]?.nodeId === nodeId);
      const flags = `${nodeId === selfId ? 'myself,' : ''}master${alive ? '' : ',fail'}`;
      const served = own.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
      const state = alive ? 'connected' : 'disconnected';
      return [nodeId, `${host}:${port}@${port}`, flags, '-', '0', '0', epoch, state, ...served].join(' ');
    });
    out.verbatim(lines.map((line) => `${line}\n`).join(''));
  });
}

function info(client: Client): void {
  withMap(client, 'info', (out, { members, ranges, epoch }) => {
    const assigned = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    const masters = new Set(ranges.map((range) => range.members[0]?.nodeId)).size;
    const fields = {
      cluster_state: assigned === SLOT_COUNT ? 'ok' : 'fail',
      cluster_slots_assigned: assigned,
      cluster_slots_ok: assigned,
      cluster_slots_pfail: 0,
      cluster_slots_fail: 0,
      cluster_known_nodes: members.length,
      cluster_size: masters,
      cluster_current_epoch: epoch,
      cluster_my_epoch: epoch,
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`);
    out.verbatim(lines.join(''));
  });
}

function keySlot({ out }: Client, args: Arguments): void {
  // Computed from the raw bytes, which need not be a valid key.
  out.integer(slotOfBytes(args.bytes(2)));
}

const ENOUGH = 'as many as were asked for';

function isSlot(given: bigint): boolean {
  return given >= 0n && given < BigInt(SLOT_COUNT);
}

/** If `limit` is null, only the number of keys is returned. */
function keysInSlot(client: Client, slot: number, limit: number | null): void {
  const found: string[] = [];
  let count = 0;
  let bytes = 0;
  let isEnough = limit === 0;
  const pending = client.beginAlone();
  sweep(
    client,
    keysOfSlot(slot),
    (records, goOn) => {
      for (const { key } of records) {
        if (slotOf(key) !== slot) continue;
        count += 1;
        if (limit === null || isEnough) continue;
        found.push(key);
        bytes += key.length;
        isEnough = found.length >= limit || bytes > RESP_REPLY_BYTES_MAX;
      }
      goOn(isEnough ? ENOUGH : undefined);
    },
    (why) =>
      pending.end((out) => {
        if (why !== null && why !== ENOUGH) return out.error(why);
        if (limit === null) return out.integer(count);
        out.array(found.length);
        for (const key of found) out.bulkText(key);
      }),
  );
}

function countKeys(client: Client, args: Arguments): void {
  const slot = args.integer(2);
  if (slot === undefined) client.out.error(NOT_AN_INTEGER);
  else if (!isSlot(slot)) client.out.error('ERR Invalid slot');
  else keysInSlot(client, Number(slot), null);
}

function getKeys(client: Client, args: Arguments): void {
  const slot = args.integer(2);
  const limit = args.integer(3);
  if (slot === undefined || limit === undefined) client.out.error(NOT_AN_INTEGER);
  else if (!isSlot(slot) || limit < 0n) client.out.error('ERR Invalid slot or number of keys');
  else keysInSlot(client, Number(slot), Number(limit));
}

const ANY = 'Taken, without effect: every node answers every key.';
const OWNERS =
  'The first owner of a slot stands as its master; as its replicas those that own all slots of this master. All of them take reads and writes.';

export const CLUSTER_BODIES: Readonly<Record<string, CommandBody>> = {
  'cluster|slots': { run: slots, isAlone: true, differs: OWNERS },
  'cluster|shards': { run: shards, isAlone: true, differs: OWNERS },
  'cluster|nodes': { run: nodes, isAlone: true, differs: 'Every member stands as a master.' },
  'cluster|info': { run: info, isAlone: true, differs: 'Without the counts of messages.' },
  'cluster|myid': {
    run: (client) => withMap(client, 'myid', (out, { selfId }) => out.bulkText(selfId)),
    isAlone: true,
  },
  'cluster|keyslot': { run: keySlot },
  'cluster|countkeysinslot': { run: countKeys, isAlone: true, differs: 'For the whole cluster.' },
  'cluster|getkeysinslot': { run: getKeys, isAlone: true, differs: 'For the whole cluster.' },
  'cluster|help': helpOf('CLUSTER', [
    'COUNTKEYSINSLOT <slot>',
    'GETKEYSINSLOT <slot> <count>',
    'INFO',
    'KEYSLOT <key>',
    'MYID',
    'NODES',
    'SHARDS',
    'SLOTS',
  ]),
  readonly: { run: ({ out }) => out.ok(), differs: ANY },
  readwrite: { run: ({ out }) => out.ok(), differs: ANY },
  asking: { run: ({ out }) => out.ok(), differs: ANY },
};
