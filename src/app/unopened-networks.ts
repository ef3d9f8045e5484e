import { forNetwork } from '../config/paths.ts';
import type { Config } from '../config/types.ts';
import type { NetworkRounds } from '../health/pools/network-rounds.ts';
import { openingState } from '../health/pools/next-state.ts';
import { readState } from '../health/state/state-file-io.ts';
import { errorText } from '../system/error-text.ts';
import type { Fault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import type { NetworkPublisher } from './network-publisher.ts';
import type { NetworkList } from './read-networks.ts';

export type UnopenedParts = {
  readonly guard: Guard;
  readonly log: Log;
  readonly publisher: NetworkPublisher;
  /** In force. */
  readonly config: () => Config;
  /** Locks the network and reads its state. */
  readonly take: (network: string) => Promise<NetworkRounds | Fault>;
  /** Serves what was taken; takes the network out of these. */
  readonly serve: (network: string, list: NetworkList, rounds: NetworkRounds) => Promise<void>;
  /** Gives back what was taken. */
  readonly unlock: (network: string) => void;
};

type Unopened = { readonly list: NetworkList; readonly fault: string; readonly timer: NodeJS.Timeout };

/**
 * Networks that could not be opened: what was live last is served, without rounds, and each is tried again every
 * `run_frequency` seconds.
 */
export class UnopenedNetworks {
  private readonly parts: UnopenedParts;
  private readonly waiting = new Map<string, Unopened>();
  private stopped = false;

  constructor(parts: UnopenedParts) {
    this.parts = parts;
  }

  names(): readonly string[] {
    return [...this.waiting.keys()];
  }

  /** Why, a sentence for each. */
  faults(): readonly string[] {
    return Array.from(this.waiting.values(), ({ fault }) => fault);
  }

  async add(network: string, list: NetworkList, fault: string): Promise<void> {
    const { guard, log, publisher, config } = this.parts;
    const before = this.waiting.get(network);
    if (before?.fault !== fault) {
      const text = `${fault}; what was live last stays, and it is tried again`;
      log('error', text, { event: 'network.open_failed', network });
    }
    clearTimeout(before?.timer);
    const again = guard.protect(`network ${network}`, () => this.retry(network));
    const timer = setTimeout(again, config().runFrequency * 1000);
    this.waiting.set(network, { list, fault, timer });
    if (this.stopped) clearTimeout(timer);
    try {
      const now = Date.now() / 1000;
      const { state } = await readState(forNetwork(config().statefile, network), now, true);
      await publisher.publishSaved(network, openingState(state, 'server', now));
    } catch (error) {
      const text = `network ${network}: its state cannot be read: ${errorText(error)}`;
      log('error', text, { event: 'network.open_failed', network });
    }
  }

  remove(network: string): void {
    clearTimeout(this.waiting.get(network)?.timer);
    this.waiting.delete(network);
  }

  /** None is tried again. */
  stop(): void {
    this.stopped = true;
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
  }

  private async retry(network: string): Promise<void> {
    const { take, serve, unlock, log } = this.parts;
    const waiting = this.waiting.get(network);
    if (waiting === undefined || this.stopped) return;
    const rounds = await take(network);
    if (this.waiting.get(network) !== waiting || this.stopped) {
      if (!('code' in rounds)) unlock(network);
    } else if ('code' in rounds) await this.add(network, waiting.list, rounds.message);
    else {
      try {
        await serve(network, waiting.list, rounds);
      } catch (error) {
        // Or it would be neither served nor tried again.
        unlock(network);
        await this.add(network, waiting.list, `network ${network} cannot be opened: ${errorText(error)}`);
        return;
      }
      log('info', `network ${network} is open now`, { event: 'network.opened', network });
    }
  }
}
