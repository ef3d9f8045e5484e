import { journalFolder } from '../../config/paths.ts';
import type { Config, TransferConfig } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import { JournalFolder } from '../../zones/journal/files.ts';
import { ContentJournal, type JournalZone } from '../../zones/journal/journal.ts';
import type { ZoneStore } from '../../zones/store/store.ts';

export type TransferJournalOptions = {
  readonly config: Config;
  readonly store: Pick<ZoneStore, 'servedBefore'>;
  /** Hands a zone's newest differences to the threads that transfer: encoded steps, oldest first. */
  readonly onSteps: (steps: ReadonlyMap<WireName, readonly Uint8Array[]>) => void;
  readonly warn: (message: string) => void;
};

/**
 * The journal of contents that IXFR answers from: written while zones change, and known to the threads that transfer.
 */
export class TransferJournal {
  private readonly journal: ContentJournal;
  private readonly onSteps: TransferJournalOptions['onSteps'];

  constructor({ config, store, onSteps, warn }: TransferJournalOptions) {
    this.onSteps = onSteps;
    this.journal = new ContentJournal({
      files: new JournalFolder(journalFolder(config), warn),
      // Catalogs are made anew from the zones there are; their serials are not durable before they are served.
      servedBefore: (origin, network) => store.servedBefore(origin, network),
    });
    this.configure(config.transfer);
  }

  /** Nothing is journalled where nobody may transfer. */
  configure({ allow }: TransferConfig): void {
    this.journal.keepContents(allow.length > 0);
  }

  /** Takes up what earlier runs remember of these zones. */
  async open(zones: readonly JournalZone[]): Promise<void> {
    await this.journal.open(zones);
    this.handOver(this.journal.journalled());
  }

  /** These zones have new contents, or are gone. Resolves once the threads have been handed the differences. */
  async changed(zones: readonly JournalZone[]): Promise<void> {
    await this.journal.changed(zones);
    this.handOver(zones.map(({ origin }) => origin));
  }

  /** What cannot be written at present, in a sentence. */
  faults(): readonly string[] {
    return this.journal.faults();
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.journal.close();
  }

  private handOver(origins: readonly WireName[]): void {
    this.onSteps(new Map(origins.map((origin) => [origin, this.journal.stepsOf(origin)])));
  }
}
