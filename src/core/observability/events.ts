/**
 * Every event that a node logs, by its stable name: what has happened and, where it needs attention, what to do about
 * it. docs/LOGS.md lists them for people; metrics count each of them.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export const EVENTS = {
  'copy.gives_way':
    'Copying slots has slowed down, since clients waited too long; it goes on as fast as they allow.',
  'disk.enough': 'There is room again where the store lies; the node takes its part in writes.',
  'disk.gone':
    'The data directory was moved, removed or replaced while the node has its store open: as with a full disk, it leaves writes to others, or refuses them.',
  'disk.low':
    'Too little is free where the store lies: writes are refused, and further down the node leaves them to others.',
  'disk.unknown': 'The free space cannot be read; it is not watched meanwhile.',
  'legacy.absence_doubted':
    'The legacy source says "not found" for keys with escaped characters, and never yet gave a value for such a key: not believed.',
  'legacy.breaker.closed': 'The legacy source is asked again.',
  'legacy.breaker.open': 'The legacy source fails too often; it is not asked for a while.',
  'legacy.denied': 'The legacy source refuses the credentials; they are read anew.',
  'legacy.mismatch':
    'The legacy source answered for another key than the one asked for; its connections are closed.',
  'legacy.paused': 'The legacy source asked for a pause and gets it.',
  'membership.clock.gap':
    'This process did not run for a while (stopped, suspended, starved): it gives up its lease.',
  'membership.clock.skew':
    "The wall clock of a peer and this one's differ by more than half a second: so does expiry.",
  'membership.disk.damaged': 'What the disk remembers of the cluster is damaged; the node asks the others.',
  'membership.disk.older':
    'This data directory is an older copy: the cluster has seen a later process of this member.',
  'membership.epoch': 'Another epoch is in force: members have come, gone, or finished copying.',
  'membership.foreign': 'A peer, or a topology, belongs to another cluster or another life of this one.',
  'membership.founders.differ': 'The members of a founding do not agree on what must be alike.',
  'membership.founding.awaits':
    'PostgreSQL holds a life of this cluster, and somebody may live in it: this blank node founds nothing, asks those who are named there to let it in, and looks for some seconds whether anybody notes that he is up.',
  'membership.founding.failed': 'The founding did not come about, and is tried again.',
  'membership.founding.refused':
    'A member does not take the first epoch that is proposed to it: it runs a version of the program that counts epochs otherwise. Nothing is founded until all run the same.',
  'membership.life.foreign':
    "PostgreSQL holds a later life that did not come of this node's, as another cluster's database does: it serves nothing more, and the process ends soon, and says why.",
  'membership.life.over':
    'PostgreSQL belongs to a later life of the cluster than this node: it serves nothing more, and looks for those who are up in that.',
  'membership.links_awaited':
    'This node has held no lease for five seconds, and no link stands with the members that are named: their processes, their addresses, or a firewall.',
  'membership.outside':
    'This node is part of nothing, and does not become that by itself: why, and what there is to do.',
  'membership.register.foreign': 'The register of another cluster was read; nothing of it is used.',
  'membership.settings.fixed':
    'A setting of this node differs from what the cluster keeps since its founding, which stays in force; the event names it and both values.',
  'membership.slow.removed':
    'A member was slow beside the others for so long that an epoch goes on without it.',
  'membership.store.failed': 'A promise of the council could not be brought to the disk.',
  'membership.succession': 'An operator begins another life of the cluster without those who are lost.',
  'node.fatal': 'The node cannot go on; the process ends, and is to be started again.',
  'node.fault': 'A fault of the program; the process ends, and is to be started again.',
  'node.listening': 'All doors are open.',
  'node.phase': 'The node is in another phase: founding, entering, learning, serving, stopping, left.',
  'node.start': 'The process begins.',
  'node.start_failed': 'The process could not start; the reason says what to change.',
  'node.stopped': 'The process ends in order.',
  'operation.slow': 'An operation took longer than `log.slowMs`; its parts say where the time went.',
  'operation.slow_left_out':
    'So many slow operations of the second before were not logged (`log.slowPerSecondMax`).',
  'outside.overtaken':
    'A row was changed by hand, and what it was changed from was replaced before the cluster had the change: it came to nothing. (After a loss of all owners of its slot it may have been visible for a moment.)',
  'outside.paused': 'Changes of rows by hand cannot be read, or settled, for the reason given.',
  'outside.refused':
    'A row was changed by hand to what no record can be, for the reason given; it is not taken.',
  'outside.written': 'A change of a row by hand is written at all owners.',
  'overload.began': 'More is asked for than gets done: what would wait too long is refused at once.',
  'overload.ended': 'Nothing is refused any more.',
  'peer.earlier': 'A peer speaks an earlier version of the protocol; it is spoken to in that one.',
  'peer.frame_damaged': 'A frame from a peer does not decode; nothing of it is used.',
  'peer.lines_left_out': 'So many refusals of peers and damaged frames of the second before were not logged.',
  'peer.refused':
    'A process that is no member, is set up differently, or bears the name of another one that is linked tried to connect as a peer.',
  'postgres.adoption.begun': "The first system's table is taken over.",
  'postgres.adoption.done': "The first system's table has been taken over.",
  'postgres.awaited': 'PostgreSQL is not there yet; the node waits for it.',
  'postgres.down': 'PostgreSQL does not answer, or is no primary; the reason says which.',
  'postgres.migrated': 'A numbered change of the schema was applied.',
  'postgres.refused':
    'PostgreSQL can be reached, but not be used as it is; only a person can put that right.',
  'postgres.up': 'PostgreSQL answers.',
  'record.checksum_conflict':
    'PostgreSQL has the same version of a key with another content: for people to decide.',
  'record.claimed': 'This cluster takes another PostgreSQL into use, as an operator said.',
  'record.commit.failed':
    'A statement failed or its outcome is unknown; it is repeated, which is harmless. The same failure is told every ten seconds, with the number of lines that were left out.',
  'record.drive':
    'PostgreSQL may have lost rows (failover, restore): all that this node holds is compared with it.',
  'record.drive_paused': 'That comparison waits, for the reason given.',
  'record.drive_refused':
    'PostgreSQL does not take a row of that slot, for the reason given; all others are driven, and it is tried again. Said twice a minute at most, with how many slots wait for that (`slots`).',
  'record.driven': 'That comparison is done; what was missing is committed again.',
  'record.floors_lower':
    'PostgreSQL has lower floors of slots than the owners: it lost its tail, or was accepted. They are brought to it.',
  'record.kept_out': 'A version at or below the floor of its slot was not written.',
  'record.left_below':
    'A record below a floor of PostgreSQL that this disk does not know was not committed again: the disk may have gone back.',
  'record.loaded': 'Every row that PostgreSQL had at the founding is held by the owners.',
  'record.loading_paused': 'Loading rows from PostgreSQL waits, for the reason given.',
  'record.removal_paused': 'Removing rows of forgotten deletions waits, for the reason given.',
  'record.row_damaged':
    'A row of PostgreSQL does not fit its checksum, or cannot be read there; it is not used.',
  'record.rows_lost': 'PostgreSQL lacks rows that it had committed: it has lost its tail, or was restored.',
  'record.spool_conflict':
    'A row was changed from outside while a write of it waited for PostgreSQL; the row stands.',
  'record.spool_drained': 'All that waited for PostgreSQL on this disk is written.',
  'record.spool_entered':
    'PostgreSQL is away: writes complete on the disks of the owners and wait for it there.',
  'record.spool_left': 'Writes wait for PostgreSQL again before they complete.',
  'recovery.begun': 'Slots that an operator gave up are filled from PostgreSQL.',
  'recovery.cleared': 'A version of a slot that was given up was removed: PostgreSQL does not have it.',
  'recovery.deleted':
    'A row of a slot that was given up was left out: its key was deleted, which PostgreSQL has lost.',
  'recovery.paused': 'Filling those slots waits, for the reason given.',
  'recovery.row_damaged': 'A row needed for a slot that was given up does not fit its checksum.',
  'recovery.row_unreadable':
    'A row of a slot that was given up cannot be read in PostgreSQL, or was changed by hand to a value above the limit, and this disk does not have its version: the slot waits until the row is mended.',
  'replication.checksum_conflict':
    'Two owners hold one version of a key with two contents: for people to decide.',
  'replication.counter_jump': "A version is far above all others seen: a peer's, or a disk's, is damaged.",
  'replication.refused': 'An owner cannot take a version now; it is asked again.',
  'replication.replay': 'A write whose coordinator is gone is finished by this node.',
  'scrub.conflict': 'Scrubbing found one version with two contents: for people to decide.',
  'scrub.digest_corrected': 'A digest did not tell what is on the disk; it was counted anew.',
  'scrub.ended': 'A round of scrubbing is done; its findings are given.',
  'scrub.found': 'Scrubbing found a copy that is damaged or behind, on a disk or in PostgreSQL.',
  'scrub.repaired': 'That copy is right again.',
  'scrub.uncompared': 'Slots could not be compared with another owner or with PostgreSQL.',
  'scrub.unrepaired': 'That copy could not be put right, for the reason given.',
  'store.damaged': 'Records of this store do not fit their checksums; they are fetched from other owners.',
  'store.gone_back':
    'This disk is older than what PostgreSQL knows of its slots (an old copy, a snapshot): what was deleted since is looked for and removed.',
  'store.leftover_cleared':
    'A record that such a disk had left over, and that was deleted since, was removed.',
  'store.read_damaged': 'The engine could not read a block of its files.',
  'store.record_damaged':
    'A record was asked for and does not fit its checksum; it is fetched from another owner.',
  'store.record_repaired': 'That record is right again.',
  'store.set_aside': 'The store could not be opened, was moved aside, and a blank one filled from the peers.',
  'tombstone.forgotten': 'A deletion was forgotten: nothing can bring its key back any more.',
  'traces.export_failed':
    'The collector of traces did not take spans; they are lost, and it is tried again later.',
  'traces.export_recovered': 'The collector takes spans again.',
  'traces.off': 'Traces were asked for and stay off, for the reason given.',
  'traces.setting_ignored': 'A variable that chooses what is traced makes no sense, and is ignored.',
} as const satisfies Readonly<Record<string, string>>;

export type EventName = keyof typeof EVENTS;

/** Things that are only counted, not logged. */
export const COUNTERS = {
  'legacy.calls': 'Requests sent to the legacy source.',
  'legacy.failures': 'Requests to the legacy source that failed.',
  'legacy.retries': 'Requests to the legacy source that were repeated.',
  'membership.attempts': "Attempts to write the council's register.",
  'record.retries': 'Calls of PostgreSQL that lost against another transaction and were made again.',
  'record.rows_removed': 'Rows of forgotten deletions that were removed from PostgreSQL.',
  'store.records_damaged': 'Records on this disk that did not fit their checksums.',
  'store.records_expired': 'Records that this node removed as their time had passed.',
  'store.records_repaired': 'Damaged records that were fetched from another owner.',
  'traces.dropped': 'Spans that found no room, or no collector.',
} as const satisfies Readonly<Record<string, string>>;

export type CounterName = keyof typeof COUNTERS;
