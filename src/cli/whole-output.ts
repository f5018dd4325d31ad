/**
 * Standard output that writes everything it is given, or fails. For a file, Node makes a single system call and ignores
 * how much that wrote: on a disk that filled up, the end of an export was missing without any error.
 */
import { fdatasyncSync, fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isSystemError } from '../base/system-reason.ts';
import type { Output } from './client-command.ts';

/** Returns the stream itself, unless it is a file. */
export function wholeOutput<Stream extends Output & { readonly fd: number }>(
  stream: Stream,
): Stream | FileOutput {
  const bytesBefore = fileBytes(stream.fd);
  return bytesBefore === null ? stream : new FileOutput(stream.fd, bytesBefore > 0);
}

class FileOutput extends Writable {
  /** The file was not empty before, and may end in the middle of a line. */
  readonly isAppended: boolean;
  private readonly fd: number;

  constructor(fd: number, isAppended: boolean) {
    super();
    this.fd = fd;
    this.isAppended = isAppended;
  }

  /** What was written until now is on disk. */
  sync(): void {
    fdatasyncSync(this.fd);
  }

  override _write(bytes: Uint8Array, _encoding: unknown, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      return done(error as Error);
    }
    done();
  }
}

/** The size of the file; null if it is not a file. */
function fileBytes(fd: number): number | null {
  try {
    // With `bigint`, because of a bug in Node 20: fstat of a pipe without it leaves data behind that `realpathSync`
    // takes for its own result, and modules behind symbolic links can no longer be resolved.
    // (test/long/package.test.ts)
    const found = fstatSync(fd, { bigint: true });
    return found.isFile() ? Number(found.size) : null;
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}
