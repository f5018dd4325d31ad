/**
 * Generates src/gen/ from proto/: the codec of every message (protobufjs static code), its types, and the file
 * descriptors for server reflection. The result is committed; run this after changing a .proto.
 *
 * The codec is changed in one respect: a uint64 decodes to a plain number and an int64 to a bigint, instead of an
 * object per field. Versions and times are at most 2^53 - 1, and a larger number from a client comes out above that
 * bound (rounded), so that the checks refuse it. `node scripts/generate.js --check` only compares.
 */
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

const pbjs = createRequire(import.meta.url)('protobufjs-cli/pbjs');
const root = fileURLToPath(new URL('..', import.meta.url));
const protoFolder = join(root, 'proto');
const outFolder = join(root, 'src/gen');

const PBJS_ARGUMENTS = [
  ...['-t', 'static-module', '-w', 'esm', '--dependency', 'protobufjs/minimal.js', '--root', 'causeway'],
  ...['--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service', '--no-create'],
  ...['--no-comments', '--force-number'],
];

const BANNER = `/** Made by scripts/generate.js from proto/. Do not edit: change the .proto and run \`npm run generate\`. */\n`;

const INT64_HELPERS = `
function readUint64(reader) {
    let value = 0, scale = 1;
    for (let i = 0; i < 10; i++) {
        if (reader.pos >= reader.len)
            throw $RangeError("index out of range");
        const byte = reader.buf[reader.pos++];
        value += (byte & 127) * scale;
        if (byte < 128)
            return value;
        scale *= 128;
    }
    throw $Error("invalid varint encoding");
}

function readInt64(reader) {
    const long = reader.int64();
    return typeof long === "number" ? BigInt(long) : BigInt.asIntN(64, BigInt(long.high) << 32n | BigInt(long.low >>> 0));
}

function int64Bits(value) {
    return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}
`;

const SCALARS = { string: 'string', bytes: 'Uint8Array', bool: 'boolean', int64: 'bigint' };
const NUMBERS = new Set(['uint32', 'int32', 'uint64', 'double']);

await main();

async function main() {
  const files = protoFiles();
  const outputs = new Map([
    ['protocol.js', await codec(files)],
    ['protocol.d.ts', types(files)],
    ['descriptors.ts', descriptors(files)],
  ]);
  if (process.argv.includes('--check')) return check(outputs);
  mkdirSync(outFolder, { recursive: true });
  for (const [name, text] of outputs) writeFileSync(join(outFolder, name), text);
}

function check(outputs) {
  const stale = [...outputs].filter(([name, text]) => readFileSync(join(outFolder, name), 'utf8') !== text);
  for (const [name] of stale) console.error(`src/gen/${name} is not what proto/ gives: run npm run generate`);
  if (stale.length > 0) process.exitCode = 1;
}

