/**
 * Anything that cannot be the same twice, or at two servers, is replaced by a rule before two replies are compared:
 * running times, assigned numbers, the order of unordered things. Each rule checks the shape of what it hides; a reply
 * of another shape, above all an error, stays as it is and is compared byte for byte.
 *
 * Times in sequences are multiples of ten seconds, so that a reply up to ten seconds late still looks the same.
 */
import { frameBytes, frameText } from './frame.ts';
import type { Frame } from './frame.ts';
import { replyText } from './text.ts';

/** Seconds: a time further ahead was given as a point in time, a nearer one as a time to live. */
const FAR_SECONDS = 100_000_000;

type Rule = (args: readonly string[], frame: Frame, nowMs: number) => Frame | string;

/** By the first word of a command, or the first two. */
const RULES: Readonly<Record<string, Rule>> = {
  ttl: (_args, frame, nowMs) => toLive(frame, 1, nowMs),
  pttl: (_args, frame, nowMs) => toLive(frame, 1000, nowMs),
  expiretime: (_args, frame, nowMs) => pointInTime(frame, 1, nowMs),
  pexpiretime: (_args, frame, nowMs) => pointInTime(frame, 1000, nowMs),
  keys: (_args, frame) => sorted(frame),
  scan: (_args, frame) => page(frame),
  hello: (_args, frame) => hello(frame),
  time: (_args, frame) => (textsOf(frame)?.every((text) => /^\d+$/.test(text)) === true ? '<time>' : frame),
  info: (_args, frame) => info(frame),
  'client id': (_args, frame) => (isCount(frame) ? '<id>' : frame),
  'client info': (_args, frame) => connectionLine(frame),
  'client list': (_args, frame) => connectionLine(frame),
  'command count': (_args, frame) => (isCount(frame) ? '<count>' : frame),
  'command info': (_args, frame) => commandInfo(frame),
  'command docs': (_args, frame) => commandDocs(frame),
  'memory usage': (_args, frame) => (isCount(frame) ? '<bytes>' : frame),
  'object freq': (_args, frame) => frame,
  'object idletime': (_args, frame) => (isCount(frame) ? '<seconds>' : frame),
  'slowlog len': (_args, frame) => (isCount(frame) ? '<count>' : frame),
  'slowlog get': (_args, frame) => (frame.kind === 'list' ? '<entries>' : frame),
  'cluster myid': (_args, frame) => (/^[0-9a-f]{40}$/.test(frameText(frame) ?? '') ? '<id>' : frame),
  'cluster getkeysinslot': (_args, frame) => sorted(frame),
  'cluster slots': (_args, frame) => clusterSlots(frame),
  'cluster info': (_args, frame) => clusterInfo(frame),
};

/** One reply as it appears in a fixture. */
export function ruled(args: readonly Buffer[], frame: Frame, nowMs: number): string {
  const words = args.map((arg) => arg.toString('latin1'));
  const [first, second] = words.map((word) => word.toLowerCase());
  const rule = RULES[`${first} ${second}`] ?? RULES[first ?? ''];
  const told = rule === undefined || isError(frame) ? frame : rule(words, frame, nowMs);
  return typeof told === 'string' ? told : replyText(frameBytes(told));
}

const isError = (frame: Frame): boolean => frame.kind === 'line' && frame.type === '-';
const isCount = (frame: Frame): boolean =>
  frame.kind === 'line' && frame.type === ':' && /^\d+$/.test(frame.text);

function numberOf(frame: Frame): number | undefined {
  return frame.kind === 'line' && frame.type === ':' ? Number(frame.text) : undefined;
}

function upToTenSeconds(value: number, unit: number): string {
  const step = 10 * unit;
  return String(Math.ceil(value / step) * step);
}

function toLive(frame: Frame, unit: number, nowMs: number): Frame | string {
  const value = numberOf(frame);
  if (value === undefined || value < 0) return frame;
  if (value < FAR_SECONDS * unit) return `<${upToTenSeconds(value, unit)} left>`;
  return `<until ${upToTenSeconds(value + (nowMs / 1000) * unit - 5 * unit, unit)}>`;
}

function pointInTime(frame: Frame, unit: number, nowMs: number): Frame | string {
  const value = numberOf(frame);
  const left = value === undefined ? 0 : value - (nowMs / 1000) * unit;
  if (left <= 0 || left >= FAR_SECONDS * unit) return frame;
  // The point in time came from a clock that was read up to a second before.
  return `<${upToTenSeconds(left - unit, unit)} ahead>`;
}

function compareFrames(left: Frame, right: Frame): number {
  return Buffer.compare(frameBytes(left), frameBytes(right));
}

function sorted(frame: Frame): Frame {
  if (frame.kind !== 'list' || frame.items === null) return frame;
  return { ...frame, items: [...frame.items].sort(compareFrames) };
}

