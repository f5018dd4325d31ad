/**
 * As whom PostgreSQL runs and where its files may lie. It refuses to run as root, so a supervisor that is root
 * gives it to the user `nobody`; that user must be able to reach the directory, which it cannot below a private
 * home such as /root.
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
import { reasonOf, StartError } from './start-error.ts';

/** Both undefined: PostgreSQL runs as the user that we are. */
export interface PostgresUser {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresHome {
  /** A real path that the user can reach and write. */
  readonly path: string;
  readonly user: PostgresUser;
}

/** Where a root supervisor keeps the database when the data directory is out of PostgreSQL's reach. */
const HOME_OF_ROOT = '/var/lib/causeway';
/** The id of `nobody` nearly everywhere. initdb insists on a user that has an entry in /etc/passwd. */
const NOBODY = 65534;

/**
 * Makes `path` (`.causeway/postgres`) a directory that PostgreSQL can use, and says as whom. Where the user
 * cannot reach it, it becomes a link to a fresh directory under `homeOfRoot`: removing the link begins anew.
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

/** A database is run by the user it belongs to, so that it can be started by root and by that user in turn. */
function existingHome(path: string): PostgresHome {
  if (!existsSync(path)) {
    throw new StartError(
      `${path} is a link to a directory that is gone: put it back, or remove the link to begin with an empty database`,
    );
  }
  // The link itself may lie where the user cannot go: only where it leads to counts.
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
  // Asked as that user, so that every kind of permission counts, not only the mode bits that we can see.
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
    // Some systems write -2: the same 32 bits.
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: uid! >>> 0, gid: gid! >>> 0 };
  } catch {
    // No such file: the usual id.
  }
  return { uid: NOBODY, gid: NOBODY };
}
