/** `causeway status`: the status that each node reports, one line per node; succeeds only if all nodes serve. */
import type { Command } from 'commander';
import {
  addClientOptions,
  adviseNobodyThere,
  EXIT_DEFINITE,
  EXIT_NO,
  EXIT_OK,
  printJson,
} from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { addOnlyOption, nameOf, withEveryNode } from './every-node.ts';
import type { EveryNodeOptions, Told } from './every-node.ts';
import { bytesText } from './figures.ts';
import { asFacts, isServing, membersOf, numberOrNull, stateOf, word } from './facts.ts';
import type { Facts } from './facts.ts';
import { progressLine } from './progress.ts';
import { printable, tableLines } from './table.ts';

export function statusCommand(program: Command, io: CommandIo): void {
  const command = program.command('status').description('show the state of each node');
  addClientOptions(addOnlyOption(command)).action((options: EveryNodeOptions) =>
    withEveryNode(options, async (nodes) => {
      const told = await nodes.look();
      if (options.json) printJson(io, { nodes: told });
      else printLines(io.stdout, statusLines(told, columnsOf(io.stdout)));
      const code = exitCode(told);
      if (code === EXIT_DEFINITE) adviseNobodyThere(io, options.nodes);
      io.exit(code);
    }),
  );
}

function exitCode(told: readonly Told[]): number {
  if (told.every((node) => 'fault' in node)) return EXIT_DEFINITE;
  return told.every((node) => 'status' in node && isServing(node.status)) ? EXIT_OK : EXIT_NO;
}

/** Milliseconds that a row may wait for PostgreSQL, statements that take their time included, before it is told. */
const WAITING_MS_MIN = 5_000;

const HEADINGS = ['NODE', 'ADDRESS', 'STATE', 'EPOCH', 'ALIVE', 'KEYS', 'BUSY', 'POSTGRES', 'LEGACY'];

function statusLines(told: readonly Told[], columnsMax?: number): string[] {
  return [...tableLines(HEADINGS, told.map(asRow), columnsMax), ...remarkLines(told)];
}

/**
 * What users should know besides the table, each line with the node that it is about. `isNews` omits what is normal,
 * for a screen that shows progress and the cluster's state in other places.
 */
export function remarkLines(told: readonly Told[], isNews = false): string[] {
  const lines: string[] = [];
  for (const node of told) {
    if ('fault' in node) {
      lines.push(`${node.address}: ${node.fault}`);
      continue;
    }
    const { name, notWrittenThrough } = node.status;
    const record = asFacts(node.status.record);
    const legacy = asFacts(node.status.legacy);
    if (!isNews) lines.push(...copyLines(word(name), node.status));
    const store = asFacts(node.status.store);
    for (const path of Array.isArray(store.setAside) ? store.setAside : []) {
      lines.push(`${word(name)}: a damaged store was set aside and lies in ${word(path)}`);
    }
    if (store.inDoubt === true) {
      lines.push(`${word(name)}: waits for members that know the cluster to let it in with a blank store`);
    }
    const { outside } = node.status;
    if (typeof outside === 'string' && outside !== '') lines.push(`${word(name)}: ${word(outside)}`);
    const load = asFacts(node.status.load);
    if (load.state === 'refusing') {
      lines.push(
        `${word(name)}: is asked for more than it gets done; it has refused ${word(load.refused)} operations`,
      );
    }
    for (const each of Array.isArray(node.status.refusals) ? node.status.refusals : []) {
      const { peer, reason } = asFacts(each);
      lines.push(`${word(name)}: it and ${word(peer)} refuse each other: ${word(reason)}`);
    }
    lines.push(...linkLines(word(name), node.status));
    lines.push(...diskLines(word(name), asFacts(node.status.disk)));
    lines.push(...scrubLines(word(name), asFacts(node.status.scrub), isNews));
    lines.push(...driveLines(word(name), asFacts(record.drive)));
    lines.push(...serverLines(word(name), record));
    if (record.state === 'down' && !(isNews && record.reason === ''))
      lines.push(`${word(name)}: PostgreSQL: ${word(record.reason)}`);
    else if (record.state === 'up') lines.push(...waitingLines(word(name), asFacts(node.status.recent)));
    lines.push(...spoolLines(word(name), asFacts(node.status.spool)));
    lines.push(...byHandLines(word(name), record));
    if (legacy.state === 'failing' || legacy.state === 'open') {
      lines.push(`${word(name)}: legacy: ${word(legacy.reason)}`);
    }
    for (const prefix of Array.isArray(notWrittenThrough) ? notWrittenThrough : []) {
      lines.push(`${word(name)}: keys ${word(prefix)}* are not written to PostgreSQL`);
    }
  }
  lines.push(...clusterLines(told, isNews));
  return lines.map(printable);
}

