/**
 * Keeps one PostgreSQL for a test process. It is a separate process that watches its standard input: when that closes,
 * because the tests ended or were killed, the server is stopped and its directory removed.
 *
 * Arguments: program, data directory, port, user id (or -1). Commands, one per line: start, kill, stop, pause, resume.
 */
import { execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

const [program, dataDirectory, port, userId] = process.argv.slice(2);
const identity = userId === '-1' ? {} : { uid: Number(userId), gid: Number(userId) };
let server = null;

function start() {
  if (server !== null) return;
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `port=${port}`, 'max_connections=200'];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const child = spawn(program, ['-D', dataDirectory, '-k', dataDirectory, ...flags], {
    ...identity,
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: dataDirectory,
  });
  child.on('error', (error) => console.error(error.message));
  child.on('exit', () => {
    if (server === child) server = null;
  });
  server = child;
}

/** The server before its backends, so that it starts no new one in between. Each has a process group of its own. */
function signalAll(signal) {
  if (server === null) return;
  const tell = (pid) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
  };
  tell(server.pid);
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim();
  for (const row of table.split('\n')) {
    const [pid, parent] = row.trim().split(/\s+/).map(Number);
    if (parent === server.pid) tell(pid);
  }
}

function end(signal, whenGone) {
  if (server === null) return whenGone();
  signalAll('SIGCONT');
  const child = server;
  child.once('exit', whenGone);
  child.kill(signal);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'start') start();
    // SIGQUIT is PostgreSQL's immediate shutdown: every backend stops where it is, as in a crash.
    if (line === 'kill') end('SIGQUIT', () => process.stdout.write('killed\n'));
    // SIGINT is its fast shutdown: backends are ended, everything is written.
    if (line === 'stop') end('SIGINT', () => process.stdout.write('stopped\n'));
    if (line === 'pause') signalAll('SIGSTOP');
    if (line === 'resume') signalAll('SIGCONT');
  })
  .on('close', () => {
    end('SIGQUIT', () => {
      rmSync(dirname(dataDirectory), { recursive: true, force: true });
      process.exit(0);
    });
  });
