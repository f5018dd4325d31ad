/** The command line as seen by a shell and a terminal: the built program, its pipes and its exit codes. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseLine } from '../src/cli/import-rows.ts';
import { openDoors } from './support/grpc-call.ts';
import { repositoryRoot } from './support/root.ts';
import { buildProgram } from './support/supervisor-program.ts';
import { commandFaults, commandsIn } from './tidy/documents.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

test('nobody reads what it prints, at once or amid much of it: it ends as a shell expects, without a word', async () => {
  const doors = await openDoors();
  try {
    for (let at = 0; at < 400; at++)
      doors.api.write(
        { kind: 'put', key: `k${at}`, value: Buffer.alloc(200, 'v'), ttlMs: 0, operationId: null },
        1_000,
        () => undefined,
      );
    for (const words of [['--help'], ['export', '--nodes', doors.address]]) {
      const child = spawn(process.execPath, [program.entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.destroy();
      let errors = '';
      child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect([code, errors]).toEqual([141, '']);
    }
  } finally {
    await doors.stop();
  }
});

const run = (...words: string[]): { status: number | null; stdout: string } =>
  spawnSync(process.execPath, [program.entry, ...words], { encoding: 'utf8' });

test('every command that a page tells to type is there, with the options that stand behind it', () => {
  const script = run('completion', 'bash').stdout;
  const words = new Map(
    [...script.matchAll(/^ {4}'([^':]*)'\) all='([^']*)'/gm)].map(([, place, all]) => [
      place!,
      all!.split(' '),
    ]),
  );
  const pages = [
    'README',
    ...['CLI', 'CONFIGURATION', 'DEPLOYMENT', 'OPERATIONS'].map((name) => `docs/${name}`),
  ];
  for (const page of pages) {
    const text = readFileSync(join(repositoryRoot, `${page}.md`), 'utf8');
    expect(commandsIn(text).length, page).toBeGreaterThan(2);
    expect(commandFaults(page, text, words)).toEqual([]);
  }
});

const hasBash = spawnSync('bash', ['--version']).status === 0;

test.skipIf(!hasBash)(
  'bash completes commands, what stands below them, options, their values and files',
  () => {
    const script = run('completion', 'bash').stdout;
    const typed = [
      [''],
      ['sta'],
      ['config', 'sh'],
      ['cluster', 'plan', '--le'],
      ['status', '--nodes', 'h:1', '--on'],
      // A value is not a command, whatever its name.
      ['get', 'config', '--allow'],
      ['completion', 'z'],
      ['config', 'check', '--config', process.argv[1]!.slice(0, -1)],
      ['node', '--name', ''],
    ];
    // One shell for all cases, because starting it takes most of the time.
    const asks = typed.map((words) => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      return `COMP_WORDS=(causeway ${quoted}); COMP_CWORD=${words.length}; _causeway; echo "\${COMPREPLY[*]}"`;
    });
    const ran = spawnSync('bash', ['-c', `${script}\n${asks.join('\n')}`], { encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    const [first, ...others] = ran.stdout.split('\n');
    // Every command that the help lists, but no hidden one.
    const listed = [...run('--help').stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name!);
    expect(listed.length).toBeGreaterThan(12);
    expect(first!.split(' ').filter((word) => !word.startsWith('-'))).toEqual(listed);
    expect(others.slice(0, 6)).toEqual(['status', 'show', '--leave', '--only', '--allow-stale', 'zsh']);
    expect(others[6]).toContain(process.argv[1]);
    expect(others[7]).toBe('');
  },
);

test.each([
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])(
  '%s: every command and option is in its script, and the shell reads it where it is installed',
  (shell, parse) => {
    const { status, stdout } = run('completion', shell);
    expect(status).toBe(0);
    for (const word of ['adopt-record', 'yes-lose-data', 'legacy-key', 'checkpoint'])
      expect(stdout).toContain(word);
    expect(stdout).not.toContain('guard');
    if (spawnSync(shell, ['--version']).status !== 0) return;
    // Through a file, because fish cannot read a script from a pipe that is a socket.
    const directory = mkdtempSync(join(tmpdir(), 'causeway-completion-'));
    try {
      const file = join(directory, `completion.${shell}`);
      writeFileSync(file, stdout);
      const read = spawnSync(shell, [...parse, file], { encoding: 'utf8' });
      expect([read.status, read.stderr]).toEqual([0, '']);
      if (shell !== 'fish') return;
      const ask = `source '${file}'; complete -C 'causeway config sh'`;
      const offered = spawnSync(shell, ['-c', ask], { encoding: 'utf8' }).stdout;
      expect(offered).toMatch(/^show\t/m);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

/** The tool that gives a program a terminal; if it is not installed, the test is counted as skipped. */
const hasScript = spawnSync('script', ['--version']).status === 0;

