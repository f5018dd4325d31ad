/**
 * Judges how a legacy API handles keys that are hard to put into a path, by its answers to keys that nobody has and to
 * keys that the operator has named. An API that answers for another key, or calls a key absent that it has not
 * understood, would put wrong values into the cluster permanently.
 */
import { meaningOfStatus } from '../core/legacy/legacy-answer.ts';
import { fault, millisecondsText, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

/** A special character to test in a key, and its percent-encoded form. */
export interface Hard {
  readonly name: string;
  readonly escape: string;
}

export type Answer =
  | { readonly kind: 'broken'; readonly reason: string }
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** The shape of the page without the key: two pages from the same template have the same shape. */
      readonly shape: string;
      /** The target of a redirect, or ''. */
      readonly location: string;
      readonly tookMs: number;
    };

export interface NobodysKey {
  /** Null for a key of letters only. */
  readonly hard: Hard | null;
  readonly answer: Answer;
}

export interface NamedKey {
  readonly key: string;
  readonly answer: Answer;
  /** How a node would interpret the body. */
  readonly meaning: 'value' | 'absent' | 'unaddressable' | 'unusable';
  readonly reason: string;
}

const ANSWER_MS_MAX = 500;

/** The plain key comes first. */
export function judgeNobodysKeys(asked: readonly NobodysKey[], timeoutMs: number): Finding[] {
  const [plain, ...hard] = asked;
  if (plain === undefined) return [];
  const verdict = judgePlain(plain.answer, timeoutMs);
  // If even the plain key is not answered correctly, the others show nothing.
  if (verdict.level === 'fault' || plain.answer.kind === 'broken') return [verdict];
  const { shape } = plain.answer;
  return [verdict, ...hard.map((each) => judgeHard(each.hard!, each.answer, shape))];
}

function judgePlain(answer: Answer, timeoutMs: number): Finding {
  if (answer.kind === 'broken')
    return fault(
      `it cannot be asked: ${answer.reason}`,
      'is legacy.url right, is the API up, and may this machine reach it?',
    );
  const { status, tookMs } = answer;
  const text = `a key that nobody has is answered with ${status}`;
  if (meaningOfStatus(status) === 'absent') {
    const took = `${text}, within ${millisecondsText(tookMs)}`;
    if (tookMs > Math.min(ANSWER_MS_MAX, timeoutMs / 2))
      return warning(took, 'each key that is not held yet takes as long; see legacy.timeoutMs');
    return ok(took);
  }
  if (meaningOfStatus(status) === 'value')
    return fault(
      `${text}: absence cannot be told from a value`,
      'the API must answer 404 or 410 for what it does not have',
    );
  if (meaningOfStatus(status) === 'denied')
    return fault(
      `${text}: it lets us not in`,
      'correct legacy.headers (env:NAME and file:/path are read here, too)',
    );
  if (status >= 300 && status < 400)
    return fault(
      `${text}, and redirects are not followed`,
      `write where it leads into legacy.url: ${answer.location}`,
    );
  if (status >= 500 || status === 429)
    return fault(
      `${text}: the API is in trouble`,
      'look at its own log; until it is well no key is read through',
    );
  return fault(`${text}: nobody knows what that means`, 'is the path in legacy.url right?');
}

function judgeHard({ name, escape }: Hard, answer: Answer, shape: string): Finding {
  const text = `${name} (${escape})`;
  const query = 'hand the key on in a query, where the API can (?key={key})';
  if (answer.kind === 'broken') return warning(`${text}: ${answer.reason}`, query);
  const { status, location } = answer;
  if (meaningOfStatus(status) === 'absent') {
    if (answer.shape === shape) return ok(`${text} is answered as any other key`);
    return warning(
      `${text}: ${status}, but another page than for other keys: something before the API refuses it`,
      `have it let through (AllowEncodedSlashes NoDecode, say), or ${query}`,
    );
  }
  if (meaningOfStatus(status) === 'value')
    return fault(
      `${text}: a value for a key that nobody has: the path was taken for another one`,
      `set legacy.echo, so that it is noticed, and ${query}`,
    );
  if (status >= 300 && status < 400)
    return warning(`${text}: the path is rewritten, and leads to ${location}`, query);
  return warning(`${text}: ${status}; keys with it cannot be read through`, query);
}

/** `trusted`: the characters that the operator vouches for (legacy.trustedEscapes). */
export function judgeNamedKey(named: NamedKey, trusted: string): Finding {
  const { key, answer, meaning, reason } = named;
  const text = JSON.stringify(key);
  if (meaning === 'unaddressable') return note(`${text} is never asked for: ${reason}`);
  if (answer.kind === 'broken')
    return fault(`${text} cannot be asked for: ${answer.reason}`, 'is the API up?');
  const escaped = [...'/\\%'].filter((character) => key.includes(character) && !trusted.includes(character));
  if (meaning === 'value') {
    if (escaped.length === 0) return ok(`${text} is found`);
    return note(
      `${text} is found: the API understands ${escaped.map(escapeOf).join(' and ')}`,
      `set legacy.trustedEscapes to ${JSON.stringify(escaped.join(''))}, so that absence is believed at once`,
    );
  }
  if (meaning === 'absent')
    return fault(
      `${text} is said to be absent (${answer.status})`,
      'if it is there, its escape is not understood: hand the key on in a query (?key={key})',
    );
  return fault(
    `${text} is answered with ${answer.status}, and cannot be used: ${reason}`,
    'see legacy.value and legacy.echo',
  );
}

/** What a server does with `x/../KEY`, sent without and with escapes. */
export function judgeDots(plain: boolean, escaped: boolean): Finding {
  if (!plain && !escaped) return ok('a path with .. leads nowhere');
  const how = escaped ? 'unescapes %2F before it looks at the path' : 'resolves .. in a path';
  return note(
    `the API ${how}, so x/../KEY would read KEY: a node never asks for such keys`,
    'nothing is to be done; reading one fails with source_unavailable',
  );
}

function escapeOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
