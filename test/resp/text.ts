/**
 * Converts bytes to text that people can review, and back. A command is written as one would type it: words, and "..."
 * for a word that is empty or has other bytes. A reply is written as on the wire, with `\n` for CR LF, without the
 * last one. In both, other bytes are `\xHH`, and forty or more equal bytes are written as `{a*1000}`.
 */
const RUN_MIN = 40;
const WORD = /^[!-~]+$/;

/** One step as a line: the words of a command. */
export function commandText(args: readonly Buffer[]): string {
  return args.map(wordText).join(' ');
}

function wordText(arg: Buffer): string {
  const text = arg.toString('latin1');
  const isPlain = WORD.test(text) && !text.startsWith('"') && text !== '=>';
  return isPlain && longestRun(text) < RUN_MIN ? text : `"${escaped(text, '"')}"`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/(.)\1*/gs)) longest = Math.max(longest, run.length);
  return longest;
}

/** The words of a line. An unclosed quotation mark, or an invalid escape, is a mistake in a list. */
export function parseCommand(line: string): Buffer[] {
  const args: Buffer[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] === ' ') {
      at += 1;
      continue;
    }
    if (line[at] !== '"') {
      const end = line.indexOf(' ', at);
      args.push(Buffer.from(line.slice(at, end < 0 ? line.length : end), 'latin1'));
      at = end < 0 ? line.length : end;
      continue;
    }
    const end = closingQuote(line, at + 1);
    args.push(bytesOf(line.slice(at + 1, end)));
    at = end + 1;
  }
  return args;
}

function closingQuote(line: string, from: number): number {
  for (let at = from; at < line.length; at += 1) {
    if (line[at] === '\\') at += 1;
    else if (line[at] === '"') return at;
  }
  throw new Error(`no closing quotation mark: ${line}`);
}

/** One or several replies as received. */
export function replyText(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return text.endsWith('\r\n') ? escaped(text.slice(0, -2), '') : `${escaped(text, '')}\\`;
}

/** The inverse of `replyText`. */
export function replyBytes(text: string): Buffer {
  const isOpen = /\\*$/.exec(text)![0].length % 2 === 1;
  return isOpen ? bytesOf(text.slice(0, -1)) : Buffer.concat([bytesOf(text), Buffer.from('\r\n')]);
}

function escaped(text: string, quote: string): string {
  const runs = text.replace(
    /([!#-[\]-z])\1{39,}/g,
    (run, unit: string) => `\u0100${unit}*${run.length}\u0101`,
  );
  const safe = runs.replace(/\r\n|[^ -~\u0100\u0101]|[\\{"]/g, (found) => {
    if (found === '\r\n') return '\\n';
    if (found === '\\') return '\\\\';
    if (found === '"') return quote === '"' ? '\\"' : '"';
    return `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return safe.replaceAll('\u0100', '{').replaceAll('\u0101', '}');
}

/** The inverse of `escaped`; also for text inside quotation marks in a list. */
function bytesOf(text: string): Buffer {
  const whole = text.replace(
    /\\(n|"|\\|x[0-9a-f]{2})|\{(.)\*(\d+)\}|\\|\{/gs,
    (found, escape, unit, times) => {
      if (typeof unit === 'string') return unit.repeat(Number(times));
      if (typeof escape !== 'string') throw new Error(`no escape: ${found} in ${text}`);
      if (escape === 'n') return '\r\n';
      return escape.startsWith('x') ? String.fromCharCode(parseInt(escape.slice(1), 16)) : escape;
    },
  );
  return Buffer.from(whole, 'latin1');
}
