/**
 * A causeway.js for tests of the supervisor: its real commands, and a fake `node` (it listens, says that it is ready,
 * and ends itself with exit code 7 when /crash is requested).
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Command } from 'commander';
import { parse } from 'yaml';
import { guardCommand } from '../../src/cli/guard.ts';
import { legacySampleCommand } from '../../src/cli/legacy-sample.ts';
import { upCommand } from '../../src/cli/up.ts';
import { watchParent } from '../../src/supervisor/watch-parent.ts';

const program = new Command('causeway');
upCommand(program);
guardCommand(program);
legacySampleCommand(program);
program.command('node').requiredOption('--config <file>').action(runFakeNode);
await program.parseAsync();

function runFakeNode({ config }: { config: string }): void {
  const { node, http, cluster } = parse(readFileSync(config, 'utf8')) as {
    node: { name: string };
    http: { host: string; port: number };
    cluster: { members: { name: string }[] };
  };
  const leave = (): void => process.exit(0);
  watchParent(leave);
  process.on('SIGTERM', leave);
  const startedAt = performance.now();
  const status = {
    name: node.name,
    phase: 'serving',
    epoch: 1,
    leaseHeld: true,
    members: cluster.members.map(({ name }) => ({ name, alive: true })),
    record: { state: 'up', reason: '' },
    legacy: { state: 'up', reason: '', calls: 0 },
    keysHeld: 0,
    operations: { reads: 0, writes: 0, failures: 0, staleReads: 0 },
  };
  const server = createServer((request, response) => {
    if (request.url === '/crash') process.exit(7);
    const ready = performance.now() - startedAt > 300;
    if (request.url === '/readyz') response.writeHead(ready ? 200 : 503).end(ready ? 'ready' : 'warming up');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(status));
  });
  server.listen(http.port, http.host);
}