test.skipIf(!hasScript).each([
  ['q', 'q'],
  ['Ctrl-C', '\u0003'],
])('top in a terminal, left by %s: a frame is shown, and the terminal is as it was', async (_name, key) => {
  const doors = await openDoors();
  try {
    const command = `${process.execPath} ${program.entry} top --only --nodes ${doors.address}`;
    const child = spawn('script', ['-qfec', `stty -a; ${command}; echo code $?; stty -a`, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let shown = '';
    let isLeft = false;
    child.stdout.on('data', (text: Buffer) => {
      shown += text.toString();
      if (isLeft || !shown.includes('1 of 1 nodes serve')) return;
      isLeft = true;
      child.stdin.write(key);
    });
    await new Promise((resolve) => child.once('close', resolve));
    const [before, after] = shown.split('code 0');
    expect(shown).toContain('\u001b[?1049h');
    expect(before?.trimEnd().endsWith('\u001b[?1049l')).toBe(true);
    const modes = (text = ''): string[] => text.match(/-?\b(icanon|echo|isig|icrnl|opost)\b/g) ?? [];
    expect(modes(after)).toEqual(modes(before?.split('\u001b')[0]));
    expect(modes(after)).toContain('icanon');
  } finally {
    await doors.stop();
  }
});

test('data that a command of a document leaves in a checkout: git does not see it', () => {
  const ignored = readFileSync(join(repositoryRoot, '.gitignore'), 'utf8').split('\n');
  const folders = ['README.md', 'docs/CLI.md', 'docs/OPERATIONS.md'].flatMap((page) =>
    commandsIn(readFileSync(join(repositoryRoot, page), 'utf8')).flatMap((words) =>
      words.flatMap((word, at) => (word === '--data-dir' ? [words[at + 1]!] : [])),
    ),
  );
  const own = folders.filter((folder) => !folder.startsWith('/'));
  expect(own.length).toBeGreaterThan(1);
  for (const folder of own) expect(ignored).toContain(`${folder.split('/')[0]!}/`);
});

test('an export into a file that may not grow on: it ends in failure, and resumed it has lost no record', async () => {
  const KEYS = 30;
  const doors = await openDoors();
  const folder = mkdtempSync(join(tmpdir(), 'causeway-file-'));
  const place = join(folder, 'place');
  const file = join(folder, 'rows');
  const exported = async (limit: string): Promise<{ code: number; errors: string }> => {
    const line = `${limit}'${process.execPath}' '${program.entry}' export --checkpoint '${place}' --nodes ${doors.address} >> '${file}'`;
    const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const code = await new Promise<number>((resolve) => child.once('close', resolve));
    return { code, errors };
  };
  try {
    doors.api.scanPageMax = 10;
    for (let at = 0; at < KEYS; at++)
      doors.api.write(
        { kind: 'put', key: `k${10 + at}`, value: Buffer.alloc(5_000, 'v'), ttlMs: 0, operationId: null },
        1_000,
        () => undefined,
      );
    // In blocks of 512 or 1,024 bytes: the limit lies within the second or the third of three pages.
    const cut = await exported('ulimit -f 140; ');
    expect(cut.code).toBe(3);
    expect(cut.errors).toContain('stopped: standard output cannot be written');
    expect((await exported('')).code).toBe(0);
    const rows = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => parseLine(Buffer.from(line)).row ?? []);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(KEYS);
  } finally {
    rmSync(folder, { recursive: true });
    await doors.stop();
  }
});

test.skipIf(!existsSync('/dev/full'))(
  'what it prints meets a full disk: one line says so, and exit 4',
  () => {
    const line = `'${process.execPath}' '${program.entry}' completion bash > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      4,
      'error: standard output cannot be written: no space is left on its disk (ENOSPC)\n',
    ]);
  },
);
