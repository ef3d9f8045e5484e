/** Calls of the HTTP API of PowerDNS' authoritative server (doc.powerdns.com/authoritative/http-api). */
import { z } from 'zod';
import { isWithin, nameKey, nameText, parentName, type WireName } from '../../dns/name.ts';
import { jsonOf } from '../../system/json-object.ts';
import { oneLine } from '../../system/printable.ts';
import { type Secret, withoutSecrets } from '../../system/secret.ts';
import { type HttpAnswer, HttpClient, TooLargeError } from './http-client.ts';
import { ProviderError, type ProviderProblem } from './provider.ts';

/**
 * `zone`: absolute, lower case, presentation form without the final dot. `url`: of the API's server, without the path
 * `/api/v1` and without final slash. `server`: its id, `localhost` everywhere but behind a proxy for many.
 */
export type PowerdnsSpec = {
  readonly zone: string;
  readonly url: string;
  readonly server: string;
  readonly apiKey: Secret;
};

const record = z.object({ content: z.string(), disabled: z.boolean().optional() });
const rrset = z.object({
  name: z.string(),
  type: z.string(),
  ttl: z.number().optional(),
  records: z.array(record),
});
const zoneAnswer = z.object({ kind: z.string(), rrsets: z.array(rrset) });
const refusal = z.object({ error: z.string() });

/** A set as the API has it, with its disabled records where `ZoneSets.hasDisabled`. */
export type ApiSet = z.output<typeof rrset>;

/** By name, and by type. */
export type ZoneSets = ReadonlyMap<WireName, readonly ApiSet[]>;

/** What is written of a set; no record at all: it goes. Its comments stay, as long as it has a record. */
export type ApiChange = {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly records: readonly z.output<typeof record>[];
};

const QUOTED_MAX = 200;

export class PowerdnsApi {
  private readonly spec: PowerdnsSpec;
  private readonly zone: WireName;
  private readonly zoneUrl: string;
  private readonly http = new HttpClient();

  constructor(spec: PowerdnsSpec) {
    this.spec = spec;
    const zone = nameKey(spec.zone);
    if (zone === null) throw new ProviderError('name', `${spec.zone} is no domain name`);
    this.zone = zone;
    this.zoneUrl = `${this.serverUrl}/zones/${zoneId(zone)}`;
  }

  /**
   * What the zone has at the names and above them, without disabled records. One request a name, a few at a time: the
   * server is no stranger, and a zone may be huge. A server before 4.7 answers the first one with the whole zone; that is
   * all then.
   */
  async setsAt(names: readonly WireName[], signal: AbortSignal): Promise<ZoneSets> {
    const [first, ...others] = [...new Set([this.zone, ...names.flatMap((name) => this.upToZone(name))])];
    const apex = await this.zoneSets(first, signal);
    // Comments come unfiltered, as sets without records.
    const isWhole = [...apex].some(([name, sets]) => name !== first && sets.some(({ records }) => records.length > 0));
    if (isWhole) return apex;
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    try {
      const sets = await Promise.all(
        others.map(async (name) => [name, (await this.zoneSets(name, either)).get(name) ?? []] as const),
      );
      return new Map([[first, apex.get(first) ?? []], ...sets]);
    } finally {
      failed.abort();
    }
  }

  /** The whole zone, with disabled records; null: it is too large for that. */
  async wholeZone(signal: AbortSignal): Promise<ZoneSets | null> {
    try {
      return await this.zoneSets(null, signal);
    } catch (error) {
      if (error instanceof TooLargeError) return null;
      throw error;
    }
  }

  /** All at once: PowerDNS puts them into one transaction. */
  async change(sets: readonly ApiChange[], signal: AbortSignal): Promise<void> {
    const rrsets = sets.map(({ name, type, ttl, records }) =>
      records.length === 0
        ? { name, type, changetype: 'DELETE' }
        : { name, type, ttl, changetype: 'REPLACE', records: records.map((one) => ({ disabled: false, ...one })) },
    );
    const answer = await this.send('PATCH', this.zoneUrl, JSON.stringify({ rrsets }), signal);
    if (answer.status !== 200 && answer.status !== 204) throw await this.fault(answer, signal);
  }

  close(): Promise<void> {
    return this.http.close();
  }

