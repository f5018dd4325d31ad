/** Limits of the disk that a node's store lies on, as those in `limits.ts`. (disk-room.ts) */
import { assert } from '../base/assert.ts';

/** Files that are to stay possible: a store makes some dozens at a time, and removes those that they replace afterwards. */
export const DISK_FILES_RESERVE = 1_000;
/** But never more than this share of what the file system has. */
export const DISK_FILES_SHARE_MAX = 0.01;
assert(DISK_FILES_SHARE_MAX < 0.1, 'a small file system is not low from the start');
