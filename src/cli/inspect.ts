/** `causeway inspect KEY`: what the store of each node holds for a key, side by side. */
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import type { CausewayClient, Inspected } from '../client/index.ts';
import {
  addClientOptions,
  adviseNobodyThere,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  printJson,
  valueFields,
} from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { addOnlyOption, withEveryNode } from './every-node.ts';
import type { EveryNodeOptions } from './every-node.ts';
import { tableLines } from './table.ts';

type Seen = { readonly node: string } & ({ readonly inspected: Inspected } | { readonly fault: string });

export function inspectCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('inspect')
    .description('show what each node itself holds for a key')
    .argument('<key>');
  addClientOptions(addOnlyOption(command)).action((key: string, options: EveryNodeOptions) =>
    withEveryNode(options, async (nodes) => {
      const told = await nodes.look();
      const seen = await Promise.all(told.map(({ address }) => look(nodes.clientOf(address), address, key)));
      if (options.json) printJson(io, { key, nodes: seen.map(asJson) });
      else printLines(io.stdout, tableLines(HEADINGS, seen.map(asRow), columnsOf(io.stdout)));
      const faults = seen.filter((each) => 'fault' in each).length;
      if (faults === 0) return io.exit(EXIT_OK);
      if (faults < seen.length) return io.exit(EXIT_NO);
      if (told.every((node) => 'fault' in node)) adviseNobodyThere(io, options.nodes);
      io.exit(EXIT_DEFINITE);
    }),
  );
}

async function look(client: CausewayClient, node: string, key: string): Promise<Seen> {
  try {
    return { node, inspected: await client.inspect(node, key) };
  } catch (error) {
    return { node, fault: reasonOf(error) };
  }
}

const HEADINGS = ['NODE', 'OWNER', 'VALID', 'VERSION', 'ORIGIN', 'HOLDS'];

function asRow(seen: Seen): string[] {
  if ('fault' in seen) return [seen.node, '?', '?', '?', '?', 'cannot be asked'];
  const { owner, valid, tombstone, entry } = seen.inspected;
  const yes = (is: boolean): string => (is ? 'yes' : 'no');
  if (entry === undefined) return [seen.node, yes(owner), yes(valid), '-', '-', 'nothing'];
  const holds = tombstone ? 'a deletion' : `${entry.value.length} bytes`;
  return [seen.node, yes(owner), yes(valid), String(entry.version), entry.origin, holds];
}

function asJson(seen: Seen): unknown {
  if ('fault' in seen) return seen;
  const { entry, ...facts } = seen.inspected;
  const shown = entry && { ...entry, value: undefined, ...valueFields(entry.value) };
  return { node: seen.node, ...facts, record: shown ?? null };
}
