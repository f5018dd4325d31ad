/**
 * What a row shows that was changed by hand, where its slot is made whole without the version that was changed: a write
 * in flight under a version of its own, since one version never has two contents. Whoever makes the slot whole finishes
 * it like any write that nobody coordinates any more. (PROTOCOL R13, R28, decision 43)
 */
import type { HeldRecord } from '../../core/message.ts';
import { shownAsKept } from '../../core/kept-types.ts';
import type { Mutations } from '../../core/mutations.ts';
import { recordOf } from '../../core/record.ts';
import type { KeyRecord } from '../../core/record.ts';
import { NOBODY } from '../../core/replication/key-state.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import { counterOf, makeVersion } from '../../core/version.ts';
import { sealRecord } from '../../wire/record-codec.ts';

/**
 * `counterKnown`: the highest counter known of the key or its slot here. `recorded`: keys with this prefix are not
 * written to PostgreSQL.
 */
export function aboveEdited(
  shown: KeyRecord,
  { topology, selfId }: SlotView,
  counterKnown: number,
  recorded: boolean,
  mutations: Mutations,
): HeldRecord {
  const kept = shownAsKept(shown, topology, mutations);
  const counter = Math.max(counterOf(shown.version), topology.floorCounter, counterKnown) + 1;
  return {
    sealed: sealRecord(recordOf(kept, makeVersion(counter, selfId))),
    conditional: true,
    recorded,
    coordinator: NOBODY,
    base: shown.version,
    operations: null,
    valid: false,
  };
}
