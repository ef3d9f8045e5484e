/** Sets of addresses at Cloudflare, by its API v4. */
import { z } from 'zod';
import { canonicalAddress } from '../../system/address.ts';
import { isInDomain } from '../../system/host-name.ts';
import { CloudflareApi, type CloudflareAuth, type CloudflareQuery } from './cloudflare-api.ts';
import {
  BATCH_MAX,
  batches,
  type CloudflareCorrection,
  type CloudflareOwn,
  type CloudflareRecord,
  changesOf,
} from './cloudflare-batch.ts';
import { type HeldSet, type Provider, ProviderError, type Refusal, type SetKey } from './provider.ts';

/** `zone`: lower case, without final dot. `ttl`: that of the sets, seconds; 1 is automatic. */
export type CloudflareSpec = {
  readonly zone: string;
  /** Cloudflare's identifier of the zone; null: looked up by its name. */
  readonly zoneId: string | null;
  readonly ttl: number;
  /** Whether Cloudflare stands between clients and the addresses; null: as found, a new name's is not. */
  readonly proxied: boolean | null;
  readonly auth: CloudflareAuth;
  /** Where the API is, without final slash. */
  readonly api: string;
};

/** Names that are asked for one by one; of more the zone's addresses are listed. */
const NAMES_ASKED_MAX = 8;
const PER_PAGE = 500;
const PAGES_MAX = 200;

const zones = z.array(z.object({ id: z.string(), name: z.string(), status: z.string().optional() }));
const oneZone = z.object({ name: z.string() });
const records = z.array(
  z.object({
    id: z.string(),
    type: z.string(),
    name: z.string(),
    content: z.string().default(''),
    ttl: z.number(),
    proxied: z.boolean().default(false),
    meta: z.object({ read_only: z.boolean().optional() }).nullish(),
  }),
);

/** `now`: milliseconds of a clock that never goes back. */
export function cloudflareProvider(
  spec: CloudflareSpec,
  { now }: { readonly now?: () => number } = {},
): Provider<CloudflareOwn> {
  const cloudflare = new Cloudflare(spec, new CloudflareApi(spec.api, spec.auth, now));
  return {
    kind: 'cloudflare',
    extra: spec.proxied === null ? [] : [proxiedWord(spec.proxied)],
    read: (keys, signal) => cloudflare.read(keys, signal),
    apply: (corrections, signal) => cloudflare.apply(corrections, signal),
    close: () => cloudflare.close(),
  };
}

function proxiedWord(proxied: boolean): string {
  return proxied ? 'proxied' : 'not proxied';
}

class Cloudflare {
  private readonly spec: CloudflareSpec;
  private readonly api: CloudflareApi;
  private zoneId: string | null = null;
  /** Names whose addresses are proxied, and those that are a CNAME, as last read. */
  private namesProxied: ReadonlySet<string> = new Set();
  private aliases: ReadonlyMap<string, string> = new Map();

  constructor(spec: CloudflareSpec, api: CloudflareApi) {
    this.spec = spec;
    this.api = api;
  }

  close(): Promise<void> {
    return this.api.close();
  }

  async read(keys: readonly SetKey[], signal: AbortSignal): Promise<readonly HeldSet<CloudflareOwn>[]> {
    const names = [...new Set(keys.map(({ name }) => name))];
    this.requireInZone(names);
    const isKnown = this.zoneId !== null;
    let found: readonly CloudflareRecord[];
    try {
      found = await this.recordsOf(names, signal);
    } catch (error) {
      // The zone may have been taken out and added again, with another identifier.
      if (!this.forgetsZone(error) || !isKnown) throw error;
      found = await this.recordsOf(names, signal);
    }
    this.namesProxied = new Set(found.filter(({ proxied }) => proxied).map(({ name }) => name));
    this.aliases = new Map(found.filter(({ type }) => type === 'CNAME').map(({ name, content }) => [name, content]));
    return keys.flatMap((key) => {
      const own = found.filter(({ name, type }) => name === key.name && type === key.type);
      return own.length === 0 ? [] : [this.heldSet(key, own)];
    });
  }

