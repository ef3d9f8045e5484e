import { randomInt } from 'node:crypto';
import type { TransferConfig } from '../../config/types.ts';
import { OPCODE, RCODE } from '../../dns/message.ts';
import { nameText, type WireName, wireFromName } from '../../dns/name.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import type { ZoneVersions } from '../../live/zone-versions.ts';
import { type Endpoint, endpointText } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { Lookup } from '../../system/resolver.ts';
import { nextTurn } from '../../system/yielding.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import { type NotifyResponse, notifyMessage, questionIn, readResponse, refusalText } from './message.ts';
import { NameServers, type ZoneServers } from './ns-targets.ts';
import { type NotifyItem, NotifyQueue, type NotifySend } from './queue.ts';
import { responseSignature, signNotify } from './signing.ts';
import { NotifySockets } from './socket.ts';
import { NotifyTargets, type Target, targetConcerns } from './targets.ts';
import { WarnOnce } from './warn-once.ts';

export type NotifierOptions = {
  readonly transfer: TransferConfig;
  /** Where the server listens: NOTIFY comes from there, since secondaries know us by that address. */
  readonly listen: readonly Endpoint[];
  /** The zone's SOA record with its newest serial, uncompressed from type to rdata; null: the zone is gone. */
  readonly soa: (zone: WireName) => Uint8Array | null;
  /** What `notify_ns` needs: a zone that is served here, and the system's resolver. */
  readonly image: (zone: WireName) => ZoneImage | null;
  readonly lookup: Lookup;
  /** Of the servers that zones name themselves; 53 unless given. */
  readonly nsPort?: number;
  readonly log: Log;
  readonly guard: Guard;
};

/** Since the start, in zones and secondaries; `pending`: now. `unsent`: the kernel took no attempt. */
export type NotifyCounts = {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly unsent: number;
  readonly pending: number;
};

/** Where nobody is notified. */
export const NO_NOTIFY: NotifyCounts = { acknowledged: 0, refused: 0, unanswered: 0, unsent: 0, pending: 0 };

const DNS_PORT = 53;
/** Messages sent in a row before the event loop is given back. */
const BURST = 200;
/** How long a refusal keeps `again` from asking for the same serial, doubled at each further one. Milliseconds. */
const REFUSED_MS = 60_000;
const REFUSED_MAX_MS = 3_600_000;

const NOT_SIGNED = 'was answered, but never with a signature of the key';

/**
 * Notifies secondaries of new serials (RFC 1996), with retries, and signed where a key is named; with `notify_ns` also
 * the servers in the zones' own NS records. A sink of the phase `follow`: the newest serial wins, each secondary has a
 * queue of its own, and `faults` says what could not be done. Runs on the main thread; the threads that answer queries
 * never see it.
 */
export class Notifier {
  readonly name = 'notify';
  readonly phase = 'follow';
  private readonly options: NotifierOptions;
  private readonly queue = new NotifyQueue(() => randomInt(65_536));
  private readonly targets: NotifyTargets;
  private readonly sockets: NotifySockets;
  private readonly nameServers: NameServers;
  private readonly warnings: WarnOnce;
  private notifyNs = false;
  private keys: readonly TsigKey[];
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly counted = { acknowledged: 0, refused: 0, unanswered: 0, unsent: 0 };

  constructor(options: NotifierOptions) {
    const { listen, guard, log } = options;
    this.options = options;
    this.keys = options.transfer.keys;
    this.targets = new NotifyTargets(listen, options.nsPort ?? DNS_PORT);
    this.warnings = new WarnOnce((message) => log('warn', message, 'notify.message'), guard);
    this.sockets = new NotifySockets({
      listen: listen.map(({ address }) => address),
      onMessage: (octets, address, port) => this.receive(octets, { address, port }),
      guard,
    });
    this.nameServers = new NameServers({
      image: options.image,
      lookup: options.lookup,
      now: () => performance.now(),
      onFound: (zones, addresses) => this.addNameServers(zones.map((zone) => ({ zone, addresses }))),
      guard: options.guard,
    });
    this.configure(options.transfer, []);
  }

