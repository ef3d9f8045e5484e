import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { type Fault, hasErrors } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import { type FileStamp, stampOf, untilSettled } from '../system/settling.ts';
import { untilRestart } from './need-restart.ts';
import type { Reload } from './part.ts';
import { faultsOf, readNetworks } from './read-networks.ts';

export type ReloadsOptions = {
  readonly file: string;
  /** Networks to serve; none: every one that there is. */
  readonly only: readonly string[];
  /** The settings of the start. */
  readonly config: Config;
  readonly log: Log;
  readonly guard: Guard;
  /** Networks that are served now. */
  readonly served: () => readonly string[];
  /** Brings new settings into force; with faults nothing was changed. */
  readonly commit: (reload: Reload) => Promise<readonly Fault[]>;
  /** Zones have files of their own, and those may be what the operator mended. */
  readonly reloadZones: () => Promise<unknown>;
  readonly isStopping: () => boolean;
  /** A reload begins, or is over: `fault` is why the settings before it are in force. */
  readonly onReload?: ((outcome: 'begins' | { readonly fault: string | null }) => void) | undefined;
};

/** What a reload came to. `refused`: why the settings before it are in force; null: its own are. */
export type ReloadOutcome = { readonly refused: string | null; readonly faults: readonly Fault[] };

/** Reads the configuration again when asked, one reload after the other, and has it come into force or not as a whole. */
export class Reloads {
  private readonly options: ReloadsOptions;
  /** The settings in force. */
  private config: Config;
  /** Of their file, when it was read. */
  private stamp: FileStamp | null;
  private running: Promise<void> = Promise.resolve();
  private faults: readonly Fault[] = [];
  private isWaiting = false;
  private reason: string | null = null;
  /** For whom the reload that waits is. */
  private readonly askedBy = new Set<string>();

  constructor(options: ReloadsOptions) {
    this.options = options;
    this.config = options.config;
    this.stamp = stampOf(options.file);
  }

  /** Why the last reload changed no settings; null: they are in force. */
  get fault(): string | null {
    return this.reason === null ? null : `the settings before the last reload are in force: ${this.reason}`;
  }

  /** The settings in force. */
  get current(): Config {
    return this.config;
  }

  /** `reload` for somebody, and what came of it. Never rejects. */
  async reloadWithOutcome(by: string): Promise<ReloadOutcome> {
    this.askedBy.add(by);
    await this.reload();
    return { refused: this.reason, faults: this.faults };
  }

  /** Never rejects. */
  reload(): Promise<void> {
    // One that waits will read everything that is there by then; more of them would only read it again.
    if (this.isWaiting) return this.running;
    this.isWaiting = true;
    this.running = this.running.then(async () => {
      this.isWaiting = false;
      const { guard, onReload } = this.options;
      guard.run('reload', () => onReload?.('begins'));
      try {
        await this.reloadNow();
      } catch (error) {
        guard.note('reload', error);
      }
      guard.run('reload', () => onReload?.({ fault: this.fault }));
    });
    return this.running;
  }

  private async reloadNow(): Promise<void> {
    const { file, only, log, served, commit, reloadZones, isStopping } = this.options;
    const by = [...this.askedBy];
    this.askedBy.clear();
    if (isStopping()) return;
    if (!(await untilSettled(file, this.stamp))) {
      const text = `reload: ${file} is still being written; its settings were not changed`;
      log('error', text, { event: 'config.reload_refused', file });
      this.reason = 'the configuration is still being written';
      this.faults = [];
      await reloadZones();
      return;
    }
    this.stamp = stampOf(file);
    const loaded = loadConfig(file);
    const lists = loaded.config === null ? null : readNetworks(loaded.config, only, served());
    this.faults = [...loaded.faults, ...(lists === null ? [] : faultsOf(lists))];
    logFaults(log, this.faults);
    if (loaded.config === null || lists === null || hasErrors([...loaded.faults, ...lists.faults])) {
      log('error', 'reload: the new configuration has errors; nothing was changed', {
        event: 'config.reload_refused',
        file,
      });
      this.reason = 'the configuration has errors (the log and "edgewise check" name them)';
      await reloadZones();
      return;
    }
    const { config, restart } = untilRestart(this.config, loaded.config);
    if (restart.length > 0) {
      const text = `reload: ${restart.join(', ')} changed; that takes a restart`;
      log('warn', text, { event: 'config.restart_needed', keys: restart });
    }
    const faults = await commit({ was: this.config, config, lists, by });
    if (faults.length > 0) {
      this.faults = [...this.faults, ...faults];
      logFaults(log, faults);
      const text = 'reload: not everything is ready for the new settings; nothing was changed';
      log('error', text, { event: 'config.reload_refused', file });
      this.reason = 'not everything was ready for the new settings (the log says what)';
      return;
    }
    this.config = config;
    this.reason = null;
  }
}
