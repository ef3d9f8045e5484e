import { randomInt } from 'node:crypto';
import type { NotifyTarget } from '../../config/types.ts';
import { nameText, type WireName } from '../../dns/name.ts';
import { readSoaAnswer, type SoaAnswer, soaQuery } from '../../dns/soa-answer.ts';
import type { ZoneVersions } from '../../live/zone-versions.ts';
import { plainAddress } from '../../publish/notify/source-address.ts';
import { targetConcerns } from '../../publish/notify/targets.ts';
import { WarnOnce } from '../../publish/notify/warn-once.ts';
import { type Endpoint, endpointText } from '../../system/address.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { SecondaryView } from '../control/views/views.ts';
import { askOverTcp } from './ask-tcp.ts';
import { UdpClient } from './ask-udp.ts';
import { lagOf, SecondaryTable, type SecondaryTrouble, stateOf, type WatchRow } from './secondary-table.ts';

const TICK_MS = 100;
/** Asked of one secondary in one tick, and at most on their way to it: one that is silent takes no more. */
const ASKED_MAX = 50;
const IN_FLIGHT_MAX = 200;
const TIMEOUT_MS = 2000;
/** Over TCP at once, at one secondary. */
const TCP_MAX = 20;

export type SoaPollerOptions = {
  readonly targets: readonly NotifyTarget[];
  /** Seconds between two questions for a zone; a secondary with another serial than ours is asked sooner. 0: never. */
  readonly intervalSeconds: number;
  /** A secondary has been behind for longer than it should be. */
  readonly onBehind: (target: number, zone: WireName, serial: number) => void;
  readonly log: Log;
  readonly guard: Guard;
};

type Peer = { readonly to: Endpoint; readonly text: string; readonly udp: UdpClient; asking: number; tcp: number };
type Result = { readonly serial: number } | { readonly error: string };

const FORCE = 'let it fetch the zone anew there (rndc retransfer, nsd-control force_transfer, knotc zone-retransfer)';

/** Asks every secondary for its serials, over UDP, and over TCP where UDP brings none. Main thread. */
export class SoaPoller {
  private readonly options: SoaPollerOptions;
  private readonly table: SecondaryTable;
  private readonly networks = new Map<WireName, string | null>();
  /** By place in the configuration; the same object for the same address and port. */
  private readonly peers: readonly Peer[];
  private readonly timer: NodeJS.Timeout | null;
  private readonly warnings: WarnOnce;
  private readonly recoveries: WarnOnce;
  private stopped = false;

  constructor(options: SoaPollerOptions) {
    const { targets, intervalSeconds, guard, log } = options;
    this.options = options;
    this.table = new SecondaryTable(intervalSeconds);
    const peers = new Map<string, Peer>();
    this.peers = targets.map((target) => {
      const text = endpointText(target.to);
      const to = { address: plainAddress(target.to.address), port: target.to.port };
      const peer = peers.get(text) ?? { to, text, udp: new UdpClient(to, guard), asking: 0, tcp: 0 };
      peers.set(text, peer);
      return peer;
    });
    this.warnings = new WarnOnce((message) => log('warn', message, 'secondary.trouble'), guard);
    this.recoveries = new WarnOnce((message) => log('info', message, 'secondary.recovered'), guard);
    const polls = intervalSeconds > 0 && targets.length > 0;
    const tick = guard.protect('serials of secondaries', () => this.tick());
    this.timer = polls ? setInterval(tick, TICK_MS) : null;
  }

  /** These zones have these serials here. A secondary that is configured twice for a zone is asked once. */
  apply(versions: ZoneVersions): void {
    if (this.timer === null) return;
    const now = seconds();
    for (const { origin, network, serial } of versions) {
      this.networks.set(origin, network);
      const places = new Map<Peer, number>();
      for (const [place, target] of this.options.targets.entries()) {
        const peer = this.peers[place];
        if (!places.has(peer) && targetConcerns(target, origin, network)) places.set(peer, place);
      }
      this.table.retain(origin, new Set(places.values()));
      for (const place of places.values()) this.table.expect(place, origin, serial, now);
    }
  }

