/** Amazon Route 53 through AWS' own client. */
import { setTimeout as pause } from 'node:timers/promises';
import type * as Sdk from '@aws-sdk/client-route-53';
import { orAborted, within } from '../../system/deadline.ts';
import { isInDomain } from '../../system/host-name.ts';
import { type Correction, type HeldSet, type Provider, ProviderError, type Refusal, type SetKey } from './provider.ts';
import { type LoadSdk, loadSdk, openClient, type Route53Access } from './route53-client.ts';
import { type Route53Subject, route53Problem } from './route53-errors.ts';
import { changeBatches, type ListedSet, listedSets, plainName, type Weighted, weightWords } from './route53-sets.ts';

/** `zone`: absolute, lower case, without final dot. `zoneId` null: looked up by the zone's name. */
export type Route53Spec = Route53Access & {
  readonly zone: string;
  readonly zoneId: string | null;
  /** Null: simple sets. */
  readonly weighted: Weighted | null;
};

export type Route53Tools = {
  /** What becomes of a change after `apply` has ended. */
  readonly log?: (level: 'info' | 'warn', text: string) => void;
  readonly load?: LoadSdk;
  /** Milliseconds before a change is asked after for the first time; doubles up to ten times that. */
  readonly pollMs?: number;
  /** Milliseconds that `apply` waits for a change to reach all name servers. */
  readonly followMs?: number;
};

export function route53Provider(spec: Route53Spec, tools: Route53Tools = {}): Provider<ListedSet> {
  return new Route53(spec, tools);
}

const PAGE = 100;
const POLL_MS = 1000;
const FOLLOW_MS = 15_000;
/** Longer than any change takes, unless Route 53 is in trouble. */
const SPREAD_MAX_MS = 300_000;

class Route53 implements Provider<ListedSet> {
  readonly kind = 'route53';
  readonly extra: readonly string[];
  private readonly spec: Route53Spec;
  private readonly tools: Route53Tools;
  private readonly closing = new AbortController();
  private opened: Promise<Sdk.Route53Client> | null = null;
  private foundZoneId: string | null = null;
  /** By name, as last read, why it cannot have our sets. */
  private obstacles: ReadonlyMap<string, string> = new Map();
  private following: AbortController | null = null;

  constructor(spec: Route53Spec, tools: Route53Tools) {
    this.spec = spec;
    this.tools = tools;
    this.extra = weightWords(spec.weighted?.weight);
  }

  /** One request for each name that is not on the page of another: neighbours in the zone come together. */
  async read(keys: readonly SetKey[], signal: AbortSignal): Promise<readonly HeldSet<ListedSet>[]> {
    this.checkNames(keys);
    const zoneId = await this.zoneId(signal);
    const names = [...new Set(keys.map(({ name }) => name))];
    const listed = new Map<string, ListedSet>();
    const complete = new Set<string>();
    for (const name of names.sort((a, b) => (labels(a) < labels(b) ? -1 : 1))) {
      if (!complete.has(name)) await this.list(zoneId, name, listed, complete, signal);
    }
    const { held, obstacles } = listedSets([...listed.values()], keys, this.spec.weighted);
    this.obstacles = obstacles;
    return held.filter(({ name }) => !obstacles.has(name));
  }

