/**
 * Standard output that takes what it is given whole, or fails. Where it leads into a file Node asks the system once, and does not
 * look at how much that took: on a disk that fills up the end of an export was missing, and nobody was told.
 */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isSystemError } from '../base/system-reason.ts';
import type { Output } from './client-command.ts';

/** The stream itself, unless it leads into a file. */
export function wholeOutput<Stream extends Output & { readonly fd: number }>(
  stream: Stream,
): Stream | FileOutput {
  const bytesBefore = fileBytes(stream.fd);
  return bytesBefore === null ? stream : new FileOutput(stream.fd, bytesBefore > 0);
}

class FileOutput extends Writable {
  /** There was something in the file before, which may have been broken off within a line. */
  readonly isAppended: boolean;
  private readonly fd: number;

  constructor(fd: number, isAppended: boolean) {
    super();
    this.fd = fd;
    this.isAppended = isAppended;
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

/** Null where it is no file. */
function fileBytes(fd: number): number | null {
  try {
    // In big integers: after a look at a pipe in others Node 20 resolves no symbolic link of a module any more, because
    // `realpathSync` takes what that look left behind for what it found itself. (test/long/package.test.ts)
    const found = fstatSync(fd, { bigint: true });
    return found.isFile() ? Number(found.size) : null;
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}
