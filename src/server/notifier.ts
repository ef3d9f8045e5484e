import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { addressKey, endpointText } from '../config/address.ts';
import type { Endpoint, NotifyTarget, TransferConfig, TsigKey } from '../config/types.ts';
import type { ZoneImage } from '../zones/image.ts';
import { lowerName, nameText, type WireName, wireFromName } from '../zones/name.ts';
import { nameEnd } from './decode.ts';
import { isWildcard } from './listen-address.ts';
import { HEADER_LENGTH, OPCODE, RCODE, TYPE } from './message.ts';
import { type AddressLookup, NameServers, type ZoneServers } from './notify-ns.ts';
import { type NotifyItem, NotifyQueue, type NotifySend } from './notify-queue.ts';
import { requestSigner, verifyTsig } from './tsig.ts';
import { findTsig, TSIG_ROOM } from './tsig-record.ts';

export type NotifierOptions = {
  readonly transfer: TransferConfig;
  /** Where the server listens: NOTIFY comes from there, since secondaries know us by that address. */
  readonly listen: readonly Endpoint[];
  /** The zone's SOA record with its newest serial, uncompressed from type to rdata; null: the zone is gone. */
  readonly soa: (zone: WireName) => Uint8Array | null;
  /** What `notify_ns` needs: a zone that is served here, and the system's resolver. */
  readonly image: (zone: WireName) => ZoneImage | null;
  readonly lookup: AddressLookup;
  /** Of the servers that zones name themselves; 53 unless told. */
  readonly nsPort?: number;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string) => void;
};

export type NotifyZone = { readonly zone: WireName; readonly network: string | null; readonly serial: number };

const DNS_PORT = 53;
/** Messages sent in a row before the event loop is given back. */
const BURST = 200;

/** `addressKey`: the same for every spelling of the address. */
type Target = NotifyTarget & { readonly addressKey: string | null };

/**
 * Tells the configured secondaries of new serials (RFC 1996), with retries, and signed where a key is named; with
 * `notify_ns` also the servers in the zones' own NS records. Runs on the main thread: the threads that answer queries
 * never see it.
 */
export class Notifier {
  private readonly options: NotifierOptions;
  private readonly queue = new NotifyQueue(() => randomInt(65_536));
  /** Of signed messages on their way, every attempt's, by target and zone. */
  private readonly macs = new Map<string, Uint8Array[]>();
  private sockets: { readonly v4: Socket; readonly v6: Socket } | null = null;
  private readonly nameServers: NameServers;
  /** The configured ones, then those that zones name, in the order they were met. */
  private targets: Target[] = [];
  private configured = 0;
  private readonly nsTargets = new Map<string, number>();
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
    this.configure(options.transfer);
  }

  configure(transfer: TransferConfig): void {
    this.targets.forEach((_, number) => {
      this.queue.drop(number);
    });
    this.targets = transfer.notify.map((target) => ({ ...target, addressKey: addressKey(target.to.address) }));
    this.configured = this.targets.length;
    this.nsTargets.clear();
    this.notifyNs = transfer.notifyNs;
    this.keys = transfer.keys;
  }

  /** These zones have new serials. */
  changed(zones: readonly NotifyZone[]): void {
    const items: NotifyItem[] = [];
    for (const { zone, network, serial } of zones) {
      for (let number = 0; number < this.configured; number++) {
        if (targetConcerns(this.targets[number], zone, network)) items.push({ target: number, zone, serial });
      }
    }
    this.add(items);
    if (this.notifyNs) this.addNs(this.nameServers.of(zones));
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
    const configured = this.targets.slice(0, this.configured);
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
    const number = this.targets.length;
    this.targets.push({ to: { address, port: this.nsPort }, key: null, networks: null, zones: null, addressKey: key });
    this.nsTargets.set(key, number);
    return number;
  }

  /** One zone to one secondary again: it was seen to be behind. */
  again(target: number, zone: WireName, serial: number): void {
    this.add([{ target, zone, serial }]);
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
    this.targets = [];
    this.configured = 0;
    this.notifyNs = false;
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
      const to = this.targets[target];
      if (to === undefined) continue;
      this.options.log(
        'warn',
        `NOTIFY of ${nameText(zone)} (serial ${serial}) to ${endpointText(to.to)} was never answered`,
      );
    }
    for (let i = 0; i < send.length; i++) {
      if (i > 0 && i % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
      this.send(send[i]);
    }
    this.wake();
  }

  private send({ target, zone, id, attempt }: NotifySend): void {
    const to = this.targets[target];
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
      const earlier = attempt === 1 ? [] : (this.macs.get(`${target} ${zone}`) ?? []);
      this.macs.set(`${target} ${zone}`, [...earlier, signer.mac]);
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
    const end = message.length < HEADER_LENGTH ? -1 : nameEnd(message, HEADER_LENGTH, message.length);
    const isAnswer = end > 0 && (message[2] & 0xf8) === (0x80 | (OPCODE.notify << 3)) && message[5] === 1;
    if (!isAnswer || message.subarray(HEADER_LENGTH, end).some((octet, i) => i === 0 && octet >= 0xc0)) return;
    const key = addressKey(address.replace(/%.*$/, ''));
    const senders = this.targets.flatMap(({ to, addressKey: its }, i) => (its === key && to.port === port ? [i] : []));
    const id = (message[0] << 8) | message[1];
    const zone = lowerName(message, HEADER_LENGTH);
    const proven = senders.filter((i) => this.targets[i].key === null || this.isSigned(message, `${i} ${zone}`));
    const item = this.queue.answered(proven, zone, id);
    if (item === null) return;
    this.macs.delete(`${item.target} ${zone}`);
    const rcode = message[3] & 0xf;
    if (rcode === RCODE.noError) this.acknowledged += 1;
    else this.options.log('warn', `NOTIFY of ${nameText(zone)} to ${address}:${port} was answered with rcode ${rcode}`);
    this.wake();
  }

  /** A secondary that shares a key signs its answers; an unsigned one may be anybody's. */
  private isSigned(message: Uint8Array, flight: string): boolean {
    const tsig = findTsig(message);
    if (tsig === null || tsig === 'malformed') return false;
    const now = Date.now() / 1000;
    return (this.macs.get(flight) ?? []).some((mac) => verifyTsig(message, tsig, this.keys, now, mac).ok);
  }
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
