import { readNetworkFiles } from '../config/network-files.ts';
import { SettledLists } from '../config/settled-lists.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { formatFault } from '../system/fault.ts';
import type { Log } from '../system/log-events.ts';
import type { NetworkList } from './read-networks.ts';

export type NetworkListsOptions = {
  readonly network: string;
  /** As it was read at the start, and logged then. */
  readonly list: NetworkList;
  readonly log: Log;
  /** A list that was still being written may be whole now. */
  readonly onMayBeWhole: () => void;
};

/** The lists of one network: read anew when asked, those read before for as long as they cannot be used. */
export class NetworkLists {
  private readonly options: NetworkListsOptions;
  private readonly settled = new SettledLists();
  private files: NetworkFiles | null;
  /** What was logged of the lists as they are. */
  private said: string;
  private faults: string;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(options: NetworkListsOptions) {
    this.options = options;
    this.files = options.list.files;
    this.said = options.list.faults.map(formatFault).join('\n');
    this.faults = errorsOf(options.list);
  }

  /** Null: none could be used yet. */
  get inForce(): NetworkFiles | null {
    return this.files;
  }

  /** Why the lists cannot be used as they are now, with places; null: they can. */
  get fault(): string | null {
    return this.faults === '' ? null : this.faults;
  }

  /** Reads them; where one is still being written, `onMayBeWhole` is called when it may be whole. */
  read(config: Config): void {
    clearTimeout(this.timer);
    const read = readNetworkFiles(config, this.options.network, this.settled);
    this.take(read);
    if (read.againMs !== undefined && !this.stopped) this.timer = setTimeout(this.options.onMayBeWhole, read.againMs);
  }

  /** Lists that cannot be used are an error for as long as they are, and those read before stay in force. */
  take(list: NetworkList): void {
    const { log, network } = this.options;
    const said = list.faults.map(formatFault).join('\n');
    const wasGood = this.fault === null;
    if (list.files !== null) this.files = list.files;
    if (said === this.said) return;
    this.said = said;
    this.faults = errorsOf(list);
    if (said !== '') log(list.files === null ? 'error' : 'warn', said, 'config.fault');
    const effect = this.files === null ? 'the live set that was saved last stays' : 'those read before stay in force';
    if (list.files === null) {
      const text = `${network}: the lists do not load, so nothing was changed for it: ${effect}`;
      log('error', text, 'network.lists_refused');
    } else if (!wasGood) log('info', `${network}: the lists load again`, 'network.lists_recovered');
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

function errorsOf({ faults }: NetworkList): string {
  return faults
    .filter(({ severity }) => severity === 'error')
    .map(formatFault)
    .join('\n');
}
