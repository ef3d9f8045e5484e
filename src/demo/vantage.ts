/**
 * One vantage of a demo with several: the real server, in a process of its own. Started by `edgewise demo` with its
 * configuration as argument; sends lines for the user to its parent, and stops with it.
 */
import { serve } from '../app/serve.ts';
import { formatFault } from '../system/fault.ts';
import { Guard } from '../system/guard.ts';
import { createLog } from '../system/log.ts';
import { changeText } from './change-text.ts';

/** To the parent: `ready` and `failed` once, `say` whenever there is something to see. */
export type VantageMessage = { readonly kind: 'ready' | 'failed' | 'say'; readonly text: string };

const [file] = process.argv.slice(2);
const send = (message: VantageMessage): void => void (process.connected && process.send?.(message));
// Ctrl-C goes to the whole process group; the parent decides when this process ends.
process.on('SIGINT', () => undefined);

const guard = new Guard({
  report: (part, text) => send({ kind: 'say', text: `${part}: ${text}` }),
  now: () => Date.now() / 1000,
});
let notes: readonly string[] = [];
const started = await serve({
  file,
  networks: [],
  dryRun: false,
  guard,
  log: (config) => createLog({ verbose: false, level: 'info', file: config.logpath }),
  onDecision: (_network, decision, flipped) => {
    if (flipped) send({ kind: 'say', text: changeText(decision) });
    const news = decision.notes.filter((note) => !notes.includes(note));
    if (news.length > 0) send({ kind: 'say', text: news.join('; ') });
    notes = decision.notes;
  },
});
if (started.ok) {
  const { running } = started;
  process.on('disconnect', () =>
    guard.run(
      'stop',
      running.stop().then(() => process.exit(0)),
    ),
  );
  const text = `dns=${running.dns.join(',')} http=${running.http} zones=${running.zones()}`;
  send({ kind: 'ready', text });
} else {
  send({ kind: 'failed', text: started.faults.map(formatFault).join('\n') });
  process.disconnect?.();
}
