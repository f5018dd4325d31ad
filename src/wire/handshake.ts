/**
 * How a link begins: the dialler says who it is and which terms it assumes; the answerer accepts, or refuses and names
 * the difference. JSON, read with distrust: anything may be at the other end of a socket.
 */
import { agreedProtocol, PROTOCOL_UNTOLD } from '../core/membership/protocol-versions.ts';
import type { SpokenRange } from '../core/membership/protocol-versions.ts';

/** What both sides must agree on. */
export interface HelloTerms {
  readonly name: string;
  readonly clusterName: string;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** The dialler's first message. */
export interface DialHello extends HelloTerms {
  /** The member it wants to reach: an address may lead to another one. */
  readonly to: string;
  /** Identifies the dialling process of that name, and its dials in order: a late dial never replaces a newer one. */
  readonly run: string;
  readonly attempt: number;
}

export interface HelloAnswer {
  readonly name: string;
  /** Null if the link is accepted. */
  readonly refusal: string | null;
  /** The version in which the dialler's frames must be encoded. */
  readonly protocol: number;
}

/** The answer of `own` to a dialler: the reason for refusing, or the version that both speak. */
export function answerTo(
  own: HelloTerms,
  dialler: DialHello,
  refusal = refusalOf(own, dialler),
): HelloAnswer {
  return { name: own.name, refusal, protocol: agreedProtocol(own, dialler) ?? own.protocolMax };
}

/** Checked again when the answer arrives: the dialler's minimum may have risen meanwhile. */
export function speaks({ protocolMin, protocolMax }: SpokenRange, protocol: number): boolean {
  return protocolMin <= protocol && protocol <= protocolMax;
}

/** Maximum bytes of either text; a longer one is not parsed. */
export const HANDSHAKE_BYTES_MAX = 64 * 1024;
const NAME_LENGTH_MAX = 256;
const SHOWN_LENGTH_MAX = 80;

export function encodeHello(hello: DialHello): string {
  return JSON.stringify(hello);
}

export function encodeAnswer(answer: HelloAnswer): string {
  return JSON.stringify(answer);
}

export function parseHello(text: string): DialHello | undefined {
  const fields = parseObject(text);
  if (fields === undefined) return undefined;
  const { name, clusterName, protocolMin, protocolMax, settings, to, run, attempt } = fields;
  if (!isName(name) || !isName(to) || !isName(run) || typeof clusterName !== 'string') return undefined;
  if (!isWhole(protocolMin) || !isWhole(protocolMax) || !isWhole(attempt)) return undefined;
  if (!isObject(settings)) return undefined;
  const texts: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [setting, value] of Object.entries(settings)) {
    if (typeof value !== 'string') return undefined;
    texts[setting] = value;
  }
  return { name, clusterName, protocolMin, protocolMax, settings: texts, to, run, attempt };
}

export function parseAnswer(text: string): HelloAnswer | undefined {
  const fields = parseObject(text);
  if (fields === undefined || !isName(fields['name'])) return undefined;
  const refusal = fields['refusal'];
  if (refusal !== null && typeof refusal !== 'string') return undefined;
  // Programs from before there was a choice do not say which version they speak.
  const { protocol = PROTOCOL_UNTOLD } = fields;
  return isWhole(protocol) ? { name: fields['name'], refusal, protocol } : undefined;
}

/** Why `own` does not accept a link from `dialler`; null if it does. */
export function refusalOf(own: HelloTerms, dialler: DialHello): string | null {
  if (dialler.to !== own.name) return `name: ${shown(dialler.to)} was dialled, this is ${shown(own.name)}`;
  if (dialler.name === own.name) return `name: both sides are called ${shown(own.name)}`;
  if (dialler.clusterName !== own.clusterName) {
    return differing('clusterName', own, own.clusterName, dialler, dialler.clusterName);
  }
  if (agreedProtocol(own, dialler) === null) {
    const range = (hello: HelloTerms): string => `${hello.protocolMin} to ${hello.protocolMax}`;
    return differing('protocol', own, range(own), dialler, range(dialler));
  }
  const names = new Set([...Object.keys(own.settings), ...Object.keys(dialler.settings)]);
  for (const name of [...names].sort()) {
    const here = own.settings[name];
    const there = dialler.settings[name];
    if (here !== there) return differing(`${SETTING}${settingText(name)}`, own, here, dialler, there);
  }
  return null;
}

const SETTING = 'setting ';
const TAKEN = 'name taken: ';

/** Otherwise two processes would keep replacing each other, and nobody could tell which of them is the member. */
export function nameTaken(name: string): string {
  return `${TAKEN}another process called ${shown(name)} is linked: end one of them, or give it a name of its own`;
}

/** True if a person must end this situation, because neither an upgrade nor a changed address will. */
export function isForPerson(refusal: string): boolean {
  return isNameTaken(refusal) || refusal.startsWith(SETTING) || refusal.startsWith('clusterName: ');
}

export function isNameTaken(refusal: string): boolean {
  return refusal.startsWith(TAKEN);
}

/** The setting's name, with what its value is about if the value itself must not be shown. */
export function settingText(name: string): string {
  const text = name.slice(0, SHOWN_LENGTH_MAX);
  return text === 'legacy' ? 'legacy (the digest of its url, value and echo)' : text;
}

function differing(
  what: string,
  own: HelloTerms,
  here: string | undefined,
  dialler: HelloTerms,
  there: string | undefined,
): string {
  const at = ({ name }: HelloTerms): string => name.slice(0, SHOWN_LENGTH_MAX);
  return `${what}: ${shown(here)} at ${at(own)}, ${shown(there)} at ${at(dialler)}`;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'nothing' : `'${value.slice(0, SHOWN_LENGTH_MAX)}'`;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.length > HANDSHAKE_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= NAME_LENGTH_MAX;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
