/** Brings contents into force while we decide: in transactions that compare our token and the sets that were looked at. */
import { nameText, type WireName } from '../../../dns/name.ts';
import { serialClassOf } from '../../../health/agreement/decider.ts';
import { Slice } from '../../../system/yielding.ts';
import { chooseContent, READY_SECONDS, staticConflict } from '../../../zones/agreement/choose-content.ts';
import type { ContentInForce, OwnContent } from '../../../zones/agreement/content.ts';
import type { EtcdClient } from '../client/client.ts';
import type { Compare, Operation } from '../client/wire.ts';
import { type Keys, keyOf } from '../keys.ts';
import type { Leadership } from '../leadership.ts';
import type { NetworkFacts } from './network-facts.ts';
import { type ContentRecords, counterKey, printRecord, recordKey } from './records.ts';

export type ContentDeciderOptions = {
  readonly client: Pick<EtcdClient, 'txn'>;
  readonly keys: Keys;
  readonly vantage: string;
  readonly members: readonly string[];
  readonly leadership: Pick<Leadership, 'role' | 'holds'>;
  readonly records: ContentRecords;
  readonly networks: NetworkFacts;
  /** By zone: by vantage what it has, our own included. */
  readonly reports: () => ReadonlyMap<WireName, ReadonlyMap<string, OwnContent>>;
  /** Other vantages whose leases are alive. */
  readonly heard: () => ReadonlySet<string>;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly onStored: (origins: readonly WireName[]) => void;
};

/** Puts a transaction: etcd takes 128 operations of each kind. */
const BATCH = 100;
/** Networks whose sets it compares. */
const NETWORKS = 20;
const NAMED = 5;

type Waiting = { readonly since: number; why: string };
type Batch = { readonly contents: Map<WireName, ContentInForce>; readonly networks: Map<string, bigint> };

export class ContentDecider {
  private readonly options: ContentDeciderOptions;
  private readonly waiting = new Map<WireName, Waiting>();
  private conflicts: readonly string[] = [];

  constructor(options: ContentDeciderOptions) {
    this.options = options;
  }

  /** Whether something waits for time to pass. */
  get isWaiting(): boolean {
    return this.waiting.size > 0;
  }

  why(origin: WireName): string | null {
    return this.waiting.get(origin)?.why ?? null;
  }

  faults(): readonly string[] {
    const until = performance.now() - READY_SECONDS * 1000;
    const late = [...this.waiting].filter(([, { since }]) => since <= until);
    const some = late.slice(0, NAMED).map(([origin, { why }]) => `${nameText(origin)} (${why})`);
    const more = late.length > NAMED ? ` and ${late.length - NAMED} more` : '';
    const waits = late.length === 0 ? [] : [`contents of zones are not in force: ${some.join(', ')}${more}`];
    return [...waits, ...this.conflicts];
  }

  /** We do not decide any more. */
  clear(): void {
    this.waiting.clear();
    this.conflicts = [];
  }

  /** Looks at every zone of which something is reported, and stores what is due. False: etcd refused, so it ended early. */
  async pass(): Promise<boolean> {
    const { records } = this.options;
    const reports = this.options.reports();
    const slice = new Slice();
    const conflicts: string[] = [];
    let batch: Batch = { contents: new Map(), networks: new Map() };
    for (const origin of this.waiting.keys()) if (!reports.has(origin)) this.waiting.delete(origin);
    for (const [origin, own] of reports) {
      const conflict = own.size > 1 ? staticConflict(nameText(origin), own) : null;
      if (conflict !== null && conflicts.length < NAMED) conflicts.push(conflict);
      const network = networkOf(own);
      if (network !== null) {
        const setRevision = this.options.networks.setRevision(network);
        const content = this.choose(origin, network, own);
        if (content !== null) {
          records.noteSerial(content.serial);
          batch.contents.set(origin, content);
          // That of the first: another set may be stored while we rest, after a content was chosen for the one before.
          if (!batch.networks.has(network)) batch.networks.set(network, setRevision);
        }
      }
      if (batch.contents.size >= BATCH || batch.networks.size >= NETWORKS) {
        if (!(await this.store(batch))) return false;
        batch = { contents: new Map(), networks: new Map() };
      }
      if (slice.isSpent()) await slice.rest();
    }
    if (batch.contents.size > 0 && !(await this.store(batch))) return false;
    this.conflicts = conflicts;
    return true;
  }

  private choose(origin: WireName, network: string, reports: ReadonlyMap<string, OwnContent>): ContentInForce | null {
    const { members, vantage, records, networks, heard, now } = this.options;
    const since = this.waiting.get(origin)?.since ?? performance.now();
    const inForce = records.get(origin);
    const choice = chooseContent({
      members,
      voters: members.filter(
        (member) => member === vantage || (heard().has(member) && networks.hasVote(network, member)),
      ),
      reports,
      inForce,
      liveSerial: networks.liveSerial(network, origin),
      reportedLive: networks.reportedLive(network),
      serialClass: serialClassOf(members, { name: vantage, isOverride: false }),
      waited: (performance.now() - since) / 1000,
      now: now(),
    });
    if (choice.kind === 'wait') this.waiting.set(origin, { since, why: choice.why });
    else this.waiting.delete(origin);
    return choice.kind === 'put' ? choice.content : null;
  }

  /** False: nothing was stored, or it is not known; the next look says. */
  private async store({ contents, networks }: Batch): Promise<boolean> {
    const { client, keys, leadership, records, onStored, vantage } = this.options;
    const { isOurs, token } = leadership.role();
    if (!isOurs || token === null) return false;
    const sets = Array.from(networks, ([network, revision]): Compare => {
      return { key: keyOf(keys.sets, network), target: 'mod', revision };
    });
    const puts = Array.from(contents, ([origin, content]): Operation => {
      return { kind: 'put', key: recordKey(keys, origin), value: printRecord(content) };
    });
    // A request that was sent twice may be carried out late; it must not undo what came after it.
    const counter: Compare = { key: counterKey(keys), target: 'mod', revision: records.counterRevision };
    const answer = await client.txn({
      compare: [leadership.holds(token), counter, ...sets],
      success: [...puts, { kind: 'put', key: counterKey(keys), value: JSON.stringify({ v: 1, by: vantage }) }],
      failure: [],
    });
    if (!answer.ok || !answer.value.succeeded) return false;
    records.stored(contents, answer.header);
    onStored([...contents.keys()]);
    return true;
  }
}

/** The network that most of those have the zone in who have it in one. */
function networkOf(reports: ReadonlyMap<string, OwnContent>): string | null {
  const count = new Map<string, number>();
  for (const { network } of reports.values()) if (network !== null) count.set(network, (count.get(network) ?? 0) + 1);
  let most: string | null = null;
  for (const [network, vantages] of count) if (most === null || vantages > (count.get(most) ?? 0)) most = network;
  return most;
}
