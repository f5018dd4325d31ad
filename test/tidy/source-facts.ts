/**
 * What the tidy test knows of one source file: its imports, functions, uses of the outside world and the like. Read
 * from the syntax tree, so that words in comments and strings are not mistaken for code.
 */
import { posix } from 'node:path';
import ts from 'typescript';

export interface ImportFact {
  readonly specifier: string;
  /** Path from the repository's root for relative imports, else undefined. */
  readonly target: string | undefined;
  readonly names: readonly string[];
  /** Everything that the file exports, as one object. */
  readonly isWhole: boolean;
  /** Absent at run time. */
  readonly typeOnly: boolean;
  /** `import()` at run time: loaded when needed, so never part of an import cycle. */
  readonly dynamic: boolean;
  readonly line: number;
}

export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly lineCount: number;
  /** Without the functions inside it. */
  readonly ownLineCount: number;
  /** Annotated with `// long: reason` on the line before. */
  readonly excused: boolean;
}

export interface UseFact {
  readonly name: string;
  readonly line: number;
}

export interface SourceFacts {
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly opensWithComment: boolean;
  readonly imports: readonly ImportFact[];
  readonly functions: readonly FunctionFact[];
  /** Global names that the file uses without declaring them: `Date`, `process`, `Math.random`, ... */
  readonly globals: readonly UseFact[];
  /** `async`, `await` and `Promise`, as values or as types. */
  readonly promises: readonly UseFact[];
  readonly defaultExportLine: number | undefined;
  /** Functions, classes and values, where they are declared; types are not included. */
  readonly exports: readonly UseFact[];
  /** The file only exports what other files declare, or exports all of another file. */
  readonly isBarrel: boolean;
  /** Interfaces with the number of their methods. */
  readonly interfaces: readonly {
    readonly name: string;
    readonly methodCount: number;
    readonly line: number;
  }[];
  readonly strings: readonly string[];
}

const WATCHED_GLOBALS = new Set([
  ...['Date', 'process', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout'],
  ...['clearInterval', 'clearImmediate', 'performance', 'fetch', 'queueMicrotask', 'crypto'],
]);

interface Collected {
  readonly imports: ImportFact[];
  readonly functions: FunctionFact[];
  readonly globals: UseFact[];
  readonly promises: UseFact[];
  readonly interfaces: { name: string; methodCount: number; line: number }[];
  readonly strings: string[];
  readonly exports: UseFact[];
  defaultExportLine: number | undefined;
}

export function factsOf(path: string, text: string): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const collected: Collected = {
    imports: [],
    functions: [],
    globals: [],
    promises: [],
    interfaces: [],
    strings: [],
    exports: file.statements.flatMap((statement) => exportedBy(statement, file)),
    defaultExportLine: undefined,
  };
  const declared = namesDeclaredIn(file);
  const visit = (node: ts.Node): void => {
    collectImport(node, file, path, collected);
    collectFunction(node, file, collected);
    collectUse(node, file, declared, collected);
    if (ts.isInterfaceDeclaration(node)) {
      const methodCount = node.members.filter((member) => isMethodMember(member)).length;
      collected.interfaces.push({ name: node.name.text, methodCount, line: lineOf(node, file) });
    }
    if (isDefaultExport(node)) collected.defaultExportLine ??= lineOf(node, file);
    if (ts.isStringLiteralLike(node)) collected.strings.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return {
    path,
    text,
    lineCount: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    opensWithComment: /^(#!.*\n)?\s*\/[*/]/.test(text),
    isBarrel: isBarrel(file),
    ...collected,
  };
}

function collectImport(node: ts.Node, file: ts.SourceFile, path: string, into: Collected): void {
  const add = (
    specifier: ts.Node,
    parts: Pick<ImportFact, 'names' | 'isWhole' | 'typeOnly' | 'dynamic'>,
  ): void => {
    if (!ts.isStringLiteralLike(specifier)) return;
    const target = specifier.text.startsWith('.')
      ? posix.normalize(posix.join(posix.dirname(path), specifier.text))
      : undefined;
    into.imports.push({ specifier: specifier.text, target, line: lineOf(node, file), ...parts });
  };
  if (ts.isImportDeclaration(node)) {
    const bindings = node.importClause?.namedBindings;
    const names = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    const isWhole = bindings !== undefined && ts.isNamespaceImport(bindings);
    add(node.moduleSpecifier, { names: names.map(nameThere), isWhole, typeOnly, dynamic: false });
  } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const clause = node.exportClause;
    const names = clause !== undefined && ts.isNamedExports(clause) ? clause.elements.map(nameThere) : [];
    add(node.moduleSpecifier, {
      ...{ names, isWhole: names.length === 0, typeOnly: node.isTypeOnly, dynamic: false },
    });
  } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    add(node.arguments[0]!, { names: [], isWhole: true, typeOnly: false, dynamic: true });
  } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    add(node.argument.literal, { names: [], isWhole: true, typeOnly: true, dynamic: false });
  }
}