  /** Secondaries that stay go on with what they are being notified of; new ones are notified of these zones. */
  configure(transfer: TransferConfig, versions: ZoneVersions): void {
    this.keys = transfer.keys;
    this.notifyNs = transfer.notifyNs;
    const { added, removed } = this.targets.configure(transfer.notify, transfer.notifyNs);
    for (const { number } of removed) this.queue.drop(number);
    this.notify(versions, added);
  }

  /** These zones have new serials, and every query sees them. */
  apply(versions: ZoneVersions): void {
    this.notify(versions, this.targets.configured);
    if (this.notifyNs) this.addNameServers(this.nameServers.of(versions));
  }

  /** One zone to one secondary again: it was seen to be behind. `place`: of the secondary in the configuration. */
  again(place: number, zone: WireName, serial: number): void {
    const target = this.targets.configured.at(place);
    if (target === undefined) return;
    const trouble = target.troubles.get(zone);
    if (trouble?.serial === serial && performance.now() < trouble.untilMs) return;
    this.add([{ target: target.number, zone, serial }]);
  }

  /** The zone is not served any more. */
  forget(zone: WireName): void {
    for (const target of this.targets.all()) this.drop(target, zone);
  }

  /** What could not be done, a sentence for each secondary and kind; not of servers that only a zone names. */
  faults(): readonly string[] {
    return this.targets.configured.flatMap((target) => {
      const kinds = new Map<string, { readonly first: WireName; count: number }>();
      for (const [zone, { text }] of target.troubles) {
        const kind = kinds.get(text);
        if (kind === undefined) kinds.set(text, { first: zone, count: 1 });
        else kind.count += 1;
      }
      return Array.from(kinds, ([text, { first, count }]) => {
        const others = count === 1 ? '' : ` (and of ${count - 1} more)`;
        return `NOTIFY of ${nameText(first)}${others} to ${endpointText(target.to)} ${text}`;
      });
    });
  }

  counts(): NotifyCounts {
    return { ...this.counted, pending: this.queue.size };
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.nameServers.stop();
    this.sockets.close();
    this.targets.clear();
    this.warnings.stop();
    this.notifyNs = false;
  }

  private notify(versions: ZoneVersions, targets: readonly Target[]): void {
    const items: NotifyItem[] = [];
    for (const { origin, network, serial } of versions) {
      for (const target of targets) {
        if (targetConcerns(target, origin, network)) items.push({ target: target.number, zone: origin, serial });
      }
    }
    this.add(items);
  }

  private addNameServers(found: Iterable<ZoneServers>): void {
    if (!this.notifyNs) return; // not any more
    const items = Array.from(this.targets.forNameServers(found), ({ target, zone }) => ({
      target: target.number,
      zone: zone.origin,
      serial: zone.serial,
    }));
    this.add(items);
  }

  private add(items: readonly NotifyItem[]): void {
    if (items.length === 0) return;
    this.queue.add(items);
    this.wake();
  }

  private drop(target: Target, zone: WireName): void {
    this.queue.forget(target.number, zone);
    target.sent.delete(zone);
    target.troubles.delete(zone);
  }

  private wake(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const next = this.queue.nextMs();
    if (next === null) {
      this.sockets.release();
      return;
    }
    const work = this.options.guard.protect('NOTIFY', () => this.work());
    this.timer = setTimeout(work, Math.max(0, next - performance.now()));
  }

  private async work(): Promise<void> {
    try {
      const { send, lost } = this.queue.take(performance.now());
      for (const item of lost) this.giveUp(item);
      let sent = 0;
      for (const message of send) {
        if (sent++ % BURST === BURST - 1) await nextTurn();
        this.options.guard.run('NOTIFY', this.send(message));
      }
    } finally {
      this.wake();
    }
  }

