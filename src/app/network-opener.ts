/** Opening a network: its locks, then its saved state. */
import type { Config } from '../config/types.ts';
import { NetworkRounds } from '../health/pools/network-rounds.ts';
import type { RoundTools } from '../health/pools/round-types.ts';
import { EdgeStores } from '../health/state/edge-store-files.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import type { Locks } from '../system/lock.ts';
import { lockNetwork } from '../system/lock-network.ts';
import type { Log } from '../system/log-events.ts';

export type OpenerOptions = {
  readonly log: Log;
  /** Null: a dry run. */
  readonly locks: () => Locks | null;
};

/** What a server's rounds need beside what opening gives them. */
export type NetworkTools = Omit<RoundTools, 'kind' | 'stores'>;

export class NetworkOpener {
  private readonly options: OpenerOptions;
  /** Health records as the networks' rounds have them; null: none was opened yet. */
  stores: EdgeStores | null = null;

  constructor(options: OpenerOptions) {
    this.options = options;
  }

  /** Locks a network, for which it waits at most `lockMs`, and reads its state. With a fault nothing is taken. */
  async open(network: string, config: Config, tools: NetworkTools, lockMs: number): Promise<NetworkRounds | Fault> {
    const locks = this.options.locks();
    try {
      if (locks !== null && !(await this.lock(locks, network, lockMs))) {
        return plainFault('locked', lockedText(network, config));
      }
      const stores = this.storesOf(config, locks);
      return await NetworkRounds.open(network, config, locks, { ...tools, kind: 'server', stores });
    } catch (error) {
      this.unlock(network);
      return plainFault('network', `network ${network} cannot be opened: ${errorText(error)}`);
    }
  }

  unlock(network: string): void {
    const locks = this.options.locks();
    locks?.unlock('network', network);
    locks?.unlock('server', network);
  }

  /** Shared, so that each network sees at once what the others note of an edge that is in several. */
  private storesOf({ healthdataStore }: Config, locks: Locks | null): EdgeStores {
    if (this.stores?.folder !== healthdataStore) this.stores = new EdgeStores(healthdataStore, locks);
    return this.stores;
  }

  private async lock(locks: Locks, network: string, lockMs: number): Promise<boolean> {
    if (await lockNetwork(locks, network, 'server', 0)) return true;
    if (lockMs === 0) return false;
    const text = `network ${network} is locked by another process: waiting for it`;
    this.options.log('info', text, { event: 'network.locked', network });
    return lockNetwork(locks, network, 'server', lockMs);
  }
}

/** A sentence for operators. */
export function lockedText(network: string, { lockfile }: Config): string {
  return `network ${network} is managed by another process (lock file ${lockfile})`;
}
