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
  /** At least one: who is asked first, and the others. */
  readonly members: readonly MappedMember[];
}

export interface ClusterMap {
  readonly epoch: number;
  readonly selfId: string;
  readonly members: readonly MappedMember[];
  readonly ranges: readonly MappedRange[];
}

/** Replies that were made of one map: there are some ten thousand ranges, and all clients ask for the same. */
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
  const mapped = ranges.map(({ from, to, owners }) => {
    const found = owners.map((name) => known.get(name)).filter((member) => member !== undefined);
    // This node answers in the place of an owner that cannot be named.
    const first = known.has(owners[0] ?? '') || self === undefined ? found[0] : self;
    const others = found.filter((member) => member !== first).sort(compareIds);
    return { from, to, members: first === undefined ? [] : [first, ...others] };
  });
  return {
    epoch,
    selfId: idOf(nodeName),
    members: [...known.values()],
    ranges: joined(mapped.filter((range) => range.members.length > 0)),
  };
}

/**
 * Of those behind the first one the order means nothing to clients. Some take slots for one group only where it is the same, and send
 * what goes together in as many pieces as there are groups: `ioredis` does, and refuses a pipeline over two of them.
 */
function compareIds(a: MappedMember, b: MappedMember): number {
  return a.nodeId < b.nodeId ? -1 : 1;
}

/** Ranges beside each other with the same members are one. */
function joined(ranges: readonly MappedRange[]): MappedRange[] {
  const found: MappedRange[] = [];
  for (const range of ranges) {
    const last = found.at(-1);
    const goesOn = last !== undefined && last.to + 1 === range.from && areSame(last.members, range.members);
    if (goesOn) found[found.length - 1] = { ...last, to: range.to };
    else found.push(range);
  }
  return found;
}

function areSame(some: readonly MappedMember[], others: readonly MappedMember[]): boolean {
  return some.length === others.length && some.every((member, at) => member === others[at]);
}

/** Of a member's name, which stays with it through restarts. */
function idOf(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}
