/** Whether a directory is fit for a node's store, judged by facts that were measured elsewhere. */
import { fault, millisecondsText, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { bytesText } from './figures.ts';

export interface DiskFacts {
  /** The directory, or its nearest ancestor that exists. */
  readonly path: string;
  readonly exists: boolean;
  /** Why nothing can be written there; '' if it can. */
  readonly refusal: string;
  readonly fileSystem: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** 0 of 0 means that this file system creates inodes as needed. */
  readonly inodesFree: number;
  readonly inodesTotal: number;
  /** Milliseconds that each sync of a small write took, sorted; empty if not measured. */
  readonly syncMs: readonly number[];
  /** Throughput of one large synced write; 0 if not measured. */
  readonly bytesPerSecond: number;
}

export interface DiskNeeds {
  /** 0 means that free space is not watched. */
  readonly reserveBytes: number;
  readonly reserveShareMax: number;
}

const SYNC_MS_MEDIAN_MAX = 10;
const SYNC_MS_MAX = 250;
/** A faster disk does not really sync what it acknowledges. */
const SYNC_MS_MEDIAN_MIN = 0.015;
const BYTES_PER_SECOND_MIN = 20 * 1024 * 1024;
const INODES_MIN = 10_000;
const ROOM_FACTOR = 4;

const LOST_ON_RESTART = ['tmpfs', 'ramfs'];
const REMOTE = ['nfs', 'cifs', 'smb', '9p', 'fuse'];

export function judgeDisk(facts: DiskFacts, needs: DiskNeeds): Finding[] {
  if (facts.refusal !== '')
    return [
      fault(
        `nothing can be written to ${facts.path}: ${facts.refusal}`,
        'give the user of the node the directory (chown), or name another one as node.dataDir',
      ),
    ];
  const where = facts.exists ? facts.path : `${facts.path} (the data directory is made at the first start)`;
  return [
    judgeKind(facts, where),
    judgeRoom(facts, needs),
    ...judgeInodes(facts),
    ...judgeSync(facts.syncMs),
    ...judgeSpeed(facts.bytesPerSecond),
  ];
}

function judgeKind({ fileSystem }: DiskFacts, where: string): Finding {
  const text = `${where} on ${fileSystem}`;
  if (LOST_ON_RESTART.includes(fileSystem))
    return fault(`${text}: in memory, and lost with the machine`, 'choose a directory on a disk');
  if (fileSystem === 'overlay')
    return warning(
      `${text}: a container's own layer, lost with the container`,
      'mount a volume at node.dataDir',
    );
  if (REMOTE.includes(fileSystem))
    return warning(
      `${text}: a network's disk, which may hang, or claim a sync that it has not done`,
      'choose a disk of this machine, or a block device',
    );
  return ok(text);
}

function judgeRoom({ freeBytes, totalBytes }: DiskFacts, needs: DiskNeeds): Finding {
  const text = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} free`;
  if (needs.reserveBytes === 0) return note(`${text}; it is not watched (disk.reserveBytes is 0)`);
  const reserve = Math.min(needs.reserveBytes, Math.floor(totalBytes * needs.reserveShareMax));
  const kept = `${bytesText(reserve)} are to stay so`;
  if (freeBytes < reserve)
    return fault(`${text}, ${kept}: the node would take no part in writes`, 'free space, or a larger disk');
  if (freeBytes < reserve * ROOM_FACTOR)
    return warning(`${text}, ${kept}`, 'free space, or a larger disk, before it is needed');
  return ok(`${text}, ${kept}`);
}

function judgeInodes({ inodesFree, inodesTotal }: DiskFacts): Finding[] {
  if (inodesTotal === 0) return [];
  const text = `${inodesFree} of ${inodesTotal} inodes free`;
  if (inodesFree < INODES_MIN)
    return [warning(text, 'remove small files: without a free inode the store cannot make a new one')];
  return [ok(text)];
}

function judgeSync(syncMs: readonly number[]): Finding[] {
  if (syncMs.length === 0) return [];
  const median = syncMs[Math.floor(syncMs.length / 2)]!;
  const most = syncMs.at(-1)!;
  const text = `a sync takes ${millisecondsText(median)} (median), ${millisecondsText(most)} at most, of ${syncMs.length}`;
  if (median > SYNC_MS_MEDIAN_MAX)
    return [
      warning(
        `${text}: every write waits for it at every owner`,
        'a disk that syncs within a millisecond: an SSD with a protected cache, or NVMe',
      ),
    ];
  if (most > SYNC_MS_MAX)
    return [
      warning(text, 'see what else writes to this disk (iostat -x 1): now and then writes wait that long'),
    ];
  if (median < SYNC_MS_MEDIAN_MIN)
    return [
      note(
        `${text}: too fast for a disk that keeps what it says`,
        'see whether a cache on the way obeys syncs (cache=unsafe of a virtual disk, nobarrier)',
      ),
    ];
  return [ok(text)];
}

function judgeSpeed(bytesPerSecond: number): Finding[] {
  if (bytesPerSecond === 0) return [];
  const text = `${bytesText(bytesPerSecond)}/s are written and synced`;
  return bytesPerSecond < BYTES_PER_SECOND_MIN
    ? [warning(text, 'a faster disk: taking over slots of others, and compaction, would hold up writes')]
    : [ok(text)];
}
