/**
 * The options of SET and GETEX as Redis parses them: in any order, with its rules on which combinations are allowed.
 */
import type { Arguments } from '../arguments.ts';
import { TIME_FORMS } from './parsing.ts';
import type { TimeForm } from './parsing.ts';

export interface SetOptions {
  readonly condition: 'always' | 'ifAbsent' | 'ifPresent';
  readonly tellPrevious: boolean;
  readonly keepsTime: boolean;
  readonly persists: boolean;
  readonly time: { readonly at: number; readonly form: TimeForm } | null;
}

/** Shared by most calls, which have no options. */
const NO_OPTIONS: SetOptions = {
  condition: 'always',
  tellPrevious: false,
  keepsTime: false,
  persists: false,
  time: null,
};

/** Returns undefined for a syntax error. */
export function setOptions(args: Arguments, from: number, of: 'set' | 'getex'): SetOptions | undefined {
  if (args.count === from) return NO_OPTIONS;
  let condition: SetOptions['condition'] = 'always';
  let tellPrevious = false;
  let keepsTime = false;
  let persists = false;
  let time: SetOptions['time'] = null;
  for (let at = from; at < args.count; at += 1) {
    const word = args.upper(at);
    const form = TIME_FORMS[word];
    // The same keyword again replaces the earlier one.
    const hasTime = keepsTime || persists || (time !== null && time.form !== form);
    if (of === 'set' && word === 'NX' && condition !== 'ifPresent') condition = 'ifAbsent';
    else if (of === 'set' && word === 'XX' && condition !== 'ifAbsent') condition = 'ifPresent';
    else if (of === 'set' && word === 'GET') tellPrevious = true;
    else if (of === 'set' && word === 'KEEPTTL' && time === null) keepsTime = true;
    else if (of === 'getex' && word === 'PERSIST' && time === null) persists = true;
    else if (form !== undefined && !hasTime && at + 1 < args.count) {
      time = { at: at + 1, form };
      at += 1;
    } else return undefined;
  }
  return { condition, tellPrevious, keepsTime, persists, time };
}