function protoFiles() {
  return (
    readdirSync(protoFolder, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      // Members encode and decode their packets by hand (src/wire), and reflection does not show them to clients.
      .filter((name) => name.endsWith('.proto') && !name.startsWith('causeway/peer/'))
      .sort()
  );
}

async function codec(files) {
  const paths = files.map((name) => join(protoFolder, name));
  const text = await promisify(pbjs.main)([...PBJS_ARGUMENTS, ...paths]);
  const helpersAt = text.indexOf('const $root = ');
  if (helpersAt < 0) throw new Error('the generator has changed its output: look at the helpers');
  const nonZero = (reader) =>
    `typeof (value = reader.${reader}()) === "object" ? value.low || value.high : value !== 0`;
  const body = text
    .slice(helpersAt)
    .replaceAll('$util.Long ? $util.Long.fromBits(0,0,true) : 0', '0')
    .replaceAll('$util.Long ? $util.Long.fromBits(0,0,false) : 0', '0n')
    .replaceAll(nonZero('uint64'), '(value = readUint64(reader)) !== 0')
    .replaceAll(nonZero('int64'), '(value = readInt64(reader)) !== 0n')
    .replaceAll('= reader.uint64()', '= readUint64(reader)')
    .replace(/\(typeof (message\.\w+) === "object" \? .*? : \1 !== 0\)/g, '$1 != 0')
    .replace(/\.int64\((message\.\w+)\)/g, '.int64(int64Bits($1))');
  if (/Long|reader\.u?int64\(\)/.test(body))
    throw new Error('the generator has changed its output: 64-bit fields');
  return BANNER + text.slice(0, helpersAt) + INT64_HELPERS.trimStart() + '\n' + body;
}

/**
 * Two shapes for each message: `X` as decoded (every field present; a message or alternative that was not sent is null)
 * and `XFields` to encode (every field optional).
 */
function types(files) {
  const loaded = load(files);
  const lines = [
    BANNER.trimEnd(),
    "import type { Writer } from 'protobufjs/minimal.js';",
    '',
    'export interface MessageType<Decoded, Fields> {',
    '  encode(message: Fields): Writer;',
    '  decode(bytes: Uint8Array): Decoded;',
    '}',
  ];
  for (const space of packages(loaded)) {
    lines.push(
      '',
      `export namespace ${space.fullName.slice(1)} {`,
      ...space.nestedArray.flatMap(declaration),
      '}',
    );
  }
  return lines.join('\n') + '\n';
}

function declaration(item) {
  if (item instanceof protobuf.Enum) return [`  export const ${item.name}: ${enumerationType(item)};`];
  if (!(item instanceof protobuf.Type)) return [];
  const { name } = item;
  const enums = item.nestedArray.filter((inner) => inner instanceof protobuf.Enum);
  if (enums.length < item.nestedArray.length) throw new Error(`${item.fullName}: a message inside a message`);
  const inside = enums.map((each) => ` & { readonly ${each.name}: ${enumerationType(each)} }`).join('');
  return [
    `  export interface ${name} {`,
    ...item.fieldsArray.map((field) => `    ${field.name}: ${decodedType(field)};`),
    ...item.oneofsArray.map(
      (one) => `    readonly ${one.name}?: ${one.oneof.map((member) => `'${member}'`).join(' | ')};`,
    ),
    '  }',
    `  export interface ${name}Fields {`,
    ...item.fieldsArray.map((field) => `    ${field.name}?: ${encodedType(field)} | null | undefined;`),
    '  }',
    `  export const ${name}: MessageType<${name}, ${name}Fields>${inside};`,
  ];
}

function enumerationType(item) {
  const members = Object.entries(item.values).map(([name, value]) => `readonly ${name}: ${value}`);
  return `{ ${members.join('; ')} }`;
}

function scalar(field, suffix) {
  if (field.resolvedType instanceof protobuf.Type) return field.resolvedType.fullName.slice(1) + suffix;
  if (field.resolvedType instanceof protobuf.Enum || NUMBERS.has(field.type)) return 'number';
  const type = SCALARS[field.type];
  if (type === undefined) throw new Error(`${field.fullName}: no type is known for ${field.type}`);
  return type;
}

function decodedType(field) {
  if (field.repeated) return `${scalar(field, '')}[]`;
  const nullable = field.partOf !== null || field.resolvedType instanceof protobuf.Type;
  return scalar(field, '') + (nullable ? ' | null' : '');
}

function encodedType(field) {
  return field.repeated ? `readonly ${scalar(field, 'Fields')}[]` : scalar(field, 'Fields');
}

/** Each file separately, since none imports another: its bytes, and the services that it defines. */
function descriptors(files) {
  const entries = files.map((name) => {
    const loaded = load([name]);
    const set = loaded.toDescriptor('proto3');
    const file = set.file.find((each) => each.messageType.length > 0);
    file.name = name;
    const bytes = Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()).toString('base64');
    return [
      '  {',
      `    name: '${name}',`,
      `    services: [${file.service.map((service) => `'${file.package}.${service.name}'`).join(', ')}],`,
      `    symbols: [${symbolsOf(file)
        .map((symbol) => `\n      '${symbol}',`)
        .join('')}\n    ],`,
      `    base64:\n      '${bytes}',`,
      '  },',
    ].join('\n');
  });
  return `${BANNER}
export interface ProtoFile {
  readonly name: string;
  readonly services: readonly string[];
  /** Full names of its messages, enums, services and methods. */
  readonly symbols: readonly string[];
  /** A serialised google.protobuf.FileDescriptorProto. */
  readonly base64: string;
}

export const PROTO_FILES: readonly ProtoFile[] = [
${entries.join('\n')}
];
`;
}

function symbolsOf(file) {
  const symbols = [];
  const visit = (prefix, messages, enums) => {
    for (const message of messages) {
      symbols.push(`${prefix}.${message.name}`);
      visit(`${prefix}.${message.name}`, message.nestedType, message.enumType);
    }
    for (const each of enums) symbols.push(`${prefix}.${each.name}`);
  };
  visit(file.package, file.messageType, file.enumType);
  for (const service of file.service) {
    symbols.push(`${file.package}.${service.name}`);
    for (const method of service.method) symbols.push(`${file.package}.${service.name}.${method.name}`);
  }
  return symbols;
}

function load(files) {
  const loaded = new protobuf.Root();
  for (const name of files) loaded.loadSync(join(protoFolder, name));
  loaded.resolveAll();
  return loaded;
}

function packages(loaded) {
  const found = [];
  const visit = (space) => {
    if (space.nestedArray.some((item) => item instanceof protobuf.Type)) found.push(space);
    for (const item of space.nestedArray) if (item.constructor === protobuf.Namespace) visit(item);
  };
  visit(loaded);
  return found;
}