  /** A name that cannot have addresses does not keep the others from being set right. */
  async apply(
    corrections: readonly CloudflareCorrection[],
    signal: AbortSignal,
  ): Promise<readonly Refusal<CloudflareOwn>[]> {
    this.requireInZone(corrections.map(({ name }) => name));
    const proxying = { wanted: this.spec.proxied, namesProxied: this.namesProxied };
    const refused = corrections.flatMap((correction) => {
      const why = this.whyNot(correction, proxying);
      return why === null ? [] : [{ correction, why }];
    });
    const possible = corrections.filter((correction) => refused.every((one) => one.correction !== correction));
    if (possible.length === 0) return refused;
    const zone = await this.zone(signal);
    try {
      for (const body of batches(possible, proxying, BATCH_MAX)) {
        await this.api.call('POST', `/zones/${zone}/dns_records/batch`, { body }, signal);
      }
    } catch (error) {
      if (!this.forgetsZone(error)) throw error;
      throw new ProviderError('conflict', `the zone ${this.spec.zone} has another identifier than when it was read`);
    }
    return refused;
  }

  private whyNot(correction: CloudflareCorrection, proxying: Parameters<typeof changesOf>[1]): string | null {
    const { name, type } = correction;
    const alias = this.aliases.get(name);
    if (alias !== undefined) {
      return `${name} is a CNAME for ${alias} at Cloudflare, which excludes addresses: remove it there, or take the name out of names`;
    }
    const { deletes, patches } = changesOf(correction, proxying);
    const locked = correction.was?.own.records.filter(({ readOnly }) => readOnly).map(({ id }) => id) ?? [];
    if (![...deletes, ...patches].some(({ id }) => locked.includes(id))) return null;
    return `${name} ${type} is kept by another of Cloudflare's products (read-only there): take the name out of names`;
  }

  private heldSet({ name, type }: SetKey, own: readonly CloudflareRecord[]): HeldSet<CloudflareOwn> {
    // A proxied record's TTL is Cloudflare's own affair, so that any is right.
    const ttls = new Set(own.map(({ ttl, proxied }) => (proxied ? this.spec.ttl : ttl)));
    const [ttl] = ttls;
    const addresses = [...new Set(own.map(({ content }) => canonicalAddress(content) ?? content))].sort();
    const words = [...new Set(own.map(({ proxied }) => proxiedWord(proxied)))].sort();
    return {
      name,
      type,
      ttl: ttls.size === 1 && ttl !== undefined ? ttl : null,
      addresses,
      extra: this.spec.proxied === null ? [] : words,
      own: { records: own },
    };
  }

  private requireInZone(names: readonly string[]): void {
    const { zone } = this.spec;
    const outside = names.find((name) => !isInDomain(name, zone));
    if (outside === undefined) return;
    throw new ProviderError('name', `${outside} is not in the zone ${zone}: take it out of names`);
  }

  /** Everything at the names, or the addresses and CNAMEs of the whole zone. */
  private async recordsOf(names: readonly string[], signal: AbortSignal): Promise<readonly CloudflareRecord[]> {
    const zone = await this.zone(signal);
    const queries: readonly CloudflareQuery[] =
      names.length <= NAMES_ASKED_MAX
        ? names.map((name) => ({ 'name.exact': name }))
        : ['A', 'AAAA', 'CNAME'].map((type) => ({ type }));
    const lists = await Promise.all(queries.map((query) => this.list(zone, query, signal)));
    // A record moves to another page when others come and go meanwhile.
    return [...new Map(lists.flat().map((record) => [record.id, record])).values()];
  }

