import { SocketAddress } from 'node:net';
import { nameText, parentName, ROOT, type WireName } from '../../dns/name.ts';
import type { ZoneVersion, ZoneVersions } from '../../live/zone-versions.ts';
import { addressText } from '../../system/address-text.ts';
import type { Guard } from '../../system/guard.ts';
import { type Lookup, NameResolver } from '../../system/resolver.ts';
import { addressesAt, otherNameServers } from '../../zones/image/addresses.ts';
import type { ZoneImage } from '../../zones/image/image.ts';

export type NameServersOptions = {
  /** A zone that is served here; null: it is not. */
  readonly image: (zone: WireName) => ZoneImage | null;
  readonly lookup: Lookup;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** A look-up brought addresses that were not known when these zones asked. */
  readonly onFound: (zones: ZoneVersions, addresses: readonly string[]) => void;
  readonly guard: Guard;
};

/** A zone and the addresses of the name servers in its NS records. */
export type ZoneServers = { readonly zone: ZoneVersion; readonly addresses: readonly string[] };

/** A resolver in trouble takes no name server away, so addresses never become too old. */
const LIMITS = {
  freshMs: 600_000,
  negativeMs: 60_000,
  failedMs: 60_000,
  staleMs: Number.POSITIVE_INFINITY,
};

/**
 * Addresses of the servers that zones themselves name in their NS records, other than the SOA's primary. Zones served
 * here give the addresses of the names in them; all others are looked up in the background and remembered.
 */
export class NameServers {
  private readonly options: NameServersOptions;
  private readonly resolver: NameResolver;
  /** By name that is being looked up: zones to be notified once its addresses are known. */
  private readonly waiting = new Map<WireName, Map<WireName, ZoneVersion>>();
  private stopped = false;

  constructor(options: NameServersOptions) {
    this.options = options;
    this.resolver = new NameResolver({ lookup: options.lookup, now: options.now, limits: LIMITS });
  }

  /** Each zone with the addresses of its servers, as far as they are known now; look-ups begin for the rest. */
  *of(zones: ZoneVersions): Iterable<ZoneServers> {
    // Ten thousand zones of one flip have the same few servers.
    const served = new Map<WireName, readonly string[]>();
    for (const zone of zones) {
      const image = this.options.image(zone.origin);
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
    this.resolver.stop();
  }

  /** From the closest zone that is served here. */
  private servedAddresses(name: WireName): readonly string[] {
    for (let zone = name; ; zone = parentName(zone)) {
      const image = this.options.image(zone);
      if (image !== null) return addressesAt(image, name).map(canonicalText);
      if (zone === ROOT) return [];
    }
  }

  private foundAddresses(name: WireName, zone: ZoneVersion): readonly string[] {
    const host = nameText(name);
    const known = this.resolver.known(host);
    const addresses = known?.kind === 'found' ? known.addresses : [];
    if (this.resolver.isDue(host)) this.ask(name, zone, addresses);
    return addresses;
  }

  private ask(name: WireName, zone: ZoneVersion, before: readonly string[]): void {
    const zones = this.waiting.get(name);
    if (zones !== undefined) zones.set(zone.origin, zone);
    else {
      this.waiting.set(name, new Map([[zone.origin, zone]]));
      this.options.guard.run('NOTIFY', this.lookUp(name, before));
    }
  }

  private async lookUp(name: WireName, before: readonly string[]): Promise<void> {
    const answer = await this.resolver.resolve(nameText(name));
    const zones = [...(this.waiting.get(name)?.values() ?? [])];
    this.waiting.delete(name);
    if (this.stopped || answer.kind !== 'found') return;
    const added = answer.addresses.filter((address) => !before.includes(address));
    if (added.length > 0) this.options.onFound(zones, added);
  }
}

/** The spelling of the system in which an answer's sender is given. */
function canonicalText(octets: Uint8Array): string {
  const address = addressText(octets);
  return address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
