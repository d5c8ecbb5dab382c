/**
 * Faults reported by the operating system, as one sentence: a file that cannot be used, or a machine that has
 * run out of something.
 */
import { EntrainError } from '../protocol/errors.ts';

const UNUSABLE: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied; give it to this user, or name another place',
  EPERM: 'permission is denied; give it to this user, or name another place',
  EROFS: 'its file system is read-only; name another place',
  ENOENT: 'it does not exist; create it, or name another',
  ENOTDIR: 'a part of its path is a file where a folder was expected; name another place',
  EISDIR: 'it is a folder where a file was expected; name another',
  EEXIST: 'a file stands there where a folder was expected; name another place',
  ENOTEMPTY: 'it is not empty; name another place',
  ENAMETOOLONG: 'its name is too long; choose a shorter one',
  ELOOP: 'its links lead in a circle; mend them',
  EBUSY: 'another program holds it; end that program, or name another place',
  EIO: 'the disk reports a fault; look into the log of the system',
};

/** The folder above is there, since it was made or found before: the file system takes none, as `/proc` does. */
const NOT_MADE = 'no folder can be made there; name another place';

const EXHAUSTED: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk has no room or no inodes left; free some (df -h and df -i say which)',
  EDQUOT: 'the quota of this user is used up; free some room',
  EMFILE: 'this process may not open more files; raise the limit (ulimit -n 4096) and start it again',
  ENFILE: 'this machine may not open more files; end other programs, or raise the limit',
  EAGAIN: 'this machine may not start more processes; end other programs, or raise the limit (ulimit -u)',
  ENOMEM: 'this machine has no memory left; end other programs',
};

/** The fault as an `EntrainError`; undefined if the error does not come from the operating system. */
export function systemFault(error: NodeJS.ErrnoException): EntrainError | undefined {
  const { code = '', path, syscall = 'use' } = error;
  const what = path === undefined ? `The system call ${syscall}` : `${path} (${syscall})`;
  const exhausted = EXHAUSTED[code];
  if (exhausted !== undefined)
    return new EntrainError('MACHINE_EXHAUSTED', `${what} failed: ${exhausted}.`, { cause: error });
  const unusable = code === 'ENOENT' && syscall === 'mkdir' ? NOT_MADE : UNUSABLE[code];
  if (unusable === undefined || path === undefined) return undefined;
  return new EntrainError('FILE_UNUSABLE', `${path} cannot be used (${syscall}): ${unusable}.`, {
    cause: error,
  });
}
