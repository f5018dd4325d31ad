/** `causeway set` without a value, before a real door: whoever sits at a terminal learns that it waits for them. */
import { expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

test.each([
  ['a terminal', true, 'The value, and Ctrl-D at its end:\n'],
  ['a pipe', false, ''],
])('a value that comes from %s: read to its end', async (_name, isTerminal, said) => {
  const doors = await openDoors();
  try {
    const { ran, io } = keptIo('typed', isTerminal);
    await runCommand(['set', 'a', '--nodes', doors.address], io);
    expect(ran).toEqual({ code: 0, out: '', err: said });
    const { ran: read, io: reading } = keptIo();
    await runCommand(['get', 'a', '--nodes', doors.address], reading);
    expect(read.out).toBe('typed');
  } finally {
    await doors.stop();
  }
});
