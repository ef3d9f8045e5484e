import { freePort } from '../../test/support/ports.ts';
import { startEdgewise } from './dns-edgewise.ts';
import { type Load, runLoad } from './dns-load.ts';

/** What the engine collected while `queries` were answered. */
export type Collections = {
  readonly queries: number;
  /** Because something was allocated. */
  readonly scavenges: number;
  /** Because a thread had nothing to do: V8 then makes its heap smaller. */
  readonly others: number;
};

/** Edgewise alone under `--trace-gc`, once all its code is compiled. */
export async function countCollections(
  folder: string,
  load: Omit<Load, 'port' | 'seconds'>,
  seconds: number,
): Promise<Collections> {
  const port = await freePort();
  const server = await startEdgewise(port, folder, ['--trace-gc']);
  let lines: string[] = [];
  server.child.stdout?.on('data', (chunk) => lines.push(...String(chunk).split('\n')));
  try {
    await runLoad({ ...load, port, seconds });
    lines = [];
    const { completed } = await runLoad({ ...load, port, seconds });
    const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
    return { queries: completed, scavenges: count(/ ms: Scavenge /), others: count(/ ms: Mark-Compact /) };
  } finally {
    await server.stop();
  }
}
