import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { NotifyTarget, TransferConfig } from '../../config/types.ts';
import { HEADER_LENGTH, OPCODE, RCODE, TYPE } from '../../dns/message.ts';
import { MessageCursor } from '../../dns/message-cursor.ts';
import { lowerName, nameText, type WireName, wireFromName } from '../../dns/name.ts';
import { requestSigner, verifyTsig } from '../../dns/tsig.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { findTsig, TSIG_ROOM } from '../../dns/tsig-record.ts';
import type { Endpoint } from '../../system/address.ts';
import { addressKey, endpointText } from '../../system/address.ts';
import { isWildcard } from '../../system/client-address.ts';
import type { Lookup } from '../../system/resolver.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import { NameServers, type ZoneServers } from './ns-targets.ts';
import { type NotifyItem, NotifyQueue, type NotifySend } from './queue.ts';

export type NotifierOptions = {
  readonly transfer: TransferConfig;
  /** Where the server listens: NOTIFY comes from there, since secondaries know us by that address. */
  readonly listen: readonly Endpoint[];
  /** The zone's SOA record with its newest serial, uncompressed from type to rdata; null: the zone is gone. */
  readonly soa: (zone: WireName) => Uint8Array | null;
  /** What `notify_ns` needs: a zone that is served here, and the system's resolver. */
  readonly image: (zone: WireName) => ZoneImage | null;
  readonly lookup: Lookup;
  /** Of the servers that zones name themselves; 53 unless told. */
  readonly nsPort?: number;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string) => void;
};

export type NotifyZone = { readonly zone: WireName; readonly network: string | null; readonly serial: number };

const DNS_PORT = 53;
/** Messages sent in a row before the event loop is given back. */
const BURST = 200;

/** Complaints of one kind about one secondary are gathered for so long after the first. */
const GATHER_MS = 3000;

/**
 * `addressKey`: the same for every spelling of the address. `macs`: of signed messages on their way, every attempt's, by
 * zone.
 */
type Target = NotifyTarget & { readonly addressKey: string | null; readonly macs: Map<WireName, Uint8Array[]> };

/**
 * Tells the configured secondaries of new serials (RFC 1996), with retries, and signed where a key is named; with
 * `notify_ns` also the servers in the zones' own NS records. Runs on the main thread: the threads that answer queries
 * never see it.
 */
export class Notifier {
  private readonly options: NotifierOptions;
  private readonly queue = new NotifyQueue(() => randomInt(65_536));
  private sockets: { readonly v4: Socket; readonly v6: Socket } | null = null;
  private readonly nameServers: NameServers;
  /** By number; no number is used twice. */
  private readonly targets = new Map<number, Target>();
  private nextNumber = 0;
  /** Numbers of the configured ones, in their order. */
  private configured: readonly number[] = [];
  /** Of those that zones name, by address. */
  private readonly nsTargets = new Map<string, number>();
  private readonly complaints = new Map<string, { more: number; readonly timer: NodeJS.Timeout }>();
  private notifyNs = false;
  private keys: readonly TsigKey[];
  private timer: NodeJS.Timeout | undefined;
  private acknowledged = 0;
  private lostCount = 0;

  constructor(options: NotifierOptions) {
    this.options = options;
    this.keys = options.transfer.keys;
    this.nameServers = new NameServers({
      image: options.image,
      lookup: options.lookup,
      now: () => performance.now(),
      onFound: (zones, addresses) => this.addNs(zones.map((zone) => ({ zone, addresses }))),
    });
    this.configure(options.transfer, []);
  }

  /** Secondaries that stay go on with what they are being told; new ones hear of these zones. */
  configure(transfer: TransferConfig, zones: readonly NotifyZone[]): void {
    const before = this.configured.flatMap((number) => {
      const target = this.targets.get(number);
      return target === undefined ? [] : [{ number, text: targetText(target) }];
    });
    this.keys = transfer.keys;
    this.notifyNs = transfer.notifyNs;
    const fresh: number[] = [];
    this.configured = transfer.notify.map((wanted) => {
      const at = before.findIndex(({ text }) => text === targetText(wanted));
      if (at >= 0) return before.splice(at, 1)[0].number;
      const number = this.addTarget(wanted);
      fresh.push(number);
      return number;
    });
    for (const { number } of before) this.drop(number);
    const told = new Set(transfer.notify.map(({ to }) => addressKey(to.address)));
    for (const [key, number] of this.nsTargets) {
      if (this.notifyNs && !told.has(key)) continue;
      this.nsTargets.delete(key);
      this.drop(number);
    }
    this.tell(zones, fresh);
  }

