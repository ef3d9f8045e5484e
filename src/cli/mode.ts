import { type Command, Option } from 'commander';
import type { Config } from '../config/types.ts';
import type { Mode } from '../health/judge/edge.ts';
import { momentSeconds, spanSeconds } from '../health/modes/duration.ts';
import { appendModeChange } from '../health/modes/mode-changes.ts';
import { modeEffects } from '../health/modes/mode-effects.ts';
import { expireMode, type ModeChange, withMode } from '../health/modes/modes.ts';
import { MODES } from '../health/state/edge-store.ts';
import { EdgeStores } from '../health/state/edge-store-files.ts';
import { Locks } from '../system/lock.ts';
import { lockNetwork } from '../system/lock-network.ts';
import { oneLine } from '../system/printable.ts';
import { exists } from '../system/set-aside.ts';
import { sendSyslog } from '../system/syslog-datagram.ts';
import { endWith, networkCommand, printFaults, refuse, userName } from './command-line.ts';
import { loadNetwork } from './load-network.ts';

type ModeFlags = {
  readonly dnet: string;
  readonly config: string;
  readonly mode: Mode;
  readonly comment?: string;
  readonly until?: string;
  readonly for?: string;
  readonly syslog: boolean;
};

/** How long the network is waited for: another change has it for a few milliseconds, a run for longer. */
const LOCK_MS = 1000;

/** `edgewise mode`, and under its old name `edge_conf`: sets an edge's mode. Sets the exit status. */
export function modeCommand(name = 'mode'): Command {
  return networkCommand(name)
    .description("set an edge's mode: force, blindforce, unavailable or, as it was, available")
    .argument('<edge>', 'an edge of the list, as it is written there')
    .addOption(new Option('-m, --mode <mode>', 'the mode').choices(MODES).makeOptionMandatory())
    .option('-C, --comment <text>', 'why the mode is set; needed for every mode but available')
    .addOption(
      new Option('--until <time>', 'back to available then: 2026-11-22T18:00, 18:00, epoch seconds').conflicts('for'),
    )
    .option('--for <span>', 'back to available after this time: 45m, 2h, 1h30m, 2d')
    .option('--no-syslog', 'do not send the comment to syslog')
    .action(async (edge: string, flags: ModeFlags, command: Command) => {
      const now = Date.now() / 1000;
      const until = endOf(flags, now);
      if (typeof until === 'string') command.error(`error: ${until}`, { exitCode: 2 });
      else await endWith(() => setMode(edge, flags, until, now));
    });
}

/** When the mode ends, null for never; a sentence where that cannot be known. */
function endOf({ mode, until, for: span }: ModeFlags, now: number): number | null | string {
  if (until === undefined && span === undefined) return null;
  if (mode === 'available') return '--until and --for need a mode other than available, which is what they end';
  if (span !== undefined) {
    const seconds = spanSeconds(span);
    return seconds === null ? `--for: "${span}" is no span of time such as 45m, 2h or 1h30m` : now + seconds;
  }
  const moment = momentSeconds(until ?? '', now);
  if (moment === null) return `--until: "${until}" is no time such as 2026-11-22T18:00, 18:00 or epoch seconds`;
  return moment > now ? moment : `--until: "${until}" is over already`;
}

async function setMode(edge: string, flags: ModeFlags, until: number | null, now: number): Promise<number> {
  const { mode, dnet: network } = flags;
  const comment = oneLine(flags.comment ?? '');
  if (mode !== 'available' && comment === '') return refuse(`A comment (-C) is needed to set an edge to ${mode}.`, 1);
  const loaded = loadNetwork(flags.config, network);
  if (loaded === null) return 1;
  const { config, files } = loaded;

  let locks: Locks;
  try {
    locks = Locks.open(config.lockfile);
  } catch (error) {
    return refuse(`Cannot lock: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
  try {
    // A running server has the network locked for good, and takes the change up by itself. A run would write over it.
    const isFree = await lockNetwork(locks, network, 'run', LOCK_MS);
    const isServed = locks.isLocked('server', network) && !locks.isWholeLocked();
    if (!isFree && !isServed)
      return refuse(`${config.lockfile} is locked for ${network}: another run is under way.`, 2);
    if (!files.edges.includes(edge)) return refuse(`${edge} is not in the edge list of ${network}.`, 1);
    const text = comment === '' ? null : `[${userName()}] ${comment}`;
    return await store(config, network, edge, { mode, comment: text, until, by: userName() }, flags.syslog, locks, now);
  } finally {
    locks.close();
  }
}

async function store(
  config: Config,
  network: string,
  edge: string,
  change: ModeChange,
  syslog: boolean,
  locks: Locks,
  now: number,
): Promise<number> {
  const stores = new EdgeStores(config.healthdataStore, locks);
  if (!(await exists(stores.path(edge)))) {
    return refuse(`${edge} was never fetched, so it has no health record yet (${stores.path(edge)}).`, 1);
  }
  const { record, faults } = await stores.update(edge, now, (old) => withMode(expireMode(old, now), change, now));
  printFaults(faults);
  // A record that was unreadable is set aside by now, or a copy is kept, and the new one holds the mode.
  if (faults.some(({ code }) => code !== 'edge-store-invalid')) return 1;
  await stores.sync();

  const { mode, until, comment, by } = change;
  const rung = { at: now, network, edge, mode, until, comment: record.comment, by };
  await appendModeChange(config.healthdataStore, rung).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`A running server sees this at its next round only: ${reason}\n`);
  });
  if (syslog && comment !== null) await sendSyslog(`Edge ${edge} changed mode to ${mode} with comment ${comment}`);
  process.stdout.write(`Set mode for ${edge} to ${mode}\n`);
  for (const effect of await modeEffects(config, stores, edge, mode, now)) process.stderr.write(`${effect}\n`);
  return 0;
}
