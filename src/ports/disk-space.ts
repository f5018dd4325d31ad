/**
 * How much room is left where the node's store lies.
 *
 * Promises: `done` is called once, never within the call; what it tells was true at some moment since.
 * Does not promise: that a write of so many bytes will succeed (others use the disk, and an engine needs more than it
 * is given).
 */
export interface DiskSpace {
  look(done: (error: string | null, space: DiskUsage) => void): void;
}

export interface DiskUsage {
  /** Bytes that this process may still use. */
  readonly freeBytes: number;
  /** Of the whole disk. */
  readonly totalBytes: number;
  /** Files that can still be made. */
  readonly freeFiles: number;
  /** That the file system can have; 0: it does not count them. */
  readonly totalFiles: number;
}
