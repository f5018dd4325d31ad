/**
 * docs/TRACING.md compared with the code: its spans with their kinds and attributes, in both directions, and the names
 * of the conventions.
 */
import { readFileSync } from 'node:fs';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import { SPANS } from '../src/core/observability/spans.ts';
import type { SpanShape } from '../src/core/observability/spans.ts';
import { repositoryRoot } from './support/root.ts';

const page = readFileSync(`${repositoryRoot}/docs/TRACING.md`, 'utf8');

/** The rows of the table of spans: name, kind, attributes. */
function rowsOf(text: string): string[] {
  const table = text.slice(text.indexOf('| span | kind |'), text.indexOf('A span that failed'));
  return [...table.matchAll(/^\| `([^`]+)` \| (\w+) \| [^|]+ \| ?([^|]*?) ?\|$/gm)].map(
    ([, name, kind, attributes]) => `${name} ${kind} ${attributes}`,
  );
}

const shapes: readonly SpanShape[] = Object.values(SPANS);
const wanted = shapes.map(
  ({ name, kind, attributes }) => `${name} ${kind} ${attributes.map((each) => `\`${each}\``).join(', ')}`,
);

test('every span has a line with its kind and all its attributes, and every line is a span', () => {
  expect(rowsOf(page)).toEqual(wanted);
  expect(rowsOf(page.replace('`causeway.hops`', '`causeway.jumps`'))).not.toEqual(wanted);
});

test('an attribute is one of the semantic conventions, in force, or begins with the name of this program', () => {
  const source = readFileSync(
    `${repositoryRoot}/node_modules/@opentelemetry/semantic-conventions/dist/experimental_attributes.d.mts`,
    'utf8',
  );
  const deprecated = new Set(
    [...source.matchAll(/@deprecated(?:(?!\*\/)[^])*\*\/\s*declare const (\w+)/g)].map(([, name]) => name!),
  );
  const inForce = new Set<unknown>(
    Object.entries(conventions)
      .filter(([name]) => name.startsWith('ATTR_') && !deprecated.has(name))
      .map(([, attribute]) => attribute),
  );
  const others = shapes
    .flatMap(({ attributes }) => attributes)
    .filter((name) => !name.startsWith('causeway.'));
  expect(others.length).toBeGreaterThan(10);
  expect(others.filter((name) => !inForce.has(name))).toEqual([]);
  expect(deprecated.size).toBeGreaterThan(10);
});
