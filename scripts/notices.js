/**
 * Writes THIRD-PARTY-NOTICES.md: every package that the program runs on, by the lock file, with its licence text from
 * the package itself. `--check` only says whether the file is up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root, runMain } from './ensure.js';

const FILE = join(root, 'THIRD-PARTY-NOTICES.md');
const HEAD = `# Third-party notices

Causeway runs on the packages below. This file is made by \`node scripts/notices.js\` from package-lock.json and the packages' own files.
Packages marked "optional" come as binaries for one platform or another; their texts lie in them.

`;

await runMain(async () => {
  await ensureInstalled({ dev: true });
  const text = noticesOf(productionPackages());
  if (!process.argv.includes('--check')) {
    writeFileSync(FILE, text);
    process.stdout.write('wrote THIRD-PARTY-NOTICES.md\n');
  } else if (readFileSync(FILE, 'utf8') !== text) {
    throw new Error(
      'THIRD-PARTY-NOTICES.md is not what package-lock.json says: run `node scripts/notices.js`',
    );
  }
});

/** All packages that are not for development only, sorted by name. */
function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version, license, optional, devOptional }]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      path,
      version,
      license: license ?? 'see its text',
      isOptional: Boolean(optional || devOptional),
    }))
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

function noticesOf(packages) {
  let text = `${HEAD}| package | version | licence |\n|---|---|---|\n`;
  for (const { name, version, license, isOptional } of packages) {
    text += `| \`${name}\` | ${version} | ${license}${isOptional ? ' (optional)' : ''} |\n`;
  }
  const byText = new Map();
  for (const each of packages.filter(({ isOptional }) => !isOptional)) {
    const words = licenceText(each.path);
    if (words === '') continue;
    byText.set(words, [...(byText.get(words) ?? []), `${each.name} ${each.version}`]);
  }
  for (const [words, names] of byText) {
    text += `\n## ${names.join(', ')}\n\n${words.replace(/^/gm, '    ').replace(/ +$/gm, '')}\n`;
  }
  return text;
}

function licenceText(path) {
  const folder = join(root, path);
  const names = readdirSync(folder).filter((name) =>
    /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i.test(name),
  );
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}
