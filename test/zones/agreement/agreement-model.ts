/** Several vantages, one zone and a store, as a model: what the shell does in order, without clocks, files and sockets. */
import { serialCompare, serialMax } from '../../../src/dns/serial.ts';
import { serialClassOf, setSerial } from '../../../src/health/agreement/decider.ts';
import { isReported } from '../../../src/vantage/etcd/contents/reports.ts';
import { chooseContent } from '../../../src/zones/agreement/choose-content.ts';
import type { Content, ContentInForce, OwnContent } from '../../../src/zones/agreement/content.ts';
import { ownStep, type Remembered, type Standing, startContent } from '../../../src/zones/agreement/own-step.ts';

export const MEMBERS = ['a', 'b', 'c'] as const;

/** `id`: which set it is, whatever its serial. */
type Live = { readonly serial: number; readonly id: number };
type Stored = { readonly inForce: ContentInForce | null; readonly live: Live };

const NO_SET: Live = { serial: 0, id: 0 };

/** What a serial was seen to name: content and live set. Null: there is no set, without which nobody can have the zone. */
export type Claim = { readonly who: string; readonly serial: number; readonly octets: string | null };

class Vantage {
  readonly name: string;
  file = 'h0';
  newest: string | null = null;
  served: (Content & { standing: Standing }) | null = null;
  frozenLive = NO_SET;
  /** Durable. */
  live = NO_SET;
  remembered: Remembered | null = null;
  known: ContentInForce | null = null;
  /**
   * The latest serial of a content or set that this process has seen in the store, or was about to store. Of a set it
   * outlives the process here: by the clock, which stands still in the model, it would be later when it is back.
   */
  noted = 0;
  proposed = 0;
  gaps: string[] = [];

  constructor(name: string) {
    this.name = name;
    this.restart();
  }

  restart(): void {
    this.newest = this.file;
    this.known = null;
    const content = startContent(this.remembered, this.file);
    this.served = content === null ? null : { ...content, standing: 'agreed' };
    this.frozenLive = NO_SET;
    this.noted = 0;
    this.step();
  }

  change(hash: string): void {
    this.file = hash;
    this.newest = hash;
    this.step();
  }

  /** One look at the store. `dies`: after the contents, before the set is durable. */
  look(store: Stored, dies: boolean): void {
    this.known = store.inForce;
    this.noted = serialMax(this.noted, store.inForce?.serial ?? 0);
    this.step();
    if (dies) {
      this.restart();
      return;
    }
    const before = this.live.serial === 0 ? (this.remembered?.serial ?? 0) : this.live.serial;
    const isLater = store.live.serial !== 0 && (before === 0 || serialCompare(store.live.serial, before) > 0);
    if (isLater) this.live = store.live;
    this.step();
  }

  private step(): void {
    const { newest, served, known: inForce, live } = this;
    const step = ownStep({ newest, served, inForce, live: live.serial });
    const lacked = inForce !== null && served !== null && inForce.serial !== served.serial ? inForce : null;
    switch (step.kind) {
      case 'serve':
        if (step.isGap) this.gaps.push(step.content.hash);
        this.served = { ...step.content, standing: 'agreed' };
        this.remembered = { ...step.content, lacked: null };
        return;
      case 'freeze':
        if (served === null) throw new Error('nothing to freeze');
        this.served = { ...served, standing: 'frozen' };
        this.frozenLive = live;
        this.remembered = { hash: served.hash, serial: served.serial, lacked };
        return;
      case 'unagreed':
        this.served = { hash: newest ?? '', serial: 1, standing: 'unagreed' };
        return;
      case 'keep':
    }
  }

  report(): OwnContent {
    const { remembered, newest, live } = this;
    const served = remembered === null ? null : { hash: remembered.hash, serial: remembered.serial };
    const serial = serialMax(live.serial, remembered?.serial ?? 0);
    return { network: 'net', hash: newest ?? '', serial, served };
  }

  claim(): Claim | null {
    const { served, name } = this;
    if (served === null || served.standing === 'unagreed') return null;
    const live = served.standing === 'frozen' ? this.frozenLive : this.live;
    const serial = serialMax(served.serial, live.serial);
    return { who: name, serial, octets: live === NO_SET ? null : `${served.hash} ${live.id}` };
  }
}

/** The whole cluster. `now` may stand still or go back. Whoever decides hears of some of the vantages only. */
export class Cluster {
  readonly vantages: readonly Vantage[] = MEMBERS.map((name) => new Vantage(name));
  store: Stored = { inForce: null, live: NO_SET };
  backup: Stored = this.store;
  now = 1000;
  private sets = 0;

  vantage(index: number): Vantage {
    return this.vantages[index % this.vantages.length] ?? this.vantages[0];
  }

  wipe(): void {
    this.store = { inForce: null, live: NO_SET };
  }

  /** `by`: an index; `heard`: names. */
  decideContent(by: number, heard: readonly string[], waited: number): void {
    const decider = this.vantage(by);
    const voters = MEMBERS.filter((name) => name === decider.name || heard.includes(name));
    const { inForce, live } = this.store;
    const choice = chooseContent({
      members: MEMBERS,
      voters,
      reports: this.reports(voters),
      inForce,
      liveSerial: live.serial,
      reportedLive: this.heard(voters).reduce((latest, one) => serialMax(latest, one.live.serial), 0),
      serialClass: serialClassOf(MEMBERS, { name: decider.name, isOverride: false }),
      waited,
      now: this.now,
    });
    if (choice.kind !== 'put') return;
    decider.noted = serialMax(decider.noted, choice.content.serial);
    this.store = { ...this.store, inForce: choice.content };
  }

  /** As sets are decided: later than all that the decider knows, and far later where the store has lost some. */
  decideSet(by: number, heard: readonly string[]): void {
    const decider = this.vantage(by);
    const voters = MEMBERS.filter((name) => name === decider.name || heard.includes(name));
    if (voters.length < 2) return;
    const { live, inForce } = this.store;
    const [own, stored] = [decider.live.serial, live.serial];
    const before = own === 0 ? (decider.remembered?.serial ?? 0) : own;
    if (stored !== 0 && (before === 0 || serialCompare(stored, before) > 0)) return; // it is not in force here yet
    const isLost = own !== 0 && (stored === 0 || serialCompare(stored, own) < 0);
    const known = [
      ...[own, stored, decider.remembered?.serial ?? 0, decider.noted, decider.proposed, inForce?.serial ?? 0],
      ...this.heard(voters).flatMap((one) => [one.live.serial, one.remembered?.serial ?? 0]),
    ];
    const serial = setSerial(known, this.now, MEMBERS, { name: decider.name, isOverride: false }, isLost);
    decider.proposed = serial;
    this.sets += 1;
    this.store = { ...this.store, live: { serial, id: this.sets } };
  }

  claims(): readonly Claim[] {
    return this.vantages.flatMap((vantage) => vantage.claim() ?? []);
  }

  private heard(names: readonly string[]): readonly Vantage[] {
    return this.vantages.filter(({ name }) => names.includes(name));
  }

  private reports(voters: readonly string[]): Map<string, OwnContent> {
    const { inForce } = this.store;
    const all = this.heard(voters).map((vantage) => [vantage.name, vantage.report()] as const);
    return new Map(all.filter(([, own]) => isReported(own, inForce)));
  }
}