/** What keeps a node's disk out of writes. */
function diskLines(name: string, disk: Facts): string[] {
  if (disk.state !== 'low' && disk.state !== 'refusing') return [];
  const does =
    disk.state === 'low' ? 'takes no part in writes' : 'cannot be done without: writes are refused';
  if (disk.isGone === true) return [`${name}: its data directory was moved, removed or replaced; it ${does}`];
  const { freeFiles, reserveFiles } = disk as Partial<Record<string, number>>;
  const isOfFiles = (freeFiles ?? 0) < (reserveFiles ?? 0);
  const room = isOfFiles
    ? `${freeFiles} files can be made there, ${reserveFiles} are to stay possible`
    : `${bytesOf(disk.freeBytes)} free, ${bytesOf(disk.reserveBytes)} are to stay so`;
  return [`${name}: its disk is nearly full (${room}); it ${does}`];
}

/** With whom a node that holds no lease has no link; while it holds one, the table tells who is down. */
function linkLines(name: string, { leaseHeld, unlinked }: Facts): string[] {
  if (leaseHeld === true || !Array.isArray(unlinked) || unlinked.length === 0) return [];
  const peers = unlinked.map(asFacts).map((peer) => `${word(peer['name'])} (${word(peer['address'])})`);
  return [`${name}: no link stands with ${peers.join(', ')}`];
}

/** The progress of a node that is copying the slots it takes over. */
function copyLines(name: string, status: Facts): string[] {
  const copy = asFacts(status['copy']);
  const total = Number(copy['slotsTotal'] ?? 0);
  if (total > 0) {
    const left = numberOrNull(copy['secondsLeft']);
    const line = progressLine(Number(copy['slotsDone']), total, Number(copy['bytesPerSecond']), left);
    const lines = [`${name}: copies ${line}`];
    if (copy['givesWay'] === true)
      lines.push(`${name}: copies no faster, so that clients do not wait too long`);
    return lines;
  }
  if (status['phase'] !== 'learning') return [];
  return [`${name}: ${Math.floor(Number(status['learnedShare']) * 100)} % copied`];
}

/** The progress of its scrubber, the result of the last round, and what needs attention. */
function scrubLines(name: string, scrub: Facts, isNews: boolean): string[] {
  const lines: string[] = [];
  const last = asFacts(scrub.last);
  const totals = asFacts(scrub.totals);
  if (scrub.isUnderWay === true) {
    const seconds = typeof scrub.secondsLeft === 'number' ? `, ${scrub.secondsLeft} s left` : '';
    lines.push(`${name}: scrubs, ${Math.floor(Number(scrub.share) * 100)} %${seconds}`);
  } else if (last.number !== undefined && !isNews) {
    const ended = new Date(Number(last.endedAt)).toISOString().slice(0, 16);
    const counts = `${word(last.records)} records, ${word(last.found)} found, ${word(last.repaired)} repaired`;
    lines.push(`${name}: scrubbed by ${ended}Z in ${Math.ceil(Number(last.lengthMs) / 1_000)} s: ${counts}`);
  }
  const left = Number(totals.unrepaired ?? 0);
  const conflicts = Number(totals.conflicts ?? 0);
  if (left > 0) lines.push(`${name}: ${left} records could not be repaired, see scrub.unrepaired in its log`);
  if (conflicts > 0)
    lines.push(`${name}: ${conflicts} versions have two contents, see scrub.conflict in its log`);
  return lines;
}

/** A node that sees another PostgreSQL than the one in use. */
function serverLines(name: string, record: Facts): string[] {
  if (record.isForeign !== true) return [];
  const known = asFacts(record.known);
  const seen = asFacts(record.seen);
  return [
    `${name}: sees PostgreSQL system ${word(seen.system)}, timeline ${word(seen.timeline)}, and does not use it`,
    `${name}: in use is system ${word(known.system)}, timeline ${word(known.timeline)}: point postgres.url there,`,
    `${name}: or take the other one into use: causeway cluster adopt-record`,
  ];
}

/** The drive after PostgreSQL has failed over or was restored. */
function driveLines(name: string, drive: Facts): string[] {
  const lines: string[] = [];
  const total = Number(drive.slotsTotal ?? 0);
  const rows = `${Number(drive.rowsDriven ?? 0)} rows that it lacked are committed again`;
  if (drive.isDriven === false && total > 0) {
    const left = numberOrNull(drive.secondsLeft);
    const line = progressLine(Number(drive.slotsDone), total, Number(drive.bytesPerSecond), left);
    lines.push(`${name}: compares PostgreSQL with what it holds: ${line}, ${rows}`);
  } else if (drive.isDriven === false)
    lines.push(`${name}: has compared PostgreSQL, ${rows}; others have not`);
  const conflicts = Number(drive.conflicts ?? 0);
  if (conflicts > 0)
    lines.push(`${name}: ${conflicts} rows of PostgreSQL have another content under the same version`);
  return lines;
}

