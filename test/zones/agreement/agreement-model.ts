/** Several vantages, one zone and a store, as a model: what the shell does in order, without clocks, files and sockets. */
import { serialAfterAll, serialCompare, serialMax } from '../../../src/dns/serial.ts';
import { chooseContent } from '../../../src/zones/agreement/choose-content.ts';
import type { Content, ContentInForce, OwnContent } from '../../../src/zones/agreement/content.ts';
import { ownStep, type Remembered, type Standing, startContent } from '../../../src/zones/agreement/own-step.ts';

export const MEMBERS = ['a', 'b', 'c'] as const;

type Stored = { readonly inForce: ContentInForce | null; readonly live: number };

/** What a serial was seen to name: content and live set. */
export type Claim = { readonly who: string; readonly serial: number; readonly octets: string };

class Vantage {
  readonly name: string;
  file = 'h0';
  newest: string | null = null;
  served: (Content & { standing: Standing }) | null = null;
  frozenLive = 0;
  /** Durable. */
  live = 0;
  remembered: Remembered | null = null;
  known: ContentInForce | null = null;
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
    this.frozenLive = 0;
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
    this.step();
    if (dies) {
      this.restart();
      return;
    }
    const isLater = store.live !== 0 && (this.live === 0 || serialCompare(store.live, this.live) > 0);
    if (isLater) this.live = store.live;
    this.step();
  }

  private step(): void {
    const { newest, served, known: inForce, live } = this;
    const step = ownStep({ newest, served, inForce, live });
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
    const serial = serialMax(live, remembered?.serial ?? 0);
    return { network: 'net', hash: newest ?? '', serial, served };
  }

  claim(): Claim | null {
    const { served, name } = this;
    if (served === null || served.standing === 'unagreed') return null;
    const live = served.standing === 'frozen' ? this.frozenLive : this.live;
    const serial = serialMax(served.serial, live);
    return { who: name, serial, octets: `${served.hash} ${live}` };
  }
}

/** The whole cluster. `now` may stand still or go back. */
export class Cluster {
  readonly vantages: readonly Vantage[] = MEMBERS.map((name) => new Vantage(name));
  store: Stored = { inForce: null, live: 0 };
  backup: Stored = this.store;
  now = 1000;
  /** Lost since: then all must be heard of before anything is stored. */
  isLost = false;

  vantage(index: number): Vantage {
    return this.vantages[index % this.vantages.length] ?? this.vantages[0];
  }

  reports(voters: readonly string[]): Map<string, OwnContent> {
    const all = this.vantages.filter(({ name }) => voters.includes(name)).map((v) => [v.name, v.report()] as const);
    const { inForce } = this.store;
    const isSame = (own: OwnContent): boolean =>
      inForce !== null && own.hash === inForce.hash && own.served?.serial === inForce.serial;
    return new Map(all.filter(([, own]) => !isSame(own)));
  }

  decideContent(voters: readonly string[], waited: number): void {
    const heard = this.isLost ? [...MEMBERS] : voters;
    const { inForce, live } = this.store;
    const choice = chooseContent({
      members: MEMBERS,
      voters: heard,
      reports: this.reports(heard),
      inForce,
      liveSerial: live,
      reportedLive: this.vantages.filter(({ name }) => heard.includes(name)).reduce((l, v) => serialMax(l, v.live), 0),
      floor: this.isLost ? this.highest() : 0,
      waited,
      now: this.now,
    });
    if (choice.kind === 'put') this.store = { ...this.store, inForce: choice.content };
  }

  decideSet(): void {
    const serial = serialAfterAll([this.highest(), this.store.inForce?.serial ?? 0, this.store.live], this.now);
    this.store = { ...this.store, live: serial };
    this.isLost = false;
  }

  private highest(): number {
    return this.vantages
      .flatMap(({ live, remembered }) => [live, remembered?.serial ?? 0, remembered?.lacked?.serial ?? 0])
      .reduce(serialMax, 0);
  }

  claims(): readonly Claim[] {
    return this.vantages.flatMap((vantage) => vantage.claim() ?? []);
  }
}
