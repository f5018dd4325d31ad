/**
 * The cluster as Redis clients know one: members with an id of 40 characters and an address, and ranges of slots with
 * those who serve them. Of a member only what is known is told: without the address of its Redis door it is left out.
 */
import { createHash } from 'node:crypto';
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../../core/limits.ts';
import type { SlotMap } from '../../node/api.ts';
import type { Client } from './client.ts';
import { errorText } from './error-replies.ts';
import type { ReplyWriter } from './reply-writer.ts';

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

/** Asks the node, and replies with what `respond` makes of it. */
export function withMap(client: Client, respond: (out: ReplyWriter, map: ClusterMap) => void): void {
  const pending = client.beginAlone();
  client.api.operate({ kind: 'slots' }, OPERATION_TIMEOUT_MS_DEFAULT, (answer) => {
    pending.end((out) => {
      if (answer.kind === 'slots') respond(out, mapOf(client, answer.map));
      else if (answer.kind === 'failed') out.error(errorText(answer.failure));
      else out.error('INDEFINITE internal: an odd answer');
    });
  });
}

function mapOf(client: Client, { epoch, members, ranges }: SlotMap): ClusterMap {
  const { door, line } = client;
  const { addresses, nodeName } = door.settings;
  const known = new Map<string, MappedMember>();
  for (const { name, alive } of members) {
    // A client has reached this node at the address that it knows.
    const address = addresses.get(name) ?? (name === nodeName ? line.localAddress : undefined);
    const at = address?.lastIndexOf(':') ?? -1;
    if (address === undefined || at < 0) continue;
    const host = address.slice(0, at).replace(/^\[|\]$/g, '');
    known.set(name, { nodeId: idOf(name), host, port: Number(address.slice(at + 1)), alive });
  }
  const self = known.get(nodeName);
  const mapped = ranges.map(({ from, to, owners }) => {
    const found = owners.map((name) => known.get(name)).filter((member) => member !== undefined);
    const isFirstKnown = found[0]?.nodeId === idOf(owners[0] ?? '');
    // This node answers in the place of an owner that cannot be named.
    const first = isFirstKnown || self === undefined ? [] : [self];
    const others = found.filter((member) => member !== first[0]);
    return { from, to, members: [...first, ...others] };
  });
  return {
    epoch,
    selfId: idOf(nodeName),
    members: [...known.values()],
    ranges: mapped.filter((range) => range.members.length > 0),
  };
}

/** Of a member's name, which stays with it through restarts. */
function idOf(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}