  private async list(zone: string, query: CloudflareQuery, signal: AbortSignal): Promise<readonly CloudflareRecord[]> {
    const found: CloudflareRecord[] = [];
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const { listed, pages } = await this.page(zone, { ...query, page, per_page: PER_PAGE }, signal);
      found.push(...listed);
      const isLast = pages === null ? listed.length < PER_PAGE : page >= pages;
      if (isLast || listed.length === 0) return found;
    }
    throw new ProviderError(
      'refused',
      `the zone has more than ${PAGES_MAX * PER_PAGE} records, which are not all read`,
    );
  }

  private async page(
    zone: string,
    query: CloudflareQuery,
    signal: AbortSignal,
  ): Promise<{ readonly listed: readonly CloudflareRecord[]; readonly pages: number | null }> {
    const { result, pages } = await this.api.call('GET', `/zones/${zone}/dns_records`, { query }, signal);
    const parsed = records.safeParse(result);
    if (!parsed.success) throw new ProviderError('malformed', 'Cloudflare answers with no list of DNS records');
    const listed = parsed.data.map(({ meta, name, id, ...rest }) => ({
      ...rest,
      id: identifier(id),
      name: plainName(name),
      readOnly: meta?.read_only === true,
    }));
    return { listed, pages };
  }

  /** Whether the API no longer knows the zone; its identifier is then looked up anew. */
  private forgetsZone(error: unknown): boolean {
    const isGone = error instanceof ProviderError && error.problem === 'zone' && this.zoneId !== null;
    if (isGone) this.zoneId = null;
    return isGone;
  }

  private async zone(signal: AbortSignal): Promise<string> {
    const { zoneId } = this.spec;
    this.zoneId ??= zoneId === null ? await this.zoneByName(signal) : await this.checkedZone(zoneId, signal);
    return this.zoneId;
  }

  private async zoneByName(signal: AbortSignal): Promise<string> {
    const { zone } = this.spec;
    const answer = await this.api.call('GET', '/zones', { query: { name: zone, per_page: 50 } }, signal);
    const parsed = zones.safeParse(answer.result);
    if (!parsed.success) throw new ProviderError('malformed', 'Cloudflare answers with no list of zones');
    const named = parsed.data.filter(({ name }) => plainName(name) === zone);
    const active = named.filter(({ status }) => status === 'active');
    const [one] = active.length === 1 ? active : named;
    if (one === undefined) {
      throw new ProviderError(
        'zone',
        `no zone ${zone} is shown to this token: check the name, and the zones that the token is for and its permission Zone / Zone / Read, or set zone_id`,
      );
    }
    if (named.length === 1 || active.length === 1) return identifier(one.id);
    const ids = named.map(({ id, status }) => `${id} (${status ?? 'no status'})`).join(', ');
    throw new ProviderError('zone', `there are ${named.length} zones ${zone}: set zone_id to one of ${ids}`);
  }

  /** A name posted to another zone would become a name below that one. */
  private async checkedZone(id: string, signal: AbortSignal): Promise<string> {
    const { zone } = this.spec;
    let name: string | null = null;
    try {
      const parsed = oneZone.safeParse((await this.api.call('GET', `/zones/${id}`, {}, signal)).result);
      if (!parsed.success) throw new ProviderError('malformed', 'Cloudflare answers with no zone');
      name = plainName(parsed.data.name);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.problem === 'zone') throw new ProviderError('zone', `zone_id ${id}: ${error.message}`);
      if (error.problem !== 'credentials') throw error;
      // A token that may edit records need not be allowed to read the zone.
      const [record] = (await this.page(id, { page: 1, per_page: 5 }, signal)).listed;
      if (record !== undefined && !isInDomain(record.name, zone)) name = record.name;
    }
    if (name === null || name === zone) return id;
    throw new ProviderError('zone', `zone_id is not that of ${zone}: ${name} is there`);
  }
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function identifier(id: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return id;
  throw new ProviderError('malformed', 'Cloudflare answers with an identifier that is none');
}
