import { randomInt } from 'node:crypto';
import DNS from 'dns2';
import type { NotifyTarget } from '../../config/types.ts';
import { nameText, type WireName } from '../../dns/name.ts';
import type { ZoneVersions } from '../../live/zone-versions.ts';
import { targetConcerns } from '../../publish/notify/targets.ts';
import type { Endpoint } from '../../system/address.ts';
import { endpointText } from '../../system/address.ts';
import type { SecondaryView } from '../control/views.ts';
import { askOverTcp } from './ask-tcp.ts';
import { lagOf, SecondaryTable, type WatchRow } from './secondary-table.ts';

const TICK_MS = 100;
/** Asked of one secondary in one tick: so many sockets at once, and a tenth of the main thread's time. */
const ASKED_MAX = 50;
const TIMEOUT_MS = 2000;
/** Over TCP at once. */
const TCP_MAX = 20;

export type WatchOptions = {
  readonly targets: readonly NotifyTarget[];
  /** Seconds between two looks at a secondary's zone; a secondary that is behind is asked sooner. */
  readonly intervalSeconds: number;
  /** A secondary is behind for longer than it should be. */
  readonly onBehind: (target: number, zone: WireName, serial: number) => void;
};

/** Asks every secondary for its serials, over UDP, and over TCP where UDP brings nothing. Main thread. */
export class SoaPoller {
  private readonly options: WatchOptions;
  private readonly book: SecondaryTable;
  private readonly networks = new Map<WireName, string | null>();
  private readonly timer: NodeJS.Timeout | null;
  private tcp = 0;
  private stopped = false;

  constructor(options: WatchOptions) {
    this.options = options;
    this.book = new SecondaryTable(options.intervalSeconds);
    const watches = options.intervalSeconds > 0 && options.targets.length > 0;
    this.timer = watches ? setInterval(() => this.tick(), TICK_MS) : null;
  }

  /** These zones have these serials here. */
  changed(zones: ZoneVersions): void {
    if (this.timer === null) return;
    const now = seconds();
    for (const { origin: zone, network, serial } of zones) {
      this.networks.set(zone, network);
      this.options.targets.forEach((target, number) => {
        if (targetConcerns(target, zone, network)) this.book.expect(number, zone, serial, now);
      });
    }
  }

  forget(zone: WireName): void {
    this.networks.delete(zone);
    this.book.forget(zone);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
  }

  views(): readonly SecondaryView[] {
    const now = seconds();
    const epoch = Date.now() / 1000 - now;
    return Array.from(this.book.all(), (row) => ({
      secondary: endpointText(this.options.targets[row.target].to),
      zone: nameText(row.zone).replace(/(.)\.$/, '$1'),
      network: this.networks.get(row.zone) ?? null,
      serial: row.serial,
      ourSerial: row.ourSerial,
      lagSeconds: lagOf(row, now),
      checkedAt: row.checkedAt === null ? null : row.checkedAt + epoch,
      error: row.error,
    }));
  }

  private tick(): void {
    for (const row of this.book.due(seconds(), ASKED_MAX)) void this.ask(row);
  }

  private async ask(row: WatchRow): Promise<void> {
    const { to } = this.options.targets[row.target];
    const name = nameText(row.zone).slice(0, -1);
    let result: { readonly serial: number } | { readonly error: string };
    try {
      result = { serial: await this.askUdp(to, name).catch(() => this.askTcp(to, name)) };
    } catch (error) {
      result = { error: error instanceof Error ? error.message : String(error) };
    }
    if (this.stopped) return;
    if (this.book.heard(row, result, seconds())) this.options.onBehind(row.target, row.zone, row.ourSerial);
  }

  private async askUdp({ address, port }: Endpoint, name: string): Promise<number> {
    const socketType = address.includes(':') ? 'udp6' : 'udp4';
    const ask = DNS.UDPClient({ dns: address, port, socketType, timeout: TIMEOUT_MS, retryOverTCP: false });
    return serialIn(await ask(name, 'SOA', DNS.Packet.CLASS.IN, { recursive: false }));
  }

  /** `dns2` writes and reads the message; its own client knows neither IPv6 nor a time-out. */
  private async askTcp(to: Endpoint, name: string): Promise<number> {
    if (this.stopped) throw new Error('stopped');
    if (this.tcp >= TCP_MAX) throw new Error('no answer over UDP, and TCP is busy');
    this.tcp++;
    try {
      const query = new DNS.Packet();
      query.header.id = randomInt(65_536);
      query.questions.push(new DNS.Packet.Question(name, DNS.Packet.TYPE.SOA, DNS.Packet.CLASS.IN));
      const answer = DNS.Packet.parse(await askOverTcp(to, query.toBuffer(), TIMEOUT_MS));
      if (answer.header.id !== query.header.id) throw new Error('answered to something else over TCP');
      return serialIn(answer);
    } finally {
      this.tcp--;
    }
  }
}

function serialIn(packet: DNS.Packet): number {
  const { rcode, aa } = packet.header;
  if (rcode !== 0) throw new Error(`answered with rcode ${rcode}`);
  const soa = packet.answers.find(({ type }) => type === DNS.Packet.TYPE.SOA) as { serial?: unknown } | undefined;
  if (typeof soa?.serial !== 'number') throw new Error('answered without an SOA');
  if (aa !== 1) throw new Error('answered without authority');
  return soa.serial >>> 0;
}

/** A steady clock. */
function seconds(): number {
  return performance.now() / 1000;
}
