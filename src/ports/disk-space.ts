/**
 * Free space on the disk that holds the node's store.
 *
 * Promises: `done` is called once, never within the call; its result was true at some moment since the call. Does not
 * promise that a write of that many bytes will succeed (others use the disk, and a storage engine needs more than it is
 * given).
 */
export interface DiskSpace {
  look(done: (error: string | null, space: DiskUsage) => void): void;
}

export interface DiskUsage {
  /** Bytes that this process may still use. */
  readonly freeBytes: number;
  /** Of the whole disk. */
  readonly totalBytes: number;
  /** Files that can still be created. */
  readonly freeFiles: number;
  /** Files that the file system can hold; 0 if it does not count them. */
  readonly totalFiles: number;
  /**
   * What was in the place of the store at the first look is not there now: it was moved, removed or replaced, so whoever
   * opens the store next will not find what is written now. The numbers mean nothing then.
   */
  readonly isGone: boolean;
}
