import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/**
 * Route 53 over real HTTP, as far as sets of records go: signatures (SigV4) are checked, batches are transactions, changes
 * are PENDING for a while, lists come in pages, and it fails on demand.
 */
export type MockSet = {
  /** Lower case, with final dot. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number | null;
  readonly values: readonly string[];
  readonly identifier: string | null;
  readonly weight: number | null;
  /** Such as `<Region>eu-west-1</Region>`: given back as it is. */
  readonly more: string;
};

export type MockZone = { readonly id: string; readonly name: string; readonly isPrivate: boolean };

/** What becomes of one request instead of an answer. A text in capitals is AWS' code of an error. */
export type MockFailure =
  | { readonly error: string; readonly status: number; readonly message?: string; readonly retryAfter?: number }
  | 'hang'
  | 'garbage'
  | 'cut xml'
  | 'empty'
  | 'huge'
  | 'reset'
  | 'half';

export const ACCESS_KEY = 'AKIDMOCKEXAMPLE';
export const SECRET_KEY = 'mock/secret+key/which-must-not-be-shown';

const DOC = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';
const RECORDS_MAX = 1000;
const CHARACTERS_MAX = 32_000;
const SKEW_MAX_MS = 300_000;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | null;

  constructor(status: number, code: string, message: string, retryAfter: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export class MockRoute53 {
  readonly zones: MockZone[] = [{ id: 'Z0EXAMPLE', name: 'example.test.', isPrivate: false }];
  /** By zone, then by name, type and identifier. */
  readonly sets = new Map<string, Map<string, MockSet>>();
  /** One for every request: `GET /2013-04-01/…`. */
  readonly requests: string[] = [];
  /** Regions that requests were signed for. */
  readonly regions = new Set<string>();
  /** Batches that were carried out, each with its actions: `DELETE www.example.test. A`. */
  readonly writes: (readonly string[])[] = [];
  /** Taken one by one, each by one request. */
  readonly failures: MockFailure[] = [];
  /** Of every request, until it is null again. */
  standing: MockFailure | null = null;
  /** Times that a change is asked after before it is INSYNC; null: never. */
  pendingPolls: number | null = 1;
  /** Sets on a page, whatever is asked for. */
  pageMax = 100;
  /** How an InvalidChangeBatch comes: as a list of messages, or as any other error. */
  batchErrorForm: 'list' | 'error' = 'list';
  sessionToken: string | null = null;
  secretKey = SECRET_KEY;
  /** Actions, such as `GetChange`, that the key may not take. */
  readonly forbidden = new Set<string>();
  /** Called just before a batch is looked at, as somebody else who is faster. */
  beforeBatch: () => void = () => undefined;
  port = 0;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly changes = new Map<string, number | null>();

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
    return this;
  }

  /** Connections are refused from here on; `start` takes the same port again. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  }

  zoneSets(id = 'Z0EXAMPLE'): Map<string, MockSet> {
    const known = this.sets.get(id) ?? new Map<string, MockSet>();
    this.sets.set(id, known);
    return known;
  }

  /** As somebody with another console. Without values: removes it. */
  put(set: Partial<MockSet> & Pick<MockSet, 'name' | 'type' | 'values'>, zone?: string): void {
    const name = `${set.name.toLowerCase().replace(/\.$/, '')}.`;
    const full: MockSet = { ttl: 60, identifier: null, weight: null, more: '', ...set, name };
    if (set.values.length === 0 && full.more === '') this.zoneSets(zone).delete(keyOf(full));
    else this.zoneSets(zone).set(keyOf(full), full);
  }

  get(name: string, type: string, identifier: string | null = null): MockSet | null {
    return this.zoneSets().get(keyOf({ name: `${name.toLowerCase()}.`, type, identifier })) ?? null;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const failure = this.failures.shift() ?? this.standing;
    try {
      if (failure !== null && typeof failure === 'object') {
        const { status, error, message = 'on demand', retryAfter = null } = failure;
        throw new Refusal(status, error, message, retryAfter);
      }
      if (failure !== null) return this.fail(failure, request.socket, response);
      this.checkSignature(request, url, body);
      response.setHeader('Content-Type', 'text/xml');
      response.end(`<?xml version="1.0"?>\n${this.result(request.method ?? 'GET', url, body)}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code, message, retryAfter } = error;
      const headers = { 'Content-Type': 'text/xml', ...(retryAfter === null ? {} : { 'Retry-After': retryAfter }) };
      response.writeHead(status, headers).end(this.errorXml(code, message));
    }
  }

  private errorXml(code: string, message: string): string {
    const id = '<RequestId>mock</RequestId>';
    return code === 'InvalidChangeBatch' && this.batchErrorForm === 'list'
      ? `<?xml version="1.0"?><InvalidChangeBatch ${DOC}><Messages><Message>${escaped(message)}</Message></Messages>${id}</InvalidChangeBatch>`
      : `<?xml version="1.0"?><ErrorResponse ${DOC}><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>${id}</ErrorResponse>`;
  }

  private fail(how: MockFailure & string, socket: Socket, response: ServerResponse): void {
    if (how === 'hang') return;
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'empty') response.end();
    else if (how === 'garbage') response.end('certainly no XML & <<< ');
    else if (how === 'cut xml')
      response.end(`<?xml version="1.0"?><ListResourceRecordSetsResponse ${DOC}><ResourceRec`);
    else if (how === 'huge') this.endless(response);
    else {
      response.writeHead(200, { 'Content-Type': 'text/xml', 'Content-Length': 1000 }).write('<?xml version="1.0"?>');
      setImmediate(() => socket.destroy());
    }
  }

  private endless(response: ServerResponse): void {
    const chunk = Buffer.alloc(65_536, 0x20);
    const more = (): void => {
      if (!response.destroyed) response.write(chunk, () => setImmediate(more));
    };
    response.on('error', () => undefined);
    more();
  }

  /** Signature Version 4, as AWS' documentation describes it. */
  private checkSignature(request: IncomingMessage, url: URL, body: Buffer): void {
    const authorization = request.headers.authorization ?? '';
    const found =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/route53\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
        authorization,
      );
    const [, key, day, region, signed, signature] = found ?? [];
    if (!key || !day || !region || !signed || !signature) {
      throw new Refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    }
    this.regions.add(region);
    if (key !== ACCESS_KEY) {
      throw new Refusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    }
    const names = signed.split(';');
    const date = String(request.headers['x-amz-date'] ?? '');
    const token = request.headers['x-amz-security-token'];
    const mustSign = ['host', 'x-amz-date', ...(token === undefined ? [] : ['x-amz-security-token'])];
    const query = [...url.searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
    const canonical = [
      request.method,
      url.pathname.split('/').map(encoded).join('/'),
      query.join('&'),
      ...names.map(
        (name) =>
          `${name}:${String(request.headers[name] ?? '')
            .trim()
            .replace(/\s+/g, ' ')}`,
      ),
      '',
      signed,
      createHash('sha256').update(body).digest('hex'),
    ].join('\n');
    const scope = `${day}/${region}/route53/aws4_request`;
    const toSign = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
    const signingKey = [day, region, 'route53', 'aws4_request'].reduce<Buffer | string>(
      (last, part) => createHmac('sha256', last).update(part).digest(),
      `AWS4${this.secretKey}`,
    );
    const right = createHmac('sha256', signingKey).update(toSign).digest('hex');
    const sorted = [...names].sort().join(';') === signed;
    if (!sorted || !mustSign.every((name) => names.includes(name)) || right !== signature || !date.startsWith(day)) {
      // As AWS does, with all that was signed.
      const message = `The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been '${canonical}'`;
      throw new Refusal(403, 'SignatureDoesNotMatch', message);
    }
    if (
      Math.abs(Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')) - Date.now()) > SKEW_MAX_MS
    ) {
      throw new Refusal(403, 'RequestExpired', 'Request has expired.');
    }
    if (this.sessionToken !== null && token !== this.sessionToken) {
      throw new Refusal(403, 'ExpiredToken', 'The security token included in the request is expired');
    }
  }

  private result(method: string, url: URL, body: Buffer): string {
    const path = url.pathname;
    if (method === 'GET' && path === '/2013-04-01/hostedzonesbyname') return this.listZones(url.searchParams);
    const change = /^\/2013-04-01\/change\/(\w+)$/.exec(path)?.[1];
    if (method === 'GET' && change !== undefined) return this.getChange(change);
    const id = /^\/2013-04-01\/hostedzone\/(\w+)\/rrset\/?$/.exec(path)?.[1];
    if (id === undefined) throw new Refusal(404, 'NotFound', `no such path ${path}`);
    const zone = this.zones.find((one) => one.id === id);
    if (zone === undefined) throw new Refusal(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
    if (method === 'GET') return this.listSets(zone, url.searchParams);
    return this.changeSets(zone, body.toString('utf8'));
  }

  private allow(action: string): void {
    if (!this.forbidden.has(action)) return;
    const who = 'arn:aws:iam::123456789012:user/edgewise';
    throw new Refusal(403, 'AccessDenied', `User: ${who} is not authorized to perform: route53:${action}`);
  }

  private listZones(query: URLSearchParams): string {
    this.allow('ListHostedZonesByName');
    const from = reversed(`${(query.get('dnsname') ?? '').replace(/\.$/, '')}.`);
    const listed = [...this.zones].sort((a, b) => (reversed(a.name) < reversed(b.name) ? -1 : 1));
    const zones = listed.filter(({ name }) => reversed(name) >= from);
    const xml = zones.map(
      ({ id, name, isPrivate }) =>
        `<HostedZone><Id>/hostedzone/${id}</Id><Name>${name}</Name><CallerReference>x</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config><ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>`,
    );
    return `<ListHostedZonesByNameResponse ${DOC}><HostedZones>${xml.join('')}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>`;
  }

  private listSets({ id }: MockZone, query: URLSearchParams): string {
    this.allow('ListResourceRecordSets');
    const name = query.get('name');
    const position = (one: Pick<MockSet, 'name' | 'type' | 'identifier'>): string =>
      [reversed(one.name), one.type, one.identifier ?? ''].join('\u0001');
    const from =
      name === null
        ? ''
        : position({
            name: `${unescaped(name).toLowerCase().replace(/\.$/, '')}.`,
            type: query.get('type') ?? '',
            identifier: query.get('identifier'),
          });
    const sets = [...this.zoneSets(id).values()].sort((a, b) => (position(a) < position(b) ? -1 : 1));
    const rest = sets.filter((one) => position(one) >= from);
    const max = Math.min(Number(query.get('maxitems') ?? 100), this.pageMax);
    const next = rest[max];
    const page = rest.slice(0, max).map(setXml).join('');
    const more =
      next === undefined
        ? '<IsTruncated>false</IsTruncated>'
        : `<IsTruncated>true</IsTruncated><NextRecordName>${octal(next.name)}</NextRecordName><NextRecordType>${next.type}</NextRecordType>${next.identifier === null ? '' : `<NextRecordIdentifier>${next.identifier}</NextRecordIdentifier>`}`;
    return `<ListResourceRecordSetsResponse ${DOC}><ResourceRecordSets>${page}</ResourceRecordSets>${more}<MaxItems>${max}</MaxItems></ListResourceRecordSetsResponse>`;
  }

  private changeSets(zone: MockZone, xml: string): string {
    this.allow('ChangeResourceRecordSets');
    this.beforeBatch();
    const changes = all(xml, 'Change').map((one) => ({ action: first(one, 'Action') ?? '', set: setFrom(one) }));
    const values = changes.flatMap(({ set }) => set.values);
    if (changes.length === 0) throw new Refusal(400, 'InvalidInput', 'no changes');
    if (values.length > RECORDS_MAX) throw invalid(`Number of records limit of ${RECORDS_MAX} exceeded.`);
    if (values.join('').length > CHARACTERS_MAX)
      throw invalid(`Number of characters limit of ${CHARACTERS_MAX} exceeded.`);
    // Everything or nothing.
    const copy = new Map(this.zoneSets(zone.id));
    for (const { action, set } of changes) carryOut(copy, zone, action, set);
    this.sets.set(zone.id, copy);
    this.writes.push(changes.map(({ action, set }) => `${action} ${set.name} ${set.type}`));
    const id = `C${this.writes.length}`;
    this.changes.set(id, this.pendingPolls);
    return `<ChangeResourceRecordSetsResponse ${DOC}>${this.changeInfo(id)}</ChangeResourceRecordSetsResponse>`;
  }

  private getChange(id: string): string {
    this.allow('GetChange');
    const left = this.changes.get(id);
    if (left === undefined) throw new Refusal(404, 'NoSuchChange', `A change with id ${id} was not found`);
    if (left !== null) this.changes.set(id, Math.max(0, left - 1));
    return `<GetChangeResponse ${DOC}>${this.changeInfo(id)}</GetChangeResponse>`;
  }

  private changeInfo(id: string): string {
    const status = this.changes.get(id) === 0 ? 'INSYNC' : 'PENDING';
    return `<ChangeInfo><Id>/change/${id}</Id><Status>${status}</Status><SubmittedAt>2026-11-29T10:00:00Z</SubmittedAt></ChangeInfo>`;
  }
}

function carryOut(sets: Map<string, MockSet>, zone: MockZone, action: string, set: MockSet): void {
  const known = sets.get(keyOf(set));
  const what = `resource record set [name='${octal(set.name)}', type='${set.type}'${set.identifier === null ? '' : `, set identifier='${set.identifier}'`}]`;
  if (action === 'DELETE') {
    if (known === undefined) throw invalid(`Tried to delete ${what} but it was not found`);
    if (plain(known) !== plain(set)) {
      throw invalid(`Tried to delete ${what} but the values provided do not match the current values`);
    }
    sets.delete(keyOf(set));
    return;
  }
  if (action !== 'CREATE' && action !== 'UPSERT') throw new Refusal(400, 'InvalidInput', `Action ${action}`);
  if (action === 'CREATE' && known !== undefined) throw invalid(`Tried to create ${what} but it already exists`);
  if (set.name !== zone.name && !set.name.endsWith(`.${zone.name}`)) {
    throw invalid(`RRSet with DNS name ${set.name} is not permitted in zone ${zone.name}`);
  }
  if (set.values.length === 0 || set.ttl === null) throw new Refusal(400, 'InvalidInput', 'Missing field');
  if (new Set(set.values).size < set.values.length) throw invalid('Duplicate Resource Record');
  if ((set.identifier === null) !== (set.weight === null))
    throw invalid(`Missing routing policy or SetIdentifier of ${set.name}`);
  for (const other of sets.values()) {
    if (other.name !== set.name || keyOf(other) === keyOf(set)) continue;
    const conflicting = `RRSet of type ${set.type} with DNS name ${set.name} is not permitted because a conflicting RRSet of type ${other.type} with the same DNS name already exists in zone ${zone.name}`;
    if (other.type === 'CNAME') throw invalid(conflicting);
    if (other.type === set.type && (other.weight === null) !== (set.weight === null)) throw invalid(conflicting);
  }
  sets.set(keyOf(set), set);
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'InvalidChangeBatch', message);
}

function keyOf({ name, type, identifier }: Pick<MockSet, 'name' | 'type' | 'identifier'>): string {
  return `${name} ${type} ${identifier ?? ''}`;
}

/** All that a DELETE must repeat. */
function plain({ ttl, values, weight, more }: MockSet): string {
  return JSON.stringify([ttl, [...values].sort(), weight, more]);
}

function setXml(set: MockSet): string {
  const { name, type, ttl, values, identifier, weight, more } = set;
  const records = values.map((value) => `<ResourceRecord><Value>${escaped(value)}</Value></ResourceRecord>`).join('');
  return [
    `<ResourceRecordSet><Name>${octal(name)}</Name><Type>${type}</Type>`,
    ...(identifier === null ? [] : [`<SetIdentifier>${identifier}</SetIdentifier>`]),
    ...(weight === null ? [] : [`<Weight>${weight}</Weight>`]),
    more,
    ...(ttl === null ? [] : [`<TTL>${ttl}</TTL>`]),
    ...(records === '' ? [] : [`<ResourceRecords>${records}</ResourceRecords>`]),
    '</ResourceRecordSet>',
  ].join('');
}

function setFrom(xml: string): MockSet {
  const number = (tag: string): number | null => {
    const text = first(xml, tag);
    return text === null ? null : Number(text);
  };
  const health = first(xml, 'HealthCheckId');
  return {
    name: `${unescaped(first(xml, 'Name') ?? '')
      .toLowerCase()
      .replace(/\.$/, '')}.`,
    type: first(xml, 'Type') ?? '',
    ttl: number('TTL'),
    values: all(xml, 'Value'),
    identifier: first(xml, 'SetIdentifier'),
    weight: number('Weight'),
    more: health === null ? '' : `<HealthCheckId>${health}</HealthCheckId>`,
  };
}

function all(xml: string, tag: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(([, text = '']) => text);
}

function first(xml: string, tag: string): string | null {
  return all(xml, tag)[0] ?? null;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** As Route 53 writes names: `*` is `\052`. */
function octal(name: string): string {
  return name.replace(/[^a-z0-9_.-]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unescaped(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

function reversed(name: string): string {
  return octal(name).split('.').reverse().join('.');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
