/**
 * The settings file as JSON Schema, for editors and for checks before a rollout. A file may leave out what a variable
 * or flag gives, so nothing at its first two levels is required. Rules between settings, and anything else that a
 * schema cannot express, are left to `causeway config check`.
 */
import { z } from 'zod';
import { SETTING_KINDS, variableOf } from './layers.ts';
import { CONFIG } from './config.ts';

type Schema = Record<string, unknown>;

const ABSENT_IS_NONE = ['postgres', 'legacy'];

export function configSchema(): Schema {
  const schema = z.toJSONSchema(CONFIG, { io: 'input' }) as Schema;
  const { $schema, required: _required, ...rest } = schema;
  const properties = Object.entries(rest['properties'] as Record<string, Schema>);
  return {
    $schema,
    title: 'Settings of a Causeway node',
    ...rest,
    properties: Object.fromEntries(properties.map(([name, section]) => [name, sectionSchema(name, section)])),
  };
}

function sectionSchema(name: string, section: Schema): Schema {
  if (!ABSENT_IS_NONE.includes(name)) return described(name, settingsOf(name, section));
  const [shape] = section['anyOf'] as [Schema];
  return described(name, { anyOf: [settingsOf(name, shape), { const: 'none' }, { type: 'null' }] });
}

/** The settings of a section; a schema that is not a section is returned unchanged. */
function settingsOf(name: string, section: Schema): Schema {
  if (section['type'] !== 'object' || section['properties'] === undefined) return section;
  const { required: _required, default: _default, ...rest } = section;
  const settings = Object.entries(section['properties'] as Record<string, Schema>);
  return {
    ...rest,
    properties: Object.fromEntries(
      settings.map(([setting, schema]) => [setting, described(`${name}.${setting}`, schema)]),
    ),
  };
}

function described(path: string, schema: Schema): Schema {
  if (!Object.hasOwn(SETTING_KINDS, path)) return schema;
  return { description: `Also ${variableOf(path)}; see ${path} in docs/CONFIGURATION.md.`, ...schema };
}
