/**
 * The distribution of the slots of a simulated cluster, as in a real one. Every seed founds one of a few clusters, in
 * which mostly the same members come and go, so results that depend only on the members and the previous table are
 * cached.
 */
import { SLOT_COUNT } from '../src/core/limits.ts';
import { placeSlots, rowsOf } from '../src/core/placement/slot-table.ts';
import type { OwnersOfSlot } from '../src/core/placement/slot-table.ts';
import type { Place, Placement } from '../src/core/membership/topology-change.ts';
import { checksumOf } from '../src/wire/checksum.ts';
import { crc32Text } from '../src/wire/text-checksum.ts';

/** Tables of about 40 KB each. */
const REMEMBERED_MAX = 400;

export const simHash32 = (text: string): number => crc32Text(text);

/** A previous table: lists of owners, and for each slot the number of its list. */
interface Before {
  readonly lists: string;
  readonly numbers: Uint16Array;
}

const NOTHING_BEFORE: Before = { lists: '', numbers: new Uint16Array(0) };

const remembered = new Map<string, { readonly numbers: Uint16Array; readonly placement: Placement }>();

export function simPlaceOf(replicaCount: number): Place {
  return (members, previous) => {
    const facts = members.map(({ id, name, zone, host, weight }) => [id, name, zone, host, weight]);
    const { lists, numbers } = previous === null ? NOTHING_BEFORE : beforeOf(previous);
    const bytes = new Uint8Array(numbers.buffer);
    const change = JSON.stringify([replicaCount, facts, lists, checksumOf(bytes, 0, bytes.length)]);
    const known = remembered.get(change);
    if (known !== undefined && Buffer.compare(new Uint8Array(known.numbers.buffer), bytes) === 0)
      return known.placement;
    const placement = rowsOf(placeSlots({ members, replicaCount, previous, hash32: simHash32 }));
    if (remembered.size >= REMEMBERED_MAX) remembered.delete(remembered.keys().next().value!);
    remembered.set(change, { numbers, placement });
    return placement;
  };
}

function beforeOf(previous: OwnersOfSlot): Before {
  const lists: string[] = [];
  const numberOf = new Map<readonly number[], number>();
  const numbers = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const owners = previous(slot);
    let number = numberOf.get(owners);
    if (number === undefined) {
      number = lists.push(owners.join()) - 1;
      numberOf.set(owners, number);
    }
    numbers[slot] = number;
  }
  return { lists: lists.join(';'), numbers };
}
