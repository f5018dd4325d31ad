/**
 * The cluster as Redis clients know one: members with an id of 40 characters and an address, and ranges of slots with
 * those who serve them. Of a member only what is known is told: without the address of its Redis door it is left out.
 */
import { createHash } from 'node:crypto';
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../../core/limits.ts';
import type { SlotMap } from '../../core/slot-map.ts';
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
  /** At least one: who is asked first, and who owns all slots of which it is asked first. */
  readonly members: readonly MappedMember[];
}

export interface ClusterMap {
  readonly epoch: number;
  readonly selfId: string;
  readonly members: readonly MappedMember[];
  readonly ranges: readonly MappedRange[];
}

/** Replies that were made of one map: there may be some thousand ranges, and all clients ask for the same. */
export class MapReplies {
  private map: SlotMap | null = null;
  private readonly replies = new Map<string, Uint8Array>();

  /** `name`: of the command, with all else that the reply depends on. */
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

/** Commands, protocols and a few addresses at which a node is reached. */
const REPLIES_MAX = 32;

/** Asks the node, and replies with what `respond` makes of it; the same map makes the same reply. */
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
    // What is written down counts more than what a member says. A client has reached this node where it knows it to be.
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
    // This node answers in the place of an owner that cannot be named.
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

/** Ranges beside each other with the same first member are one, for all slots of one have the same others. */
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
 * A replica of Redis holds all that its master holds: so those are told who own every slot for which a member is first.
 * Some clients take only slots with the same nodes in the same order for one group, send what goes together in as many
 * pieces as there are groups, and refuse a pipeline over two of them (`ioredis`): so there is one group for each master.
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

/** Of a member's name, which stays with it through restarts. */
function idOf(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}