  /** A name that cannot have our sets does not keep the others from being set right. */
  async apply(
    corrections: readonly Correction<ListedSet>[],
    signal: AbortSignal,
  ): Promise<readonly Refusal<ListedSet>[]> {
    this.checkNames(corrections);
    const possible = corrections.filter(({ name }) => !this.obstacles.has(name));
    const refused = corrections.flatMap((correction) => {
      const why = this.obstacles.get(correction.name);
      return why === undefined ? [] : [{ correction, why: `Route 53: ${why}` }];
    });
    const zoneId = await this.zoneId(signal);
    let last: string | null = null;
    for (const Changes of changeBatches(possible, this.spec.weighted)) {
      const { ChangeInfo } = await this.send(signal, (sdk, client, options) =>
        client.send(
          new sdk.ChangeResourceRecordSetsCommand({
            HostedZoneId: zoneId,
            ChangeBatch: { Comment: 'Edgewise', Changes: [...Changes] },
          }),
          options,
        ),
      );
      if (ChangeInfo?.Id === undefined) throw notUnderstood('that of a change');
      last = ChangeInfo.Status === 'INSYNC' ? null : ChangeInfo.Id;
    }
    if (last !== null) await this.follow(last, signal);
    return refused;
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('stopped'));
    const client = await this.opened?.catch(() => null);
    client?.destroy();
  }

  /** Every set of `name`, and whatever else comes on the same pages. */
  private async list(
    zoneId: string,
    name: string,
    listed: Map<string, ListedSet>,
    complete: Set<string>,
    signal: AbortSignal,
  ): Promise<void> {
    let start: Pick<
      Sdk.ListResourceRecordSetsRequest,
      'StartRecordName' | 'StartRecordType' | 'StartRecordIdentifier'
    > = {
      StartRecordName: name,
      StartRecordType: 'A',
    };
    for (;;) {
      const page = await this.send(signal, (sdk, client, options) =>
        client.send(new sdk.ListResourceRecordSetsCommand({ HostedZoneId: zoneId, MaxItems: PAGE, ...start }), options),
      );
      const { ResourceRecordSets: sets, IsTruncated: isTruncated } = page;
      if (sets === undefined || isTruncated === undefined) throw notUnderstood('a list of record sets');
      for (const set of sets) {
        listed.set([plainName(set.Name ?? ''), set.Type, set.SetIdentifier ?? ''].join(' '), set);
      }
      const next = isTruncated ? plainName(page.NextRecordName ?? '') : null;
      // Of a name that ended on this page every set is known.
      for (const { Name = '' } of sets) if (plainName(Name) !== next) complete.add(plainName(Name));
      if (next !== name) break;
      if (page.NextRecordType === undefined) throw notUnderstood('a list of record sets');
      start = {
        StartRecordName: name,
        StartRecordType: page.NextRecordType,
        ...(page.NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: page.NextRecordIdentifier }),
      };
    }
    complete.add(name);
  }

  private async zoneId(signal: AbortSignal): Promise<string> {
    const known = this.spec.zoneId ?? this.foundZoneId;
    if (known !== null) return known;
    const { zone } = this.spec;
    const { HostedZones: zones } = await this.send(signal, (sdk, client, options) =>
      client.send(new sdk.ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: PAGE }), options),
    );
    if (zones === undefined) throw notUnderstood('a list of hosted zones');
    const found = zones.filter(({ Name = '' }) => plainName(Name) === zone);
    const ids = found.map(({ Id = '', Config }) => ({ id: bareId(Id), isPrivate: Config?.PrivateZone === true }));
    const [first] = ids;
    if (first === undefined) {
      throw new ProviderError('zone', `Route 53: the account has no hosted zone ${zone}; check zone and credentials`);
    }
    if (ids.length > 1) {
      const list = ids.map(({ id, isPrivate }) => `${id} (${isPrivate ? 'private' : 'public'})`).join(', ');
      throw new ProviderError(
        'zone',
        `Route 53: there are ${ids.length} hosted zones ${zone}; choose one by zone_id: ${list}`,
      );
    }
    this.foundZoneId = first.id;
    return first.id;
  }

  /**
   * Waits until the change has reached all name servers, but not for long: the next decision must not wait for it. It is
   * followed to its end all the same, or until a later one is.
   */
  private async follow(id: string, signal: AbortSignal): Promise<void> {
    this.following?.abort(new Error('a later change is followed'));
    const mine = new AbortController();
    this.following = mine;
    const end = this.spread(id, AbortSignal.any([mine.signal, this.closing.signal]));
    end.then(
      (late) => late !== null && this.tools.log?.('warn', late),
      () => undefined,
    );
    await orAborted(
      signal,
      within(this.tools.followMs ?? FOLLOW_MS, end, () => null),
    );
  }

  /** Resolves when the change is INSYNC, with a sentence if that took too long. */
  private async spread(id: string, signal: AbortSignal): Promise<string | null> {
    const first = this.tools.pollMs ?? POLL_MS;
    const began = performance.now();
    for (let wait = first; ; wait = Math.min(wait * 2, first * 10)) {
      await pause(wait, undefined, { signal, ref: false });
      const status = await this.statusOf(id, signal);
      const seconds = Math.round((performance.now() - began) / 1000);
      if (status === 'INSYNC') return null;
      if (seconds * 1000 > SPREAD_MAX_MS) {
        return `Route 53 took change ${bareId(id)} over ${seconds} s ago and has not brought it to all its name servers`;
      }
    }
  }

  /** Null: not to be had this time. */
  private async statusOf(id: string, signal: AbortSignal): Promise<string | null> {
    try {
      const { ChangeInfo } = await this.send(signal, (sdk, client, options) =>
        client.send(new sdk.GetChangeCommand({ Id: id }), options),
      );
      return ChangeInfo?.Status ?? null;
    } catch (error) {
      const passes = ['limit', 'trouble', 'timeout', 'unreachable', 'malformed'];
      if (error instanceof ProviderError && passes.includes(error.problem)) return null;
      throw error;
    }
  }

  private async send<T>(
    signal: AbortSignal,
    ask: (sdk: typeof Sdk, client: Sdk.Route53Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    this.closing.signal.throwIfAborted();
    const load = this.tools.load ?? loadSdk;
    this.opened ??= openClient(load, this.spec).catch((error: unknown) => {
      this.opened = null; // the package may be there next time
      throw error;
    });
    const { opened } = this;
    try {
      const client = await orAborted(signal, opened);
      return await orAborted(signal, ask(await load(), client, { abortSignal: signal }));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const problem = route53Problem(error, await this.subject());
      if (problem.problem === 'zone') this.foundZoneId = null;
      throw problem;
    }
  }

  private async subject(): Promise<Route53Subject> {
    const { zone, zoneId } = this.spec;
    const client = await this.opened?.catch(() => null);
    // Answers may repeat what was signed, a session token among it.
    const found = await client?.config.credentials().catch(() => null);
    return { zone, zoneId, secrets: found ? [found.secretAccessKey, found.sessionToken ?? ''] : [] };
  }

  private checkNames(keys: readonly SetKey[]): void {
    const { zone } = this.spec;
    const outside = keys.find(({ name }) => !isInDomain(name, zone));
    if (outside !== undefined) throw new ProviderError('name', `${outside.name} is not in the zone ${zone}`);
  }
}

/** By this order names that Route 53 lists together come together: from the last label to the first. */
function labels(name: string): string {
  return name.split('.').reverse().join('.');
}

/** `/hostedzone/Z1` → `Z1` */
function bareId(id: string): string {
  return id.replace(/^\/\w+\//, '');
}

function notUnderstood(what: string): ProviderError {
  return new ProviderError('malformed', `Route 53: an answer that is not ${what}`);
}
