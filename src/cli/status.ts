/** `causeway status`: every node's own word on itself, one line each; done only if all serve. */
import type { Command } from 'commander';
import type { NodeStatus } from '../node/api.ts';
import {
  addClientOptions,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  printJson,
  withClient,
} from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { tableLines } from './table.ts';

type Told = { readonly address: string } & ({ readonly status: NodeStatus } | { readonly fault: string });

export function statusCommand(program: Command, io: CommandIo): void {
  const command = program.command('status').description('show the state of each node');
  addClientOptions(command).action((options: ClientOptions) =>
    withClient(io, options, async (client) => {
      const told = await Promise.all(
        client.nodes.map(async (address): Promise<Told> => {
          try {
            return { address, status: (await client.status(address)) as NodeStatus };
          } catch (error) {
            return { address, fault: error instanceof Error ? error.message : String(error) };
          }
        }),
      );
      if (options.json) printJson(io, { nodes: told });
      else io.stdout.write(`${statusLines(told).join('\n')}\n`);
      return exitCode(told);
    }),
  );
}

function exitCode(told: readonly Told[]): number {
  if (told.every((node) => 'fault' in node)) return EXIT_DEFINITE;
  const allServe = told.every(
    (node) => 'status' in node && node.status.phase === 'serving' && node.status.leaseHeld,
  );
  return allServe ? EXIT_OK : EXIT_NO;
}

const HEADINGS = ['NODE', 'ADDRESS', 'STATE', 'EPOCH', 'ALIVE', 'KEYS', 'BUSY', 'POSTGRES', 'LEGACY'];

function statusLines(told: readonly Told[]): string[] {
  const lines = tableLines(HEADINGS, told.map(asRow));
  for (const node of told) {
    if ('fault' in node) {
      lines.push(`${node.address}: ${node.fault}`);
      continue;
    }
    const { name, record, legacy, phase, learnedShare, notWrittenThrough } = node.status;
    if (phase === 'learning') lines.push(`${name}: ${Math.floor(learnedShare * 100)} % copied`);
    if (record.state === 'down') lines.push(`${name}: PostgreSQL: ${record.reason}`);
    if (legacy.state === 'failing' || legacy.state === 'open')
      lines.push(`${name}: legacy: ${legacy.reason}`);
    for (const prefix of notWrittenThrough)
      lines.push(`${name}: keys ${prefix}* are not written to PostgreSQL`);
  }
  return lines;
}

function asRow(node: Told): string[] {
  if ('fault' in node) return ['?', node.address, 'unreachable', '?', '?', '?', '?', '?', '?'];
  const { status } = node;
  const alive = status.members.filter((member) => member.alive).length;
  return [
    status.name,
    node.address,
    status.leaseHeld || status.phase !== 'serving' ? status.phase : 'no lease',
    String(status.epoch),
    `${alive}/${status.members.length}`,
    String(status.keysHeld),
    String(status.keysInFlight),
    status.record.state,
    status.legacy.state,
  ];
}
