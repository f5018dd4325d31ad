/**
 * The cluster in terms of Redis Cluster: members with an id of 40 characters and an address, and ranges of slots with
 * the members that serve them. A member whose Redis address is not known is left out.
 */
import { createHash } from 'node:crypto';
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../../core/limits.ts';
import type { SlotMap } from '../../core/clients/slot-map.ts';
import type { Client } from './client.ts';
import { errorText } from './error-replies.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { Protocol } from './reply-writer.ts';

export interface MappedMember {
  readonly nodeId: string;
  readonly host: string;
  readonly port: number;
  readonly alive: boolean;
}

export interface MappedRange {
  readonly from: number;
  readonly to: number;
  /**
   * At least one. The first is the slots' first owner (their master); the others own all slots of which it is the first
   * owner.
   */
  readonly members: readonly MappedMember[];
}

export interface ClusterMap {
  readonly epoch: number;
  readonly selfId: string;
  readonly members: readonly MappedMember[];
  readonly ranges: readonly MappedRange[];
}

/** Caches replies made from the same map: there may be a thousand ranges, and all clients ask for the same. */
export class MapReplies {
  private map: SlotMap | null = null;
  private readonly replies = new Map<string, Uint8Array>();

  /** `name` is the command, with everything else that the reply depends on. */
  replyOf(map: SlotMap, protocol: Protocol, name: string, write: (out: ReplyWriter) => void): Uint8Array {
    if (this.map !== map || this.replies.size > REPLIES_MAX) this.replies.clear();
    this.map = map;
    const known = this.replies.get(`${protocol} ${name}`);
    if (known !== undefined) return known;
    const out = new ReplyWriter(protocol);
    write(out);
    const made = Buffer.concat(out.taken());
    this.replies.set(`${protocol} ${name}`, made);
    return made;
  }
}

/** Enough for all commands and protocols and a few addresses under which a node is reached. */
const REPLIES_MAX = 32;

/** Asks the node for its map and replies with what `respond` writes; the same map gives the same reply. */
export function withMap(
  client: Client,
  name: string,
  respond: (out: ReplyWriter, map: ClusterMap) => void,
): void {
  const { door, line } = client;
  const pending = client.beginAlone();
  client.api.operate({ kind: 'slots' }, OPERATION_TIMEOUT_MS_DEFAULT, (answer) => {
    pending.end((out) => {
      if (answer.kind === 'failed') return out.error(errorText(answer.failure));
      if (answer.kind !== 'slots') return out.error('INDEFINITE internal: an odd answer');
      const { map } = answer;
      const write = (into: ReplyWriter): void => respond(into, mapOf(client, map));
      out.raw(door.mapReplies.replyOf(map, out.protocol, `${name} ${line.localAddress}`, write));
    });
  });
}

function mapOf(client: Client, { epoch, members, ranges }: SlotMap): ClusterMap {
  const { door, line } = client;
  const { addresses, nodeName } = door.settings;
  const known = new Map<string, MappedMember>();
  for (const { name, alive, resp } of members) {
    // A configured address takes precedence over what the member reports. This node's own address defaults to the one
    // at which the client has reached it.
    const told = addresses.get(name) ?? resp;
    const address = told === '' && name === nodeName ? line.localAddress : told;
    const at = address.lastIndexOf(':');
    if (at < 0) continue;
    const host = address.slice(0, at).replace(/^\[|\]$/g, '');
    known.set(name, { nodeId: idOf(name), host, port: Number(address.slice(at + 1)), alive });
  }
  const self = known.get(nodeName);
  const served = ranges.flatMap(({ from, to, owners }): ServedRange[] => {
    const found = owners.map((name) => known.get(name)).filter((member) => member !== undefined);
    // This node answers in place of a first owner whose address is not known.
    const first = known.has(owners[0] ?? '') || self === undefined ? found[0] : self;
    return first === undefined ? [] : [{ from, to, first, others: found.filter((each) => each !== first) }];
  });
  return { epoch, selfId: idOf(nodeName), members: [...known.values()], ranges: joined(served) };
}

interface ServedRange {
  readonly from: number;
  readonly to: number;
  readonly first: MappedMember;
  readonly others: readonly MappedMember[];
}

/** Merges adjacent ranges with the same first owner; all slots of one first owner have the same others. */
function joined(ranges: readonly ServedRange[]): MappedRange[] {
  const others = othersOfFirst(ranges);
  const found: MappedRange[] = [];
  for (const { from, to, first } of ranges) {
    const last = found.at(-1);
    const goesOn = last?.members[0] === first && last.to + 1 === from;
    if (goesOn) found[found.length - 1] = { ...last, to };
    else found.push({ from, to, members: [first, ...others.get(first)!] });
  }
  return found;
}

/**
 * For each first owner: the members that own every slot of which it is the first owner. A Redis replica holds
 * everything that its master holds, so only such members may be listed as replicas. Every master gets a single list,
 * because some clients (`ioredis`) group slots by their exact list of nodes: they split what belongs together into as
 * many pieces as there are groups, and refuse a pipeline over two of them.
 */
function othersOfFirst(ranges: readonly ServedRange[]): ReadonlyMap<MappedMember, readonly MappedMember[]> {
  const found = new Map<MappedMember, readonly MappedMember[]>();
  for (const { first, others } of ranges) {
    const known = found.get(first);
    if (known === undefined) found.set(first, [...others].sort(compareIds));
    else if (!known.every((each) => others.includes(each)))
      found.set(
        first,
        known.filter((each) => others.includes(each)),
      );
  }
  return found;
}

function compareIds(a: MappedMember, b: MappedMember): number {
  return a.nodeId < b.nodeId ? -1 : 1;
}

/** Derived from the member's name, so that it survives restarts. */
function idOf(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}
