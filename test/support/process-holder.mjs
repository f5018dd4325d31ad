/**
 * Holds a process: stopped altogether, or in slices. It runs in a process of its own and watches its standard
 * input: when that closes, because the run let go or was killed itself, the process goes on and this one ends.
 *
 * Arguments: process id, milliseconds it runs, milliseconds it stands still; 0 and any number: it never runs.
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
