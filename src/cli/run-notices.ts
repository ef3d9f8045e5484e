import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import type { Decision } from '../health/choose/decision.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';

/** The notices of a run without a server. */
export type RunNotices = {
  readonly decided: (decision: Decision) => void;
  /** Sends what waits; the next run goes on with what does not arrive. */
  readonly close: () => Promise<void>;
};

/** How long a run that is over waits for targets, milliseconds. */
const CLOSE_MS = 5000;

/**
 * What a round decides goes to the same targets as a server's; the queues are the network's own, whose lock the run has.
 * Null: there are no targets, and nothing of them is loaded.
 */
export async function runNotices(config: Config, network: string, guard: Guard, log: Log): Promise<RunNotices | null> {
  if (config.notices.length === 0) return null;
  const { Notices } = await import('../publish/notices/notices.ts');
  const { decisionObservation, liveSetEvent } = await import('../publish/notices/decision-events.ts');
  const notices = new Notices({
    folder: join(config.stateDir, 'notices', 'runs', network),
    host: hostname(),
    guard,
    log,
    now: () => Date.now() / 1000,
  });
  await notices.open(config.notices, config.vantage?.name ?? null);
  return {
    decided: (decision) => {
      notices.observe(decisionObservation(network, decision));
      const changed = liveSetEvent(network, decision);
      if (changed !== null) notices.note(changed);
    },
    close: () => notices.close(CLOSE_MS),
  };
}
