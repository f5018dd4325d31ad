/** Runs the examples of docs/HTTP.md against the door, as curl would, and compares the answers with the page. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';

interface Example {
  readonly method: string;
  readonly path: string;
  readonly init: RequestInit;
  readonly status: number;
  readonly text: string;
}

/** Parses a line `curl ... # STATUS text`. An unknown option of curl fails the test. */
function exampleOf(line: string): Example {
  const [, command, status, text] = /^curl (.*?)\s*# (\d{3})\s*(.*)$/.exec(line)!;
  const words = [...command!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  let method = '';
  let url = '';
  let body: string | undefined;
  const headers: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (word === '-i' || word === '-s') continue;
    if (word === '-I') method = 'HEAD';
    else if (word === '-X') method = words[(at += 1)]!;
    else if (word === '-d') body = words[(at += 1)]!;
    else if (word === '-H') {
      const [name, value] = words[(at += 1)]!.split(': ');
      headers[name!] = value!;
    } else if (word.startsWith('http://127.0.0.1:8081/')) url = word.slice('http://127.0.0.1:8081'.length);
    else throw new Error(`${word}: not known of curl here`);
  }
  const init: RequestInit = body === undefined ? { headers } : { headers, body };
  return {
    method: method || (body === undefined ? 'GET' : 'POST'),
    path: url,
    init,
    status: Number(status),
    text: text!,
  };
}

test('every example answers with its status, and what it shows', async () => {
  const page = readFileSync(new URL('../../../docs/HTTP.md', import.meta.url), 'utf8');
  const lines = [...page.matchAll(/^curl .*$/gm)].map(([line]) => exampleOf(line));
  expect(lines.length).toBeGreaterThan(9);
  const door = new HttpDoor();
  for (const { method, path, init, status, text } of lines) {
    const answer = await door.ask(method, path, init);
    expect([path, answer.status]).toEqual([path, status]);
    if (text !== '') expect(answer.text).toBe(text);
  }
});
