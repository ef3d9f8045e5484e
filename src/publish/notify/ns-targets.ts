import { SocketAddress } from 'node:net';
import { nameText, parentName, ROOT, type WireName } from '../../dns/name.ts';
import { addressText } from '../../system/address-text.ts';
import { addressesAt, otherNameServers } from '../../zones/image/addresses.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import type { NotifyZone } from './notifier.ts';

/** As `dns.promises.lookup(name, {all: true})` answers: the system's way, /etc/hosts included. */
export type AddressLookup = (name: string) => Promise<readonly { readonly address: string }[]>;

export type NameServersOptions = {
  /** A zone that is served here; null: it is not. */
  readonly image: (zone: WireName) => ZoneImage | null;
  readonly lookup: AddressLookup;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** A look-up brought addresses that were not known when these zones asked. */
  readonly onFound: (zones: readonly NotifyZone[], addresses: readonly string[]) => void;
};

/** A zone and where servers are that it names. */
export type ZoneServers = { readonly zone: NotifyZone; readonly addresses: readonly string[] };

/** How long an answer is used without asking again, and a failure believed. */
const FRESH_MS = 600_000;
const FAILED_MS = 60_000;
/** Look-ups at a time: each holds one of the few threads that file access needs as well. */
const PARALLEL = 2;
/** Names remembered; beyond, the oldest are forgotten. */
const NAMES = 10_000;

type Known = { readonly addresses: readonly string[]; readonly until: number };

/**
 * Addresses of the servers that zones themselves name in their NS records, other than the SOA's primary. Zones served
 * here tell the addresses of the names in them; all others are looked up in the background and remembered.
 */
export class NameServers {
  private readonly options: NameServersOptions;
  private readonly known = new Map<WireName, Known>();
  /** By name: zones to be told of when its addresses come. In order of asking. */
  private readonly asked = new Map<WireName, Map<WireName, NotifyZone>>();
  private readonly queue: WireName[] = [];
  private running = 0;
  private stopped = false;

  constructor(options: NameServersOptions) {
    this.options = options;
  }

  /** Each zone with the addresses of its servers, as far as they are known now; look-ups begin for the rest. */
  *of(zones: readonly NotifyZone[]): Iterable<ZoneServers> {
    // Ten thousand zones of one flip have the same few servers.
    const served = new Map<WireName, readonly string[]>();
    for (const zone of zones) {
      const image = this.options.image(zone.zone);
      if (image === null) continue;
      const addresses = otherNameServers(image).flatMap((name) => {
        let here = served.get(name);
        if (here === undefined) {
          here = this.servedAddresses(name);
          served.set(name, here);
        }
        return here.length > 0 ? here : this.foundAddresses(name, zone);
      });
      yield { zone, addresses: [...new Set(addresses)] };
    }
  }

  stop(): void {
    this.stopped = true;
    this.queue.length = 0;
  }

  /** From the closest zone that is served here. */
  private servedAddresses(name: WireName): readonly string[] {
    for (let zone = name; ; zone = parentName(zone)) {
      const image = this.options.image(zone);
      if (image !== null) return addressesAt(image, name).map(canonicalText);
      if (zone === ROOT) return [];
    }
  }

  private foundAddresses(name: WireName, zone: NotifyZone): readonly string[] {
    const have = this.known.get(name);
    if (have === undefined || have.until <= this.options.now()) this.ask(name, zone);
    return have?.addresses ?? [];
  }

  private ask(name: WireName, zone: NotifyZone): void {
    const waiting = this.asked.get(name);
    if (waiting !== undefined) {
      waiting.set(zone.zone, zone);
      return;
    }
    if (this.asked.size >= NAMES) return;
    this.asked.set(name, new Map([[zone.zone, zone]]));
    this.queue.push(name);
    this.work();
  }

  private work(): void {
    while (this.running < PARALLEL) {
      const name = this.queue.shift();
      if (name === undefined) return;
      this.running += 1;
      void this.lookUp(name).finally(() => {
        this.running -= 1;
        this.work();
      });
    }
  }

  private async lookUp(name: WireName): Promise<void> {
    const before = this.known.get(name)?.addresses ?? [];
    let found: readonly string[];
    let lasts = FRESH_MS;
    try {
      const answers = await this.options.lookup(nameText(name).replace(/(.)\.$/, '$1'));
      found = [...new Set(answers.map(({ address }) => address))];
    } catch {
      // What was known stays: a resolver in trouble unmakes no name server.
      found = before;
      lasts = FAILED_MS;
    }
    const zones = [...(this.asked.get(name)?.values() ?? [])];
    this.asked.delete(name);
    if (this.stopped) return;
    this.remember(name, { addresses: found, until: this.options.now() + lasts });
    const fresh = found.filter((address) => !before.includes(address));
    if (fresh.length > 0) this.options.onFound(zones, fresh);
  }

  private remember(name: WireName, known: Known): void {
    this.known.delete(name); // to the end: the map's order is the order of age
    this.known.set(name, known);
    for (const oldest of this.known.keys()) {
      if (this.known.size <= NAMES) break;
      this.known.delete(oldest);
    }
  }
}

/** The spelling in which the system tells who sent an answer. */
function canonicalText(octets: Uint8Array): string {
  const address = addressText(octets);
  return address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
