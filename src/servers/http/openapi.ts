/**
 * The OpenAPI document of the HTTP door, generated from the routes themselves; there is no other description of them.
 */
import { z } from 'zod';
import { CODE_HEADER, PROBLEM, PROBLEM_TYPE } from './problem.ts';
import { isBytes } from './route.ts';
import type { AnswerDescription, DescribedRoute, RouteFacts } from './route.ts';

type Json = { readonly [name: string]: unknown };

const ABOUT = {
  title: 'Causeway',
  version: '1',
  description:
    'Keys and values of a Causeway cluster, and its administration, at any of its nodes. What is promised, with examples: docs/HTTP.md.',
};

export function openApiDocument(table: readonly DescribedRoute[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of table) {
    const described = operation(one, schemas);
    const path = (paths[one.path] ??= {});
    path[one.method.toLowerCase()] = described;
    if (one.method === 'GET') path['head'] = headOf(described, one.id);
  }
  // `schemas.named` is read last, when every referenced schema has been collected.
  return { openapi: '3.1.0', info: ABOUT, paths, components: { schemas: schemas.named } };
}

/** Collects the schemas that have an id: each appears once in the document and is referred to elsewhere. */
class Schemas {
  readonly named: Record<string, unknown> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): unknown {
    const text = JSON.stringify(z.toJSONSchema(schema, { io }));
    const {
      $schema: _,
      $defs,
      ...whole
    } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as {
      $schema: string;
      $defs?: Record<string, Json>;
    };
    Object.assign(this.named, $defs);
    return whole;
  }
}

function operation(one: DescribedRoute, schemas: Schemas): Json {
  const responses: Record<string, unknown> = {};
  for (const [status, described] of Object.entries(one.answers))
    responses[status] = response(described, schemas);
  responses['default'] = {
    description: 'It was not done, or is not known to be: see code and outcome.',
    headers: headers({ [CODE_HEADER]: 'the code of the problem' }),
    content: { [PROBLEM_TYPE]: { schema: schemas.of(PROBLEM, 'output') } },
  };
  return {
    operationId: one.id,
    summary: one.summary,
    ...(one.description === undefined ? {} : { description: one.description }),
    parameters: parameters(one, schemas),
    ...(one.body === null ? {} : { requestBody: requestBody(one.body, schemas) }),
    responses,
  };
}

function headOf(get: Json, id: string): Json {
  return { ...get, operationId: `${id}Head`, summary: `${String(get['summary'])}: the head alone` };
}

function parameters(one: DescribedRoute, schemas: Schemas): Json[] {
  const told: Json[] = [];
  if (one.path.endsWith('{key}'))
    told.push({
      ...{ name: 'key', in: 'path', required: true, schema: { type: 'string', minLength: 1 } },
      description: 'in percent-encoding; slashes may stand as they are',
    });
  for (const [name, schema] of Object.entries(one.query.shape)) {
    const { description } = schema;
    const required = !schema.safeParse(undefined).success;
    told.push({ name, in: 'query', required, description, schema: schemas.of(schema, 'output') });
  }
  for (const [name, description] of Object.entries(one.requestHeaders ?? {}))
    told.push({ name, in: 'header', required: false, description, schema: { type: 'string' } });
  return told;
}

/** A value is served with the content type that it was stored with. */
const BYTES_OF_ANY_TYPE = { '*/*': {} };

function requestBody(body: z.ZodType, schemas: Schemas): Json {
  const content = isBytes(body)
    ? BYTES_OF_ANY_TYPE
    : { 'application/json': { schema: schemas.of(body, 'input') } };
  return { required: true, content };
}

function response(
  { description, schema, isBytes: hasBytes, headers: told }: AnswerDescription,
  schemas: Schemas,
): Json {
  const content =
    schema !== undefined
      ? { 'application/json': { schema: schemas.of(schema, 'output') } }
      : hasBytes === true
        ? BYTES_OF_ANY_TYPE
        : undefined;
  return {
    description,
    ...(told === undefined ? {} : { headers: headers(told) }),
    ...(content === undefined ? {} : { content }),
  };
}

function headers(told: NonNullable<RouteFacts['requestHeaders']>): Json {
  return Object.fromEntries(
    Object.entries(told).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );
}
