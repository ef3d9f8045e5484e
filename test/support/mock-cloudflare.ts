/**
 * Cloudflare's API v4 as far as its published description goes for zones and DNS records, over real HTTP: who may do what,
 * paging, one transaction a batch in the order deletes, patches, puts, posts, and the answers to what is wrong.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type MockRecord = {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
  readonly tags: readonly string[];
  readonly meta: { readonly read_only?: boolean };
};

export type MockZone = {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'pending' | 'moved';
  records: readonly MockRecord[];
};

/** `mayReadZone` false: only the records, as a token with nothing but Zone / DNS. `zones` null: all. */
export type MockToken = {
  readonly mayEdit: boolean;
  readonly mayReadZone: boolean;
  readonly zones: readonly string[] | null;
};

export type MockRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  readonly body: unknown;
};

/** What happens to requests instead of what they ask for. */
export type MockTrouble =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: { readonly [name: string]: string };
      readonly body: string;
    }
  | { readonly kind: 'hang' | 'reset' | 'half' | 'huge' };

type ApiError = { readonly code: number; readonly message: string };
type Answer = {
  readonly status: number;
  readonly errors?: readonly ApiError[];
  readonly result?: unknown;
  readonly info?: object;
};

const BASE = '/client/v4';
const BATCH_MAX = 200;