  forget(zone: WireName): void {
    this.networks.delete(zone);
    this.table.forget(zone);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
    for (const { udp } of this.peers) udp.stop();
    this.warnings.stop();
    this.recoveries.stop();
  }

  views(): readonly SecondaryView[] {
    const now = seconds();
    const epoch = Date.now() / 1000 - now;
    return Array.from(this.table.all(), (row) => ({
      secondary: this.peers[row.target].text,
      zone: zoneText(row.zone),
      network: this.networks.get(row.zone) ?? null,
      serial: row.serial,
      ourSerial: row.ourSerial,
      state: stateOf(row),
      lagSeconds: lagOf(row, now),
      checkedAt: row.checkedAt === null ? null : row.checkedAt + epoch,
      error: row.error,
    }));
  }

  private tick(): void {
    const most = (target: number): number => Math.min(ASKED_MAX, IN_FLIGHT_MAX - this.peers[target].asking);
    for (const row of this.table.due(seconds(), most)) this.options.guard.run('serials of secondaries', this.ask(row));
  }

  private async ask(row: WatchRow): Promise<void> {
    const peer = this.peers[row.target];
    peer.asking++;
    let result: Result = { error: 'not asked' };
    try {
      result = await this.askUdp(peer, row.zone).catch(() => this.askTcp(peer, row.zone));
    } catch (error) {
      result = { error: errorText(error) };
    } finally {
      peer.asking--;
    }
    if (this.stopped) return;
    const now = seconds();
    if (this.table.record(row, result, now)) this.options.onBehind(row.target, row.zone, row.ourSerial);
    const report = this.table.report(row, now);
    if (report !== null) this.log(row, peer, report);
  }

  /** Rejects with what a person should know, also of an answer that must be asked for again over TCP. */
  private async askUdp({ udp }: Peer, zone: WireName): Promise<{ readonly serial: number }> {
    const read = (octets: Uint8Array, id: number): SoaAnswer | null => {
      const answer = readSoaAnswer(octets, id, zone);
      return answer.kind === 'unrelated' ? null : answer; // somebody's guess: the right one may still come
    };
    return serialOf(await udp.ask((id) => soaQuery(id, zone), read, TIMEOUT_MS));
  }

  private async askTcp(peer: Peer, zone: WireName): Promise<{ readonly serial: number }> {
    if (this.stopped) throw new Error('stopped');
    if (peer.tcp >= TCP_MAX) throw new Error('no answer over UDP, and TCP is busy');
    peer.tcp++;
    try {
      const id = randomInt(65_536);
      const octets = await askOverTcp(peer.to, soaQuery(id, zone), TIMEOUT_MS, this.options.guard);
      return serialOf(readSoaAnswer(octets, id, zone));
    } finally {
      peer.tcp--;
    }
  }

  private log({ zone, serial, ourSerial, error }: WatchRow, { text }: Peer, report: SecondaryTrouble | 'well'): void {
    const name = zoneText(zone);
    const serials = ` (it has ${serial}, we have ${ourSerial})`;
    if (report === 'well') this.recoveries.add('zone', name, `at secondary ${text} has our serial again`);
    else if (report === 'silent') this.warnings.add('zone', name, `at secondary ${text}: no serial: ${error}`);
    else if (report === 'behind') this.warnings.add('zone', name, `at secondary ${text} is behind`, serials);
    else this.warnings.add('zone', name, `at secondary ${text} is ahead of us and takes no change: ${FORCE}`, serials);
  }
}

function serialOf(answer: SoaAnswer): { readonly serial: number } {
  switch (answer.kind) {
    case 'serial':
      return { serial: answer.serial };
    case 'unusable':
      throw new Error(answer.why);
    case 'truncated':
      throw new Error('answered truncated over TCP');
    case 'unrelated':
      throw new Error('answered to something else over TCP');
  }
}

function zoneText(zone: WireName): string {
  return nameText(zone).replace(/(.)\.$/, '$1');
}

/** A steady clock. */
function seconds(): number {
  return performance.now() / 1000;
}
