/**
 * What a failed system call means to an operator: `ENOENT` is "no such file". Codes that say little come as they are.
 */
export function ioProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'ENOTDIR':
      return 'what should be a folder on the way to it is a file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'is a folder, not a file';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    case 'EMFILE':
    case 'ENFILE':
      return `no file descriptor is left (${code})`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space is left on the disk (${code})`;
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return code === '' || !code.startsWith('E') ? messageOf(error) : code;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