  private async send({ target: number, zone, serial, id, attempt }: NotifySend): Promise<void> {
    const target = this.targets.get(number);
    if (target === null) return;
    const soa = this.options.soa(zone);
    if (soa === null) {
      this.drop(target, zone);
      return;
    }
    const earlier = attempt === 1 ? undefined : target.sent.get(zone);
    const sent = earlier ?? { macs: [], trouble: null };
    target.sent.set(zone, sent);
    const key = target.key === null ? null : (this.keys.find(({ name }) => name === target.key) ?? null);
    const { octets, mac } = signNotify(notifyMessage(id, wireFromName(zone), soa), key);
    if (mac !== null) sent.macs.push(mac);
    const fault = await this.sockets.send(octets, target.sendTo, target.from);
    // Its turn comes again, as that of one that was lost on the way; but the first failure is worth a line.
    if (fault === null || target.sent.get(zone) !== sent || this.stopped) return;
    const text = `could not be sent: ${fault}`;
    if (sent.trouble === null) this.trouble(target, zone, serial, text);
    sent.trouble = { kind: 'unsent', text };
  }

  private giveUp({ target: number, zone, serial }: NotifyItem): void {
    const target = this.targets.get(number);
    if (target === null) return;
    const trouble = target.sent.get(zone)?.trouble ?? null;
    target.sent.delete(zone);
    this.counted[trouble?.kind === 'unsent' ? 'unsent' : 'unanswered'] += 1;
    this.trouble(target, zone, serial, trouble?.text ?? 'was never answered');
  }

  private receive(octets: Uint8Array, from: Endpoint): void {
    const response = readResponse(octets);
    if (response === null) return;
    for (const target of this.targets.at(from)) {
      const zone = this.queue.zoneOf(target.number, response.id);
      if (zone !== null && this.take(octets, response, target, zone)) return;
    }
  }

  /** Whether the response ends the NOTIFY of this zone. */
  private take(octets: Uint8Array, { id, opcode, rcode }: NotifyResponse, target: Target, zone: WireName): boolean {
    const question = questionIn(octets, wireFromName(zone));
    const sent = target.sent.get(zone);
    if (question === 'other' || sent === undefined) return false;
    const { tsig, isSigned } = responseSignature(octets, target.key, this.keys, sent.macs);
    if (rcode === RCODE.noError) {
      if (opcode !== OPCODE.notify || question !== 'whole') return false;
      if (!isSigned) {
        // It may be anybody's: believed, it would end a NOTIFY that nobody has received.
        sent.trouble = { kind: 'unsigned', text: NOT_SIGNED };
        return false;
      }
    }
    const item = this.queue.answered(target.number, zone, id);
    if (item === null) return false;
    target.sent.delete(zone);
    if (rcode === RCODE.noError) {
      this.counted.acknowledged += 1;
      target.troubles.delete(zone);
    } else {
      // Servers cannot sign what they refuse for want of the key. A forged one would need address, port and identifier,
      // and it is logged, shown and tried again after a pause.
      this.counted.refused += 1;
      const before = target.troubles.get(zone);
      const again = before?.serial === item.serial && before.waitMs > 0;
      const waitMs = again ? Math.min(2 * before.waitMs, REFUSED_MAX_MS) : REFUSED_MS;
      this.trouble(target, zone, item.serial, refusalText(rcode, tsig, !isSigned), waitMs);
    }
    this.wake();
    return true;
  }

  /** Logged, and a fault until a NOTIFY of the zone succeeds. */
  private trouble(target: Target, zone: WireName, serial: number, text: string, waitMs = 0): void {
    target.troubles.set(zone, { serial, text, waitMs, untilMs: performance.now() + waitMs });
    this.warnings.add('NOTIFY of', nameText(zone), `to ${endpointText(target.to)} ${text}`);
  }
}
