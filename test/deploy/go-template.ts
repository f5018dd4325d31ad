/**
 * Renders the chart's templates without Helm: exactly the subset of Go templates that the chart uses. Anything else is
 * refused, so that the chart cannot depend on something untested.
 *
 * Supported: text, comments, `if`/`else`/`else if`, `with`, `range` (lists, maps, `until`), `define`, variables (`$x :=
 * ...`), fields, strings, whole numbers, parentheses, pipes, and the functions below. `{{-` and `-}}` trim as in Go.
 * (text/template)
 */
import { stringify } from 'yaml';

type Value = unknown;

type Operand =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'field'; readonly variable: string | null; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe };
/** Commands in sequence; the result of each is the last argument of the next. */
type Pipe = readonly (readonly Operand[])[];

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe }
  | { readonly kind: 'set'; readonly name: string; readonly pipe: Pipe }
  | { readonly kind: 'if' | 'with'; readonly pipe: Pipe; readonly then: Part[]; readonly otherwise: Part[] }
  | { readonly kind: 'range'; readonly names: readonly string[]; readonly pipe: Pipe; readonly body: Part[] };

type Scope = ReadonlyMap<string, Value>;

class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** All files of a chart's templates together: what one defines, all may include. */
export class Templates {
  private readonly defined = new Map<string, Part[]>();
  private readonly files = new Map<string, Part[]>();

  constructor(texts: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(texts)) {
      const reader = new Reader(piecesOf(text), this.defined);
      this.files.set(path, reader.parts([]));
    }
  }

  render(path: string, root: Value): string {
    return this.run(this.files.get(path)!, root, new Map([['$', root]]));
  }

  private run(parts: readonly Part[], dot: Value, scope: Scope): string {
    const variables = new Map(scope);
    let text = '';
    for (const part of parts) {
      switch (part.kind) {
        case 'text':
          text += part.text;
          break;
        case 'print':
          text += printed(this.value(part.pipe, dot, variables));
          break;
        case 'set':
          variables.set(part.name, this.value(part.pipe, dot, variables));
          break;
        case 'if':
        case 'with': {
          const value = this.value(part.pipe, dot, variables);
          const inner = part.kind === 'with' && isTrue(value) ? value : dot;
          text += this.run(isTrue(value) ? part.then : part.otherwise, inner, variables);
          break;
        }
        case 'range':
          for (const [key, value] of entriesOf(this.value(part.pipe, dot, variables))) {
            const [first, second] = part.names;
            const own = new Map(variables);
            if (second !== undefined) own.set(first!, key).set(second, value);
            else if (first !== undefined) own.set(first, value);
            text += this.run(part.body, value, own);
          }
      }
    }
    return text;
  }

  private value(pipe: Pipe, dot: Value, scope: Scope): Value {
    let result: { value: Value } | null = null;
    for (const [first, ...rest] of pipe) {
      const head = first!;
      const given = rest.map((operand) => this.operand(operand, dot, scope));
      if (result !== null) given.push(result.value);
      if (head.kind === 'function') result = { value: this.call(head.name, given) };
      else {
        const value = this.operand(head, dot, scope);
        if (typeof value === 'function')
          result = { value: (value as (...all: readonly Value[]) => Value)(...given) };
        else if (given.length > 0) throw new TemplateError('what is no function takes no arguments');
        else result = { value };
      }
    }
    return result!.value;
  }

  private operand(operand: Operand, dot: Value, scope: Scope): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'pipe':
        return this.value(operand.pipe, dot, scope);
      case 'function':
        return this.call(operand.name, []);
      case 'field': {
        const { variable, path } = operand;
        if (variable !== null && !scope.has(variable)) throw new TemplateError(`${variable} is not set`);
        return path.reduce(memberOf, variable === null ? dot : scope.get(variable));
      }
    }
  }

  private call(name: string, given: readonly Value[]): Value {
    if (name !== 'include') return FUNCTIONS[name]!(...given);
    const parts = this.defined.get(String(given[0]));
    if (parts === undefined) throw new TemplateError(`nothing is defined as ${String(given[0])}`);
    return this.run(parts, given[1], new Map([['$', given[1]]]));
  }
}

const FUNCTIONS: Readonly<Record<string, (...given: readonly Value[]) => Value>> = {
  default: (otherwise, value) => (isTrue(value) ? value : otherwise),
  int: (value) => Math.trunc(Number(value)),
  nindent: (columns, text) => `\n${String(text).replace(/^/gm, ' '.repeat(Number(columns)))}`,
  // Go puts spaces between operands that are not strings; here all are strings.
  print: (...parts) => parts.map(printed).join(''),
  quote: (value) => JSON.stringify(printed(value)),
  replace: (old, now, text) => String(text).replaceAll(String(old), () => String(now)),
  toYaml: (value) => stringify(value, { lineWidth: 0 }).trimEnd(),
  until: (count) => Array.from({ length: Number(count) }, (_, index) => index),
};
const KNOWN = new Set([...Object.keys(FUNCTIONS), 'include']);

function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Helm prints nothing for a missing value; here that is a mistake. */
function memberOf(value: Value, name: string): Value {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
    throw new TemplateError(`there is no .${name}`);
  return (value as Record<string, Value>)[name];
}

/** Go prints numbers from the values with an exponent from 1e6 on, so these must go through `int` or be given as text. */
function printed(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  if (typeof value === 'boolean') return String(value);
  throw new TemplateError(`not to be printed as it is: ${JSON.stringify(value)}`);
}

/** Maps are visited in key order, as in Go. */
function entriesOf(value: Value): [Value, Value][] {
  if (Array.isArray(value)) return [...value.entries()];
  return Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
}