  private addTarget(target: NotifyTarget): number {
    const number = this.nextNumber++;
    this.targets.set(number, { ...target, addressKey: addressKey(target.to.address), macs: new Map() });
    return number;
  }

  private drop(number: number): void {
    this.targets.delete(number);
    this.queue.drop(number);
  }

  /** These zones have new serials. */
  changed(zones: readonly NotifyZone[]): void {
    this.tell(zones, this.configured);
    if (this.notifyNs) this.addNs(this.nameServers.of(zones));
  }

  private tell(zones: readonly NotifyZone[], numbers: readonly number[]): void {
    const items: NotifyItem[] = [];
    for (const { zone, network, serial } of zones) {
      for (const number of numbers) {
        const target = this.targets.get(number);
        if (target !== undefined && targetConcerns(target, zone, network)) items.push({ target: number, zone, serial });
      }
    }
    this.add(items);
  }

  private add(items: readonly NotifyItem[]): void {
    if (items.length === 0) return;
    this.queue.add(items);
    this.wake();
  }

  /** Servers that zones name. Nobody is told twice, and we do not tell ourselves. */
  private addNs(found: Iterable<ZoneServers>): void {
    if (!this.notifyNs) return; // not any more
    const ours = ownAddresses(this.nsPort, this.options.listen);
    const configured = this.configured.flatMap((number) => this.targets.get(number) ?? []);
    const items: NotifyItem[] = [];
    for (const { zone: about, addresses } of found) {
      const { zone, network, serial } = about;
      const others = configured.filter((target) => targetConcerns(target, zone, network));
      for (const address of addresses) {
        const key = addressKey(address);
        if (key === null || ours.has(key) || others.some((target) => target.addressKey === key)) continue;
        items.push({ target: this.nsTarget(address, key), zone, serial });
      }
    }
    this.add(items);
  }

  private get nsPort(): number {
    return this.options.nsPort ?? DNS_PORT;
  }

  private nsTarget(address: string, key: string): number {
    const known = this.nsTargets.get(key);
    if (known !== undefined) return known;
    const number = this.addTarget({ to: { address, port: this.nsPort }, key: null, networks: null, zones: null });
    this.nsTargets.set(key, number);
    return number;
  }

  /** One zone to one secondary again: it was seen to be behind. `place`: of the secondary in the configuration. */
  again(place: number, zone: WireName, serial: number): void {
    const target = this.configured.at(place);
    if (target !== undefined) this.add([{ target, zone, serial }]);
  }

  counts(): { readonly acknowledged: number; readonly unanswered: number; readonly pending: number } {
    return { acknowledged: this.acknowledged, unanswered: this.lostCount, pending: this.queue.size };
  }

  stop(): void {
    clearTimeout(this.timer);
    this.nameServers.stop();
    this.sockets?.v4.close();
    this.sockets?.v6.close();
    this.sockets = null;
    this.targets.clear();
    this.configured = [];
    this.notifyNs = false;
    for (const { timer } of this.complaints.values()) clearTimeout(timer);
    this.complaints.clear();
  }

  private wake(): void {
    clearTimeout(this.timer);
    const next = this.queue.nextMs();
    if (next === null) return;
    this.timer = setTimeout(() => void this.work(), Math.max(0, next - performance.now()));
  }