/** The cursor of the next page is a number that only its server understands; 0 ends the walk. */
function page(frame: Frame): Frame | string {
  if (frame.kind !== 'list' || frame.items?.length !== 2) return frame;
  const [cursor, keys] = frame.items;
  if (!/^\d+$/.test(frameText(cursor) ?? '') || keys!.kind !== 'list') return frame;
  return frameText(cursor) === '0' ? { ...frame, items: [cursor!, sorted(keys!)] } : '<a page>';
}

function textsOf(frame: Frame): string[] | undefined {
  if (frame.kind !== 'list' || frame.items === null) return undefined;
  const texts = frame.items.map(frameText);
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

/** Version, id, mode and modules are different for each server; the fields and their order are not. */
function hello(frame: Frame): Frame | string {
  if (frame.kind !== 'list' || frame.items === null) return frame;
  const fields = frame.items.filter((_item, at) => at % 2 === 0).map(frameText);
  const proto = frameText(frame.items[5]);
  const isMap = frame.type === (proto === '3' ? '%' : '*');
  if (fields.join() !== 'server,version,proto,id,mode,role,modules' || !isMap) return frame;
  if (frameText(frame.items[1]) !== 'redis' || frameText(frame.items[11]) !== 'master') return frame;
  return `<hello ${proto}>`;
}

/** Without the prefix that says what kind of text it is. */
function verbatimText(frame: Frame): string | undefined {
  return frameText(frame)?.replace(/^txt:/, '');
}

const INFO = /^(# \w+\r\n([^\s:]+:.*\r\n)*(\r\n)?)*$/;

function info(frame: Frame): Frame | string {
  const isText = frame.kind === 'blob' && (frame.type === '$' || frame.bytes?.toString().startsWith('txt:'));
  const text = verbatimText(frame);
  if (isText !== true || text === undefined || !INFO.test(text)) return frame;
  return `<info ${frame.type}>`;
}

const CONNECTION_FIELDS =
  /^id=\d+ addr=\S+ laddr=\S+ .*\bname=(\S*) .*\bdb=0 .*\bcmd=(\S+) .*\bresp=([23])\b/;

/** Of a line about a connection: its name, its last command, its protocol. */
function connectionLine(frame: Frame): Frame | string {
  const lines = verbatimText(frame)?.trimEnd().split('\n') ?? [];
  const told = lines.map((line) => CONNECTION_FIELDS.exec(line)?.slice(1).join(' '));
  return told.includes(undefined) ? frame : `<${[...told].sort().join(', ')}>`;
}

/** Of a command: name, arity, flags, key positions and ACL categories, but not its documentation; its subcommands where it has none. */
function commandInfo(frame: Frame): Frame | string {
  if (frame.kind !== 'list' || frame.items === null) return frame;
  const items = frame.items.map((item): Frame => {
    if (item.kind !== 'list' || item.items === null) return item;
    const [name, arity, flags, first, last, step, categories, , , subcommands] = item.items;
    const none = subcommands!.kind === 'list' && subcommands!.items?.length === 0 ? [subcommands!] : [];
    return {
      ...item,
      items: [name!, arity!, sorted(flags!), first!, last!, step!, sorted(categories!), ...none],
    };
  });
  return { ...frame, items };
}

/** The text of the documentation differs; that each command has a summary does not. */
function commandDocs(frame: Frame): Frame | string {
  if (frame.kind !== 'list' || frame.items === null) return frame;
  const names = frame.items.filter((_item, at) => at % 2 === 0).map(frameText);
  const docs = frame.items.filter((_item, at) => at % 2 === 1);
  const whole = docs.every((one) => one.kind === 'list' && frameText(one.items?.[0]) === 'summary');
  return whole ? `<docs ${frame.type}${names.join(' ')}>` : frame;
}

/** Of one range and one node: its addresses and its id are its own. */
function clusterSlots(frame: Frame): Frame | string {
  const text = replyText(frameBytes(frame));
  const node =
    /^\*1\\n(\*3\\n:0\\n:16383\\n\*4\\n)\$\d+\\n[\d.]*\\n:\d+\\n\$40\\n[0-9a-f]{40}(\\n[*%]0)$/.exec(text);
  return node === null ? frame : `${node[1]}<host, port, id>${node[2]}`;
}

function clusterInfo(frame: Frame): Frame | string {
  const text = verbatimText(frame) ?? '';
  const state = /^cluster_state:(\w+)\r\n/.exec(text)?.[1];
  const assigned = /\r\ncluster_slots_assigned:(\d+)\r\n/.exec(text)?.[1];
  return state === undefined || assigned === undefined ? frame : `<${state}, ${assigned} slots>`;
}

/** A whole walk of SCAN: its keys, each once, sorted. */
export function walked(keys: Iterable<string>): string {
  const once = [...new Set(keys)].sort();
  return `<walked ${once.length}${once.map((key) => ` ${replyText(Buffer.from(`${key}\r\n`, 'latin1'))}`).join('')}>`;
}
