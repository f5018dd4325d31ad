/**
 * The user that PostgreSQL runs as, and where its files may lie. It refuses to run as root, so a supervisor that is
 * root runs it as the user `nobody`. That user must be able to access the directory, which is impossible below a
 * private home such as /root.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from '../base/reason-of.ts';
import { StartError } from './start-error.ts';

/** If both are undefined, PostgreSQL runs as our own user. */
export interface PostgresUser {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresHome {
  /** A real path that the user can access and write. */
  readonly path: string;
  readonly user: PostgresUser;
}

/** Where a supervisor that is root keeps the database if the data directory is not accessible to PostgreSQL's user. */
const HOME_OF_ROOT = '/var/lib/causeway';
/** The id of `nobody` nearly everywhere. initdb insists on a user that has an entry in /etc/passwd. */
const NOBODY = 65534;

/**
 * Makes `path` (`.causeway/postgres`) a directory that PostgreSQL can use, and says as which user. If that user cannot
 * access it, it becomes a link to a fresh directory under `homeOfRoot`; removing the link starts over.
 */
export function preparePostgresHome(path: string, homeOfRoot = HOME_OF_ROOT): PostgresHome {
  if (process.getuid?.() !== 0) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return { path: realpathSync(path), user: {} };
  }
  if (lstatSync(path, { throwIfNoEntry: false })) return existingHome(path);

  const user = nobody();
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, user.uid, user.gid);
  if (canUse(path, user)) return { path: realpathSync(path), user };
  rmdirSync(path);
  try {
    mkdirSync(homeOfRoot, { recursive: true });
    const home = mkdtempSync(join(homeOfRoot, `${basename(dirname(path)).replace(/^\.+/, '')}-`));
    chmodSync(home, 0o700);
    chownSync(home, user.uid, user.gid);
    if (!canUse(home, user)) throw new Error(`user ${user.uid} cannot reach ${home}`);
    symlinkSync(home, path);
    return { path: realpathSync(home), user };
  } catch (error) {
    throw new StartError(
      `PostgreSQL does not run as root, and the user it runs as cannot reach ${dirname(path)} ` +
        `(${reasonOf(error)}): choose a --data-dir that other users may enter, or set DATABASE_URL`,
    );
  }
}

/** A database is run by the user that owns it, so that both root and that user can start it in turn. */
function existingHome(path: string): PostgresHome {
  if (!existsSync(path)) {
    throw new StartError(
      `${path} is a link to a directory that is gone: put it back, or remove the link to begin with an empty database`,
    );
  }
  // The link itself may be inaccessible to the user: only its target counts.
  const real = realpathSync(path);
  const { uid, gid } = statSync(real);
  const user = uid === 0 ? nobody() : { uid, gid };
  if (uid === 0) chownSync(real, user.uid, user.gid);
  if (!canUse(real, user)) {
    throw new StartError(
      `PostgreSQL runs as user ${user.uid}, who can no longer reach ${real}: ` +
        'let others enter its parent directories, or choose another --data-dir',
    );
  }
  return { path: real, user };
}

function canUse(path: string, user: PostgresUser): boolean {
  // Tested as that user, so that every kind of permission counts, not only the mode bits that we can see.
  const probe = spawnSync('/bin/sh', ['-c', 'test -w "$0" && test -x "$0"', path], { ...user, cwd: '/' });
  if (probe.error && (probe.error as NodeJS.ErrnoException).code !== 'EACCES') {
    throw new StartError(
      `PostgreSQL does not run as root, and this machine does not let us start it as user ${user.uid} ` +
        `(${probe.error.message}): run as another user, or set DATABASE_URL`,
    );
  }
  return probe.status === 0;
}

function nobody(): { uid: number; gid: number } {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith('nobody:'));
    const [, , uid, gid] = (line ?? '').split(':').map(Number);
    // Some systems write -2, which has the same 32 bits.
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: uid! >>> 0, gid: gid! >>> 0 };
  } catch {
    // There is no such file: use the usual id.
  }
  return { uid: NOBODY, gid: NOBODY };
}
