/**
 * Holds a process: stopped completely, or running in slices. It is a separate process that watches its standard input:
 * when that closes, because the process was released or the holder's parent was killed, the held process continues and
 * this one ends.
 *
 * Arguments: process id, milliseconds that it runs, milliseconds that it stands still; 0 and any number: it never runs.
 */
const [pid, runMs, stillMs] = process.argv.slice(2).map(Number);
let timer;

function tell(signal) {
  try {
    process.kill(pid, signal);
  } catch {
    process.exit(0);
  }
}

function stop() {
  tell('SIGSTOP');
  if (runMs > 0) timer = setTimeout(run, stillMs);
}

function run() {
  tell('SIGCONT');
  timer = setTimeout(stop, runMs);
}

stop();
process.stdout.write('held\n');
process.stdin.resume();
process.stdin.on('close', () => {
  clearTimeout(timer);
  tell('SIGCONT');
  process.exit(0);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