/** Rows that a PostgreSQL which is up does not take: somebody has locked or changed something there. */
function waitingLines(name: string, recent: Facts): string[] {
  const { rowsWaiting, oldestUnflushedMs, whyWaiting } = asFacts(recent['record']);
  const waitedMs = Number(oldestUnflushedMs ?? 0);
  if (waitedMs < WAITING_MS_MIN) return [];
  const reason = word(whyWaiting ?? '');
  const count = Number(rowsWaiting) === 1 ? '1 row waits' : `${word(rowsWaiting)} rows wait`;
  const rows = `${count} for PostgreSQL, the first for ${Math.round(waitedMs / 1_000)} s`;
  return [reason === '' ? `${name}: ${rows}` : `${name}: ${rows}: ${reason}`];
}

/** What waits for PostgreSQL on this node's disk. */
function spoolLines(name: string, spool: Facts): string[] {
  const lines: string[] = [];
  const entries = Number(spool.entries ?? 0);
  if (spool.isOn === true || entries > 0) {
    const seconds = Math.round(Number(spool.oldestMs ?? 0) / 1_000);
    const waiting = `${entries} keys (${bytesOf(spool.bytes)}) wait for PostgreSQL, the oldest for ${seconds} s`;
    const goes = `${Number(spool.drainedPerSecond ?? 0)} a second go there`;
    const writes =
      spool.isFull === true ? 'the bound is reached: writes are refused' : 'writes do without it';
    lines.push(`${name}: ${waiting}; ${spool.isOn === true ? writes : goes}`);
  }
  const conflicts = Number(spool.conflicts ?? 0);
  if (conflicts > 0)
    lines.push(`${name}: ${conflicts} rows of PostgreSQL were changed from outside meanwhile: they stand`);
  return lines;
}

/** The outcome of rows that somebody changed by plain SQL. */
function byHandLines(name: string, record: Facts): string[] {
  const byHand = asFacts(record['byHand']);
  const of = (what: string): number => Number(byHand[what] ?? 0);
  const lines: string[] = [];
  const reason = word(byHand['reason'] ?? '');
  if (of('waiting') > 0) {
    const seconds = Math.round(of('waitingMs') / 1_000);
    lines.push(`${name}: ${of('waiting')} changes by hand wait, the first for ${seconds} s: ${reason}`);
  } else if (reason !== '' && record['state'] === 'up')
    lines.push(`${name}: changes by hand are not looked at: ${reason}`);
  const lost = of('overtaken') + of('refused');
  if (lost > 0)
    lines.push(
      `${name}: ${lost} changes by hand came to nothing (${of('overtaken')} overtaken, ${of('refused')} refused), see outside.* in its log`,
    );
  return lines;
}

function bytesOf(told: unknown): string {
  return bytesText(Number(told ?? 0));
}

/** What a serving node knows of the whole cluster: who leaves, who was removed, and which slots change hands. */
function clusterLines(told: readonly Told[], isNews: boolean): string[] {
  const serving = told.find((node) => 'status' in node && node.status.leaseHeld === true);
  if (serving === undefined || 'fault' in serving) return [];
  const lines: string[] = [];
  for (const member of membersOf(serving.status)) {
    if (member.standing === 'leaving') lines.push(`${word(member.name)}: leaves`);
    if (word(member.slow ?? '') !== '') lines.push(`${word(member.name)}: ${word(member.slow)}`);
    if (member.standing === 'healed') lines.push(`${word(member.name)}: gone, the others took its slots`);
  }
  if (isNews) return lines;
  const moving = Number(serving.status.slotsMoving ?? 0);
  if (moving > 0) lines.push(`${moving} slots are on their way to other owners`);
  const lost = Number(serving.status.slotsLost ?? 0);
  const known = asFacts(asFacts(serving.status.record).known);
  if (known.system !== undefined)
    lines.push(`PostgreSQL in use: system ${word(known.system)}, timeline ${word(known.timeline)}`);
  if (lost > 0) lines.push(`${lost} slots have no living complete owner: see causeway cluster recover`);
  return lines;
}

function asRow(node: Told): string[] {
  if ('fault' in node) return [nameOf(node), node.address, 'unreachable', '?', '?', '?', '?', '?', '?'];
  const { status } = node;
  const members = membersOf(status);
  return [
    word(status.name),
    node.address,
    stateOf(status),
    word(status.epoch),
    `${members.filter((member) => member.alive === true).length}/${members.length}`,
    word(status.keysHeld),
    word(status.keysInFlight),
    word(asFacts(status.record).state),
    word(asFacts(status.legacy).state),
  ];
}
