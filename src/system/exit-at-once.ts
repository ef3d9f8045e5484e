import koffi from 'koffi';

/**
 * Ends the process with this status and all its threads with it, at once. `process.exit` unloads each worker thread
 * first, and aborts the process (SIGABRT) where one of them is just loading a native module. What other code left for
 * the end (`process.on('exit')`) is done all the same.
 */
export function exitAtOnce(status: number): void {
  process.exitCode = status;
  process.emit('exit', status);
  try {
    koffi.load(null).func('void _exit(int)')(status);
  } catch {} // no libc to be had
  process.exit(status);
}
