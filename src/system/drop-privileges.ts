import { spawnSync } from 'node:child_process';
import type { Fault } from './fault.ts';
import { FILE_MAX, readFileNow } from './read-file.ts';

export type PrivilegeFault = Fault<'user-unknown' | 'user-not-root' | 'user-failed'>;

/** What Node has on POSIX systems only (`initgroups` is missing from its types). */
type Posix = Pick<typeof process, 'getuid' | 'setgid' | 'setuid'> & {
  readonly initgroups?: (user: string, group: number) => void;
};

type Account = { readonly uid: number; readonly gid: number };

/**
 * Becomes `server.user` for good: its group, its supplementary groups, then the user itself, in all threads. To be
 * called on the main thread once everything is bound that needs privileges. Returns what went wrong; the process must
 * then end, for it may be half-way.
 */
export function dropPrivileges(user: string): PrivilegeFault | null {
  const { getuid, setgid, initgroups, setuid }: Posix = process;
  if (getuid === undefined || setgid === undefined || initgroups === undefined || setuid === undefined) {
    return fault('user-failed', user, 'this system has no users to become');
  }
  const account = findAccount(user);
  if (account === null) return fault('user-unknown', user, 'no such user');
  if (getuid() === account.uid) return null;
  if (getuid() !== 0)
    return fault('user-not-root', user, `only root can become another user, this is user ${getuid()}`);
  try {
    initgroups(user, account.gid);
    setgid(account.gid);
    setuid(account.uid);
  } catch (error) {
    return fault('user-failed', user, error instanceof Error ? error.message : String(error));
  }
  return account.uid !== 0 && canBecomeRoot() ? fault('user-failed', user, 'root could be had back') : null;
}

function fault(code: PrivilegeFault['code'], user: string, why: string): PrivilegeFault {
  return { severity: 'error', code, at: null, message: `cannot become server.user "${user}": ${why}` };
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

/** From /etc/passwd, or from `id` where accounts live elsewhere (LDAP). */
function findAccount(user: string): Account | null {
  return fromPasswd(user) ?? fromId(user);
}

function fromPasswd(user: string): Account | null {
  const read = readFileNow('/etc/passwd', FILE_MAX.config);
  if (!read.ok) return null;
  const lines = read.octets.toString('utf8').split('\n');
  const fields = lines.map((line) => line.split(':')).find(([name]) => name === user);
  return fields === undefined ? null : account(fields[2], fields[3]);
}

function fromId(user: string): Account | null {
  const ask = (flag: string): string => spawnSync('id', [flag, '--', user], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return account(ask('-u'), ask('-g'));
}

function account(uid: string | undefined, gid: string | undefined): Account | null {
  const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text);
  return isNumber(uid) && isNumber(gid) ? { uid: Number(uid), gid: Number(gid) } : null;
}
