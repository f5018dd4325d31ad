/** The events of nodes, and under which name each is counted. */
export const COUNTED_EVENTS: Readonly<Record<string, string>> = {
  'disk.low': 'diskLow',
  'replication.replay': 'replay',
  'sim.kill': 'processKilled',
  'peer.earlier': 'mixedLink',
  'sim.lifeBegun': 'lifeBegun',
  'sim.ownersGivenUp': 'ownersGivenUp',
  'sim.setAside': 'storeSetAside',
  'sim.unreadable': 'diskUnreadable',
  'scrub.ended': 'scrubbed',
  'scrub.found': 'scrubFound',
  'scrub.repaired': 'scrubRepaired',
  'record.row_damaged': 'rowDamaged',
  'record.spool_conflict': 'spoolConflict',
  'store.record_damaged': 'recordDamaged',
  'store.record_repaired': 'recordRepaired',
};
