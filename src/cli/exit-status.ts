import type { Command, CommanderError } from 'commander';

/** Bad arguments end with status 2, as in the original (commander's own is 1). */
export function withUsageStatus(command: Command): Command {
  return command.exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** Sets the exit status to what `work` returns; what it throws (a folder that may not be used) is one sentence and 1. */
export async function endWith(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