type Piece = { readonly text: string } | { readonly action: string };

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trims = false;
  const add = (until: number, isTrimmed: boolean): void => {
    let piece = text.slice(at, until);
    if (trims) piece = piece.trimStart();
    if (isTrimmed) piece = piece.trimEnd();
    if (piece !== '') pieces.push({ text: piece });
  };
  for (const match of text.matchAll(
    /\{\{(- )?(-(?=\/))?\s*(\/\*[\s\S]*?\*\/|(?:"(?:[^"\\]|\\.)*"|[^"}]|\}(?!\}))*?)\s*( -)?\}\}/g,
  )) {
    add(match.index, match[1] !== undefined || match[2] !== undefined);
    if (!match[3]!.startsWith('/*')) pieces.push({ action: match[3]! });
    at = match.index + match[0].length;
    trims = match[4] !== undefined;
  }
  add(text.length, false);
  const left = pieces.find((piece) => 'text' in piece && /\{\{|\}\}/.test(piece.text));
  if (left !== undefined) throw new TemplateError('an action that is not understood');
  return pieces;
}

class Reader {
  private readonly pieces: readonly Piece[];
  private readonly defined: Map<string, Part[]>;
  private at = 0;
  /** The action that ended the last list of parts. */
  private ender = '';

  constructor(pieces: readonly Piece[], defined: Map<string, Part[]>) {
    this.pieces = pieces;
    this.defined = defined;
  }

  /** Parses up to one of the enders, which are consumed; without any, to the end of the file. */
  parts(enders: readonly string[]): Part[] {
    const parts: Part[] = [];
    while (this.at < this.pieces.length) {
      const piece = this.pieces[this.at++]!;
      if ('text' in piece) {
        parts.push({ kind: 'text', text: piece.text });
        continue;
      }
      const [word] = /^\S+/.exec(piece.action)!;
      if (word === 'end' || word === 'else') {
        if (!enders.includes(word)) throw new TemplateError(`${word} without a beginning`);
        this.ender = piece.action;
        return parts;
      }
      const part = this.part(word, piece.action);
      if (part !== null) parts.push(part);
    }
    if (enders.length > 0) throw new TemplateError('an end is missing');
    return parts;
  }

  private part(word: string, action: string): Part | null {
    const rest = action.slice(word.length).trim();
    switch (word) {
      case 'define':
        this.defined.set(JSON.parse(rest) as string, this.parts(['end']));
        return null;
      case 'if':
      case 'with':
        return this.choice(word, rest);
      case 'range': {
        const [, names, pipe] = /^(?:((?:\$\w+)(?:\s*,\s*\$\w+)?)\s*:=)?\s*(.*)$/s.exec(rest)!;
        return {
          kind: 'range',
          names: names?.split(/\s*,\s*/) ?? [],
          pipe: pipeOf(pipe!),
          body: this.parts(['end']),
        };
      }
      default: {
        const set = /^(\$\w+)\s*:=\s*(.*)$/s.exec(action);
        if (set !== null) return { kind: 'set', name: set[1]!, pipe: pipeOf(set[2]!) };
        return { kind: 'print', pipe: pipeOf(action) };
      }
    }
  }

  private choice(kind: 'if' | 'with', condition: string): Part {
    const pipe = pipeOf(condition);
    const then = this.parts(['else', 'end']);
    const rest = this.ender;
    if (rest === 'end') return { kind, pipe, then, otherwise: [] };
    if (rest === 'else') return { kind, pipe, then, otherwise: this.parts(['end']) };
    const [, word, next] = /^else (if|with) (.*)$/s.exec(rest) ?? [];
    if (word === undefined) throw new TemplateError(`not understood: ${rest}`);
    return { kind, pipe, then, otherwise: [this.choice(word as 'if' | 'with', next!)] };
  }
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(\d+)|(\$\w*)((?:\.\w+)*)|((?:\.\w+)+|\.)|([A-Za-z]\w*)|([()|]))/y;

function pipeOf(text: string): Pipe {
  TOKEN.lastIndex = 0;
  const tokens: RegExpExecArray[] = [];
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const token = TOKEN.exec(text);
    if (token === null) throw new TemplateError(`not understood: ${text}`);
    tokens.push(token);
  }
  const pipe = readPipe(tokens);
  if (tokens.length > 0) throw new TemplateError(`not understood: ${text}`);
  return pipe;
}

/** Takes its tokens from the front of the list. */
function readPipe(tokens: RegExpExecArray[]): Pipe {
  const pipe: Operand[][] = [[]];
  for (let next = tokens[0]; next !== undefined && next[7] !== ')'; next = tokens[0]) {
    tokens.shift();
    if (next[7] === '|') pipe.push([]);
    else if (next[7] === '(') {
      pipe.at(-1)!.push({ kind: 'pipe', pipe: readPipe(tokens) });
      if (tokens.shift()?.[7] !== ')') throw new TemplateError('a parenthesis stays open');
    } else pipe.at(-1)!.push(operandOf(next));
  }
  if (pipe.some((command) => command.length === 0)) throw new TemplateError('a command is missing');
  return pipe;
}

function operandOf([, text, number, variable, below, field, word]: RegExpExecArray): Operand {
  const pathOf = (dotted: string): string[] => dotted.split('.').filter((name) => name !== '');
  if (text !== undefined) return { kind: 'literal', value: JSON.parse(text) };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (variable !== undefined) return { kind: 'field', variable, path: pathOf(below!) };
  if (field !== undefined) return { kind: 'field', variable: null, path: pathOf(field) };
  if (!KNOWN.has(word!)) throw new TemplateError(`the function ${word!} is not of the subset`);
  return { kind: 'function', name: word! };
}