/** The name by which the other file knows it. */
function nameThere({ name, propertyName }: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (propertyName ?? name).text;
}

function exportedBy(statement: ts.Statement, file: ts.SourceFile): UseFact[] {
  const isExported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return [];
  const declared = ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map(({ name }) => name)
    : ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
      ? [statement.name]
      : [];
  const line = lineOf(statement, file);
  return declared.flatMap((name) =>
    name !== undefined && ts.isIdentifier(name) ? [{ name: name.text, line }] : [],
  );
}

function collectFunction(node: ts.Node, file: ts.SourceFile, into: Collected): void {
  if (!isFunction(node) || node.body === undefined) return;
  const lineCount = linesOf(node, file);
  let inner = 0;
  const measure = (child: ts.Node): void => {
    if (isFunction(child) && child.body !== undefined) inner += linesOf(child, file) - 1;
    else ts.forEachChild(child, measure);
  };
  ts.forEachChild(node, measure);
  const line = lineOf(node, file);
  const before = file.text.split('\n', line)[line - 2] ?? '';
  const name = node.name !== undefined && ts.isIdentifier(node.name) ? node.name.text : nameFromParent(node);
  const excused = /^\s*\/\/ long: \S/.test(before);
  into.functions.push({ name, line, lineCount, ownLineCount: lineCount - inner, excused });
}

function collectUse(
  node: ts.Node,
  file: ts.SourceFile,
  declared: ReadonlySet<string>,
  into: Collected,
): void {
  if (ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword) {
    into.promises.push({ name: ts.isAwaitExpression(node) ? 'await' : 'async', line: lineOf(node, file) });
  }
  if (!ts.isIdentifier(node) || declared.has(node.text) || isNameOfMember(node)) return;
  if (node.text === 'Promise' || node.text === 'PromiseLike') {
    into.promises.push({ name: node.text, line: lineOf(node, file) });
  } else if (WATCHED_GLOBALS.has(node.text)) {
    into.globals.push({ name: node.text, line: lineOf(node, file) });
  } else if (node.text === 'Math' && ts.isPropertyAccessExpression(node.parent)) {
    if (node.parent.name.text === 'random')
      into.globals.push({ name: 'Math.random', line: lineOf(node, file) });
  }
}

/** A property's or parameter's name is not a use of a global: `request.process`, `{ Date: 1 }`. */
function isNameOfMember(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent))
    return parent.getChildAt(0) !== node;
  const named = parent as { name?: ts.Node };
  return named.name === node && !ts.isShorthandPropertyAssignment(parent);
}

function namesDeclaredIn(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isBindingElement(node);
    if (declares && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isConstructorDeclaration(node) ||
    ts.isAccessor(node)
  );
}

function isMethodMember(member: ts.TypeElement): boolean {
  if (ts.isMethodSignature(member)) return true;
  return ts.isPropertySignature(member) && member.type !== undefined && ts.isFunctionTypeNode(member.type);
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node) && node.name.text === 'default') return true;
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

function isBarrel(file: ts.SourceFile): boolean {
  const reexports = file.statements.filter(
    (statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined,
  );
  const whole = reexports.some((statement) => (statement as ts.ExportDeclaration).exportClause === undefined);
  return whole || (reexports.length > 0 && reexports.length === file.statements.length);
}

function nameFromParent(node: ts.Node): string {
  const parent = node.parent as { name?: ts.Node };
  return parent.name !== undefined && ts.isIdentifier(parent.name) ? parent.name.text : 'a function';
}

function lineOf(node: ts.Node, file: ts.SourceFile): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

function linesOf(node: ts.Node, file: ts.SourceFile): number {
  return file.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(node, file);
}