  private async work(): Promise<void> {
    const { send, lost } = this.queue.take(performance.now());
    for (const { target, zone, serial } of lost) {
      this.lostCount += 1;
      const to = this.targets.get(target);
      if (to === undefined) continue;
      to.macs.delete(zone);
      this.complain(`${nameText(zone)} (serial ${serial})`, endpointText(to.to), 'was never answered');
    }
    for (let i = 0; i < send.length; i++) {
      if (i > 0 && i % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
      this.send(send[i]);
    }
    this.wake();
  }

  private send({ target, zone, id, attempt }: NotifySend): void {
    const to = this.targets.get(target);
    const soa = this.options.soa(zone);
    if (to === undefined || soa === null) return;
    const key = to.key === null ? null : (this.keys.find(({ name }) => name === to.key) ?? null);
    const message = notifyMessage(id, wireFromName(zone), soa);
    let { length } = message;
    const room = new Uint8Array(length + TSIG_ROOM);
    room.set(message);
    if (key !== null) {
      const signer = requestSigner(key);
      length = signer.sign(room, length, Date.now() / 1000);
      const earlier = attempt === 1 ? [] : (to.macs.get(zone) ?? []);
      to.macs.set(zone, [...earlier, signer.mac]);
    }
    const six = to.to.address.includes(':');
    const sockets = this.open();
    (six ? sockets.v6 : sockets.v4).send(room.subarray(0, length), to.to.port, to.to.address, (error) => {
      // It will be tried again, like one that was lost on the way.
      if (error !== null) this.options.log('debug', `NOTIFY to ${endpointText(to.to)}: ${error.message}`);
    });
  }

  private open(): { readonly v4: Socket; readonly v6: Socket } {
    if (this.sockets !== null) return this.sockets;
    const make = (type: 'udp4' | 'udp6'): Socket => {
      const socket = createSocket(type);
      const six = type === 'udp6';
      const from = this.options.listen.find(({ address }) => address.includes(':') === six && !isWildcard(address));
      socket.on('error', (error) => this.options.log('warn', `NOTIFY: ${error.message}`));
      socket.on('message', (message, { address, port }) => this.receive(message, address, port));
      if (from !== undefined) socket.bind(0, from.address);
      return socket;
    };
    this.sockets = { v4: make('udp4'), v6: make('udp6') };
    return this.sockets;
  }

  private receive(buffer: Buffer, address: string, port: number): void {
    const message = new Uint8Array(buffer);
    const question = MessageCursor.over(message)?.question() ?? null;
    const isAnswer = (message[2] & 0xf8) === (0x80 | (OPCODE.notify << 3)) && message[4] === 0 && message[5] === 1;
    if (!isAnswer || question === null) return;
    const key = addressKey(address.replace(/%.*$/, ''));
    const id = (message[0] << 8) | message[1];
    const zone = lowerName(question.name);
    const proven: number[] = [];
    for (const [number, target] of this.targets) {
      if (target.addressKey !== key || target.to.port !== port) continue;
      if (target.key === null || this.isSigned(message, target.macs.get(zone) ?? [])) proven.push(number);
    }
    const item = this.queue.answered(proven, zone, id);
    if (item === null) return;
    this.targets.get(item.target)?.macs.delete(zone);
    const rcode = message[3] & 0xf;
    if (rcode === RCODE.noError) this.acknowledged += 1;
    else this.complain(nameText(zone), `${address}:${port}`, `was answered with rcode ${rcode}`);
    this.wake();
  }

  /** One line for the first zone, another one for however many follow: ten thousand zones fail in the same way. */
  private complain(zone: string, to: string, trouble: string): void {
    const kind = `${to} ${trouble}`;
    const known = this.complaints.get(kind);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    this.options.log('warn', `NOTIFY of ${zone} to ${kind}`);
    const timer = setTimeout(() => {
      const { more } = this.complaints.get(kind) ?? { more: 0 };
      this.complaints.delete(kind);
      if (more > 0) this.options.log('warn', `NOTIFY of ${more} more to ${kind}`);
    }, GATHER_MS);
    this.complaints.set(kind, { more: 0, timer: timer.unref() });
  }

  /** A secondary that shares a key signs its answers; an unsigned one may be anybody's. */
  private isSigned(message: Uint8Array, macs: readonly Uint8Array[]): boolean {
    const tsig = findTsig(message);
    if (tsig === null || tsig === 'malformed') return false;
    const now = Date.now() / 1000;
    return macs.some((mac) => verifyTsig(message, tsig, this.keys, now, mac).ok);
  }
}

/** The same for targets that are told the same things in the same way. */
function targetText({ to, key, networks, zones }: NotifyTarget): string {
  return JSON.stringify([to.address, to.port, key, networks, zones]);
}

/** Whether a target is to be told of a zone. */
export function targetConcerns({ networks, zones }: NotifyTarget, zone: WireName, network: string | null): boolean {
  if (networks === null && zones === null) return true;
  return (network !== null && (networks?.includes(network) ?? false)) || (zones?.includes(zone) ?? false);
}

/** RFC 1996 §3: opcode NOTIFY, AA, the zone's SOA in question and answer. */
function notifyMessage(id: number, zone: Uint8Array, soa: Uint8Array): Uint8Array {
  const header = [id >>> 8, id & 255, (OPCODE.notify << 3) | 4, 0, 0, 1, 0, 1, 0, 0, 0, 0];
  const question = [...zone, 0, TYPE.soa, 0, 1];
  return Uint8Array.from([...header, ...question, 0xc0, HEADER_LENGTH, ...soa]);
}

/** Where this server itself answers on a port. */
function ownAddresses(port: number, listen: readonly Endpoint[]): ReadonlySet<string | null> {
  const listened = listen.filter((endpoint) => endpoint.port === port).map(({ address }) => address);
  const machine = listened.some(isWildcard)
    ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address))
    : [];
  return new Set([...listened, ...machine].map(addressKey));
}