export class MockCloudflare {
  readonly tokens = new Map<string, MockToken>();
  /** Global keys by e-mail address. */
  readonly keys = new Map<string, string>();
  readonly zones: MockZone[] = [];
  readonly requests: MockRequest[] = [];
  /** For the next requests, one each; what is in `always` meets all that follow. */
  readonly troubles: MockTrouble[] = [];
  always: MockTrouble | null = null;
  /** Header fields of every answer. */
  headers: { readonly [name: string]: string } = {};
  /** How many operations of a batch are really carried out, for a server that lies; null: all. */
  partly: number | null = null;
  /** Somebody else, just before a batch. */
  beforeBatch: (() => void) | null = null;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor() {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(host: '127.0.0.1' | '::1' = '127.0.0.1'): Promise<MockCloudflare> {
    const mock = new MockCloudflare();
    await new Promise<void>((resolve) => mock.server.listen(0, host, resolve));
    return mock;
  }

  get api(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address === '::1' ? '[::1]' : address}:${port}${BASE}`;
  }

  /** Nobody listens until what it resolves with is called; the address stays the same. */
  async refuse(): Promise<() => Promise<void>> {
    const { port } = this.server.address() as AddressInfo;
    await this.stop();
    return () => new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  addZone(name: string, status: MockZone['status'] = 'active'): MockZone {
    const zone = { id: newId(), name, status, records: [] };
    this.zones.push(zone);
    return zone;
  }

  /** Whatever is not given is as the API has it for a new record. */
  addRecord(zone: MockZone, given: Partial<MockRecord> & Pick<MockRecord, 'type' | 'name' | 'content'>): MockRecord {
    const record = { id: newId(), ttl: 1, proxied: false, comment: null, tags: [], meta: {}, ...given };
    zone.records = [...zone.records, record];
    return record;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://mock');
    const text = Buffer.concat(chunks).toString();
    const asked: MockRequest = {
      method: request.method ?? '',
      path: url.pathname.slice(BASE.length),
      query: Object.fromEntries(url.searchParams),
      body: text === '' ? null : JSON.parse(text),
    };
    this.requests.push(asked);
    const trouble = this.troubles.shift() ?? this.always;
    if (trouble !== null) {
      this.trouble(trouble, response);
      return;
    }
    const { status, errors = [], result = null, info } = this.answer(request, url.pathname, asked);
    const body = { success: errors.length === 0, errors, messages: [], result, ...(info && { result_info: info }) };
    response.writeHead(status, { 'content-type': 'application/json', ...this.headers });
    response.end(JSON.stringify(body));
  }

  private trouble(trouble: MockTrouble, response: ServerResponse): void {
    if (trouble.kind === 'hang') return;
    if (trouble.kind === 'answer') {
      response.writeHead(trouble.status, trouble.headers);
      response.end(trouble.body);
    } else if (trouble.kind === 'reset') {
      response.socket?.resetAndDestroy();
    } else if (trouble.kind === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"success":true,"errors":[],"result":[', () => response.socket?.destroy());
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.on('error', () => undefined);
      const send = (): void => {
        while (!response.destroyed && response.write('[0],'.repeat(16_384)));
        if (!response.destroyed) response.once('drain', send);
      };
      send();
    }
  }

  private answer(request: IncomingMessage, path: string, asked: MockRequest): Answer {
    const access = this.access(request);
    if ('status' in access) return access;
    if (!path.startsWith(`${BASE}/`)) return refuse(404, 7000, 'No route for that URI');
    const [collection, id, part, action, ...more] = asked.path.slice(1).split('/');
    if (collection !== 'zones' || more.length > 0) return refuse(404, 7000, 'No route for that URI');
    if (id === undefined) return asked.method === 'GET' ? this.listZones(access, asked.query) : NO_METHOD;
    const zone = this.zones.find((one) => one.id === id);
    if (zone === undefined || (access.zones !== null && !access.zones.includes(zone.name))) {
      return refuse(404, 7003, `Could not route to /zones/${id}, perhaps your object identifier is invalid?`);
    }
    if (part === undefined) return access.mayReadZone ? { status: 200, result: shownZone(zone) } : FORBIDDEN;
    if (part !== 'dns_records') return refuse(404, 7000, 'No route for that URI');
    if (action === undefined && asked.method === 'GET') return listRecords(zone, asked.query);
    if (action !== 'batch' || asked.method !== 'POST') return NO_METHOD;
    if (!access.mayEdit) return FORBIDDEN;
    this.beforeBatch?.();
    return this.batch(zone, asked.body);
  }

  private access({ headers }: IncomingMessage): MockToken | Answer {
    if (!/^\S+\/\S+$/.test(headers['user-agent'] ?? '')) return refuse(403, 1010, 'The owner has banned your access.');
    const { authorization, 'x-auth-key': key, 'x-auth-email': email } = headers;
    if (authorization !== undefined) {
      const token = /^Bearer ([A-Za-z0-9_-]{40,})$/.exec(authorization)?.[1];
      if (token === undefined) return refuse(400, 6003, 'Invalid request headers');
      return this.tokens.get(token) ?? refuse(403, 9109, 'Invalid access token');
    }
    if (typeof key === 'string' && typeof email === 'string') {
      if (this.keys.get(email) === key) return { mayEdit: true, mayReadZone: true, zones: null };
      return refuse(403, 9103, 'Unknown X-Auth-Key or X-Auth-Email');
    }
    return refuse(400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers');
  }

  private listZones(access: MockToken, query: MockRequest['query']): Answer {
    const { name, page = '1', per_page: perPage = '20', ...others } = query;
    if (Object.keys(others).length > 0 || Number(perPage) < 5 || Number(perPage) > 50) return BAD_QUERY;
    if (!access.mayReadZone) return { status: 200, ...paged([], 1, 20) };
    const shown = this.zones
      .filter((zone) => access.zones === null || access.zones.includes(zone.name))
      .filter((zone) => name === undefined || zone.name === name)
      .map(shownZone);
    return { status: 200, ...paged(shown, Number(page), Number(perPage)) };
  }

  private batch(zone: MockZone, body: unknown): Answer {
    const given = body as { readonly [operation: string]: readonly Given[] | undefined };
    const total = Object.values(given).reduce((sum, list) => sum + (list?.length ?? 0), 0);
    if (Object.keys(given).some((name) => !['deletes', 'patches', 'puts', 'posts'].includes(name)) || total === 0) {
      return refuse(400, 9207, 'Request body is invalid.');
    }
    if (total > BATCH_MAX) return refuse(400, 9207, `Batch exceeds ${BATCH_MAX} operations.`);
    let left = this.partly ?? total;
    let records = zone.records;
    const result: { [operation: string]: MockRecord[] } = { deletes: [], patches: [], puts: [], posts: [] };
    // One transaction: what fails leaves everything as it was.
    for (const operation of ['deletes', 'patches', 'puts', 'posts'] as const) {
      for (const one of given[operation] ?? []) {
        left -= 1;
        if (left < 0) continue;
        const held = operation === 'posts' ? null : records.find(({ id }) => id === one.id);
        if (held === undefined) return refuse(404, 81044, 'Record does not exist.');
        if (held?.meta.read_only === true) return refuse(400, 1043, 'This record is managed and cannot be changed.');
        if (operation === 'deletes') {
          records = records.filter((record) => record !== held);
          if (held !== null) result[operation]?.push(held);
          continue;
        }
        const next = withChanges(zone, operation === 'patches' ? held : null, held?.id ?? newId(), one);
        const others = records.filter((record) => record !== held);
        const wrong = faultOf(next, others);
        if (wrong !== null) return wrong;
        records = held === null ? [...records, next] : records.map((record) => (record === held ? next : record));
        result[operation]?.push(next);
      }
    }
    zone.records = records;
    return { status: 200, result };
  }
}

type Given = Partial<MockRecord> & { readonly [key: string]: unknown };

const FORBIDDEN = refuse(403, 10000, 'Authentication error');
const NO_METHOD = refuse(405, 7001, 'Method not available for that URI');
const BAD_QUERY = refuse(400, 9207, 'Request query is invalid.');

function refuse(status: number, code: number, message: string): Answer {
  return { status, errors: [{ code, message }] };
}

function newId(): string {
  return randomBytes(16).toString('hex');
}

function shownZone({ id, name, status }: MockZone): object {
  return { id, name, status, account: { id: 'account', name: 'Account' } };
}

function paged(
  all: readonly unknown[],
  page: number,
  perPage: number,
): { readonly result: unknown; readonly info: object } {
  const result = all.slice((page - 1) * perPage, page * perPage);
  const pages = Math.ceil(all.length / perPage);
  return {
    result,
    info: { page, per_page: perPage, count: result.length, total_count: all.length, total_pages: pages },
  };
}

function listRecords(zone: MockZone, query: MockRequest['query']): Answer {
  const { 'name.exact': name, type, page = '1', per_page: perPage = '100', ...others } = query;
  if (Object.keys(others).length > 0 || Number(perPage) < 1 || Number(perPage) > 5_000_000) return BAD_QUERY;
  const shown = zone.records
    .filter((record) => name === undefined || record.name === name.toLowerCase())
    .filter((record) => type === undefined || record.type === type);
  return { status: 200, ...paged(shown, Number(page), Number(perPage)) };
}

/** A relative name is taken below the zone; what is proxied has the TTL automatic. */
function withChanges(zone: MockZone, held: MockRecord | null, id: string, given: Given): MockRecord {
  const { type = held?.type ?? '', name = held?.name ?? '', content = held?.content ?? '' } = given;
  const lower = name.toLowerCase();
  const isBelow = lower === zone.name || lower.endsWith(`.${zone.name}`);
  const proxied = given.proxied ?? held?.proxied ?? false;
  return {
    id,
    type,
    name: isBelow ? lower : `${lower}.${zone.name}`,
    content,
    ttl: proxied ? 1 : (given.ttl ?? held?.ttl ?? 1),
    proxied,
    comment: given.comment ?? held?.comment ?? null,
    tags: given.tags ?? held?.tags ?? [],
    meta: held?.meta ?? {},
  };
}

function faultOf(record: MockRecord, others: readonly MockRecord[]): Answer | null {
  const { type, name, content, ttl } = record;
  if (type === 'A' && !/^\d+\.\d+\.\d+\.\d+$/.test(content)) {
    return refuse(400, 9005, 'Content for A record must be a valid IPv4 address.');
  }
  if (type === 'AAAA' && !content.includes(':')) {
    return refuse(400, 9006, 'Content for AAAA record must be a valid IPv6 address.');
  }
  if (ttl !== 1 && (ttl < 60 || ttl > 86_400)) {
    return refuse(400, 9021, 'Invalid TTL. Must be between 60 and 86,400 seconds, or 1 for Automatic.');
  }
  const here = others.filter((other) => other.name === name);
  if (here.some((other) => other.type === type && other.content === content)) {
    return refuse(400, 81058, 'An identical record already exists.');
  }
  if (['A', 'AAAA'].includes(type) && here.some((other) => other.type === 'CNAME')) {
    return refuse(400, 81054, 'A CNAME record with that host already exists.');
  }
  return null;
}
