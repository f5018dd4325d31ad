/** Limits of the disk that holds a node's store; the others are in `limits.ts`. (disk-room.ts) */
import { assert } from '../../base/assert.ts';

/**
 * Files that must remain creatable: a store creates some dozens at a time, and only then removes those that they
 * replace.
 */
export const DISK_FILES_RESERVE = 1_000;
/** Upper bound of the above, as a fraction of the files that the file system can hold. */
export const DISK_FILES_SHARE_MAX = 0.01;
assert(DISK_FILES_SHARE_MAX < 0.1, 'a small file system is not low from the start');