  private get serverUrl(): string {
    return `${this.spec.url}/api/v1/servers/${encodeURIComponent(this.spec.server)}`;
  }

  /** The name and those above it, down from it to below the zone's own. */
  private upToZone(name: WireName): readonly WireName[] {
    if (!isWithin(name, this.zone)) throw new ProviderError('name', `${nameText(name)} is not in the zone`);
    return name === this.zone ? [] : [name, ...this.upToZone(parentName(name))];
  }

  /** `name` null: of the whole zone. */
  private async zoneSets(name: WireName | null, signal: AbortSignal): Promise<ZoneSets> {
    const query = name === null ? '' : `?rrset_name=${encodeURIComponent(nameText(name))}`;
    const answer = await this.send('GET', `${this.zoneUrl}${query}`, null, signal);
    if (answer.status !== 200) throw await this.fault(answer, signal);
    const parsed = zoneAnswer.safeParse(jsonOf(answer.text));
    if (!parsed.success) throw this.noApi(answer.status);
    const { kind, rrsets } = parsed.data;
    if (/^(?:slave|secondary|consumer)$/i.test(kind)) {
      const advice = 'what is written there would be lost with the next transfer: choose the primary';
      throw new ProviderError('zone', `${this.host} has the zone ${this.spec.zone} as a secondary; ${advice}`);
    }
    const sets = new Map<WireName, ApiSet[]>();
    for (const one of rrsets) {
      const owner = nameKey(one.name);
      if (owner === null) continue;
      const others = sets.get(owner);
      if (others === undefined) sets.set(owner, [one]);
      else others.push(one);
    }
    return sets;
  }

  private get host(): string {
    return new URL(this.spec.url).host;
  }

  private send(method: 'GET' | 'PATCH', url: string, body: string | null, signal: AbortSignal): Promise<HttpAnswer> {
    const key = this.spec.apiKey.reveal();
    if (!/^[\x21-\x7e]+$/.test(key)) {
      throw new ProviderError('credentials', 'the API key holds characters that none can have: was it copied whole?');
    }
    return this.http.send({ method, url, headers: { 'x-api-key': key }, body }, signal);
  }

  private async fault(answer: HttpAnswer, signal: AbortSignal): Promise<ProviderError> {
    const { host, spec } = this;
    const { status, retryAfterMs } = answer;
    const said = this.quoted(answer.text);
    const make = (problem: ProviderProblem, text: string): ProviderError =>
      new ProviderError(problem, `${host} ${text} (status ${status}${said})`, retryAfterMs);
    if (status === 401 || status === 403) return make('credentials', 'refuses the API key: it must be its api-key');
    if (status === 404) {
      const server = await this.send('GET', this.serverUrl, null, signal);
      if (server.status === 200) return make('zone', `has no zone ${spec.zone}: look at zone and url`);
      return make('refused', `has no API for a server ${spec.server}: look at url, server, and its api=yes`);
    }
    if (status === 429) return make('limit', 'takes no more requests for now');
    if (status >= 500) return make('trouble', 'is in trouble: its log says why');
    if (status >= 300 && status < 400) return make('refused', 'leads elsewhere, which is not followed: look at url');
    if (status < 300) return this.noApi(status);
    if (/out of zone/i.test(said)) return make('name', `says that a name is not in the zone ${spec.zone}`);
    if (/conflicts with|cname/i.test(said)) return make('name', 'has an alias at a name, which can have no addresses');
    return make('refused', `does not accept it for the zone ${spec.zone}`);
  }

  private noApi(status: number): ProviderError {
    const text = `${this.host} sends no answer of PowerDNS' API (status ${status}): look at url`;
    return new ProviderError('malformed', text);
  }

  /** What the server said of it, with a colon before. */
  private quoted(text: string): string {
    const parsed = refusal.safeParse(jsonOf(text));
    if (!parsed.success) return '';
    const clean = oneLine(withoutSecrets(parsed.data.error, [this.spec.apiKey]));
    return `: ${clean.length > QUOTED_MAX ? `${clean.slice(0, QUOTED_MAX)}…` : clean}`;
  }
}

/** As PowerDNS makes it: every other octet as `=2F`. */
function zoneId(zone: WireName): string {
  return nameText(zone).replace(
    /[^A-Za-z0-9._-]/g,
    (char) => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
