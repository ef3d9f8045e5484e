import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { powerdnsProvider } from '../../../src/publish/providers/powerdns.ts';
import type { Correction, Provider, SetKey } from '../../../src/publish/providers/provider.ts';
import { Secret } from '../../../src/system/secret.ts';
import { problemOf } from './conformance.ts';

const KEY = 'key-of-the-test';
const WWW: SetKey = { name: 'www.example.test', type: 'A' };
const STEP: Correction = { ...WWW, was: null, to: { ...WWW, ttl: 60, addresses: ['192.0.2.1'] }, text: '' };
const far = (): AbortSignal => AbortSignal.timeout(60_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Rrset = {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly records: readonly unknown[];
};

const servers: Server[] = [];
const providers: Provider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.close();
  for (const server of servers.splice(0)) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

async function serve(handler: Handler, address = '127.0.0.1'): Promise<number> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function start(handler: Handler, zone = 'example.test'): Promise<Provider> {
  const url = `http://127.0.0.1:${await serve(handler)}`;
  const provider = powerdnsProvider({ zone, url, server: 'localhost', apiKey: new Secret(KEY) });
  providers.push(provider);
  return provider;
}

const json =
  (value: unknown, status = 200): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
const text =
  (value: string, status: number, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, headers).end(value);
  };

/** A zone whose answers have only the sets of the name that is asked for, as PowerDNS 4.7 has it, or all, as before. */
function zone(
  rrsets: readonly Rrset[],
  filters = true,
  kind = 'Native',
): Handler & { readonly state: { readonly patches: string[]; gets: number } } {
  const state = { patches: [] as string[], gets: 0 };
  const handler: Handler = (request, response) => {
    const wanted = new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('rrset_name');
    if (request.method === 'PATCH') {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        state.patches.push(body);
        response.writeHead(204).end();
      });
      return;
    }
    state.gets++;
    const shown = rrsets.filter(({ name }) => !filters || wanted === null || name.toLowerCase() === wanted);
    json({ kind, rrsets: shown })(request, response);
  };
  return Object.assign(handler, { state });
}

describe('answers that are none, and refusals', () => {
  test.each<[string, Handler, string, RegExp]>([
    ['a page', text('<html>', 200), 'malformed', /no answer of PowerDNS' API/],
    ['an empty answer', text('', 200), 'malformed', /no answer of/],
    ['no content', text('', 204), 'malformed', /no answer of/],
    ['another JSON', json([{ id: 1 }]), 'malformed', /no answer of/],
    ['null', json(null), 'malformed', /no answer of/],
    ['sets of another form', json({ kind: 'Native', rrsets: [{ name: 5 }] }), 'malformed', /no answer of/],
    ['401', text('Unauthorized', 401), 'credentials', /refuses the API key/],
    ['403', text('', 403), 'credentials', /refuses the API key/],
    ['429', text('', 429, { 'retry-after': '7' }), 'limit', /status 429/],
    ['500', json({ error: 'database is locked' }, 500), 'trouble', /database is locked/],
    ['503', text('', 503, { 'retry-after': '7' }), 'trouble', /status 503/],
    ['405', text('', 405), 'refused', /status 405/],
    ['422 that repeats the key', json({ error: `no ${KEY} here` }, 422), 'refused', /no \[secret\] here/],
    ['422 of a megabyte', json({ error: 'x'.repeat(2 ** 20) }, 422), 'refused', /x{200}…/],
    ['a secondary', zone([], true, 'Slave'), 'zone', /as a secondary/],
    ['five megabytes', text('x'.repeat(5 * 2 ** 20), 200), 'malformed', /more than 4 MiB/],
    ['chunks without end', (_, response) => endless(response), 'malformed', /more than 4 MiB/],
    ['a reset', (request) => request.socket.resetAndDestroy(), 'unreachable', /cannot be reached, or broke off/],
    [
      'half an answer',
      (request, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"kind"', () => request.socket.destroy());
      },
      'unreachable',
      /broke off/,
    ],
    [
      'half a chunk',
      (request, response) => {
        response.writeHead(200).write('{"kind"', () => request.socket.destroy());
      },
      'unreachable',
      /broke off/,
    ],
  ])('%s', async (_, handler, problem, why) => {
    const one = await start(handler);
    const fault = await problemOf(one.read([WWW], far()));
    expect(`${fault.problem}: ${fault.message}`).toMatch(new RegExp(`^${problem}: `));
    expect(fault.message).toMatch(why);
    expect(fault.message.length).toBeLessThan(500);
    expect(fault.message).not.toContain(KEY);
  });

  test.each([
    ['7', 7000],
    ['0', 0],
    ['99999999', 3_600_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
  ])('retry-after: %s', async (field, expected) => {
    const one = await start(text('', 503, { 'retry-after': field }));
    expect((await problemOf(one.read([WWW], far()))).retryAfterMs).toBe(expected);
  });

  test('404: the zone, where there is such a server', async () => {
    const one = await start((request, response) =>
      (request.url?.endsWith('/servers/localhost') === true ? json({ id: 'localhost' }) : text('Not Found', 404))(
        request,
        response,
      ),
    );
    const fault = await problemOf(one.read([WWW], far()));
    expect(`${fault.problem}: ${fault.message}`).toMatch(/^zone: .* has no zone example\.test/);
  });

  test('404: no API, or another server', async () => {
    const fault = await problemOf((await start(text('Not Found', 404))).read([WWW], far()));
    expect(`${fault.problem}: ${fault.message}`).toMatch(/^refused: .* has no API for a server localhost/);
  });

  test.each([301, 302, 307, 308])('a redirect (%i) is not followed with the key', async (status) => {
    let asked = 0;
    const elsewhere = await serve((_, response) => {
      asked++;
      response.end();
    });
    const one = await start(text('', status, { location: `http://127.0.0.1:${elsewhere}/` }));
    expect((await problemOf(one.read([WWW], far()))).message).toMatch(/leads elsewhere/);
    expect((await problemOf(one.apply([STEP], far()))).message).toMatch(/leads elsewhere/);
    expect(asked).toBe(0);
  });

  test('octets that drip without end, end with the signal', async () => {
    const late = new AbortController();
    const one = await start((_, response) => {
      let sent = 0;
      const timer = setInterval(() => {
        response.write(' ');
        if (++sent === 10) late.abort(new Error('enough'));
      }, 5);
      response.on('close', () => clearInterval(timer));
    });
    await expect(one.read([WWW], late.signal)).rejects.toThrow('enough');
  });

  test('a key that no header can hold is said, not sent', async () => {
    let asked = 0;
    const url = `http://127.0.0.1:${await serve(() => asked++)}`;
    const one = powerdnsProvider({ zone: 'example.test', url, server: 'localhost', apiKey: new Secret('a\r\nb: c') });
    const fault = await problemOf(one.read([WWW], far()));
    expect(fault.problem).toBe('credentials');
    expect(fault.message).not.toContain('b: c');
    expect(asked).toBe(0);
    await one.close();
  });
});

describe('what a zone says', () => {
  const apex: Rrset = { name: 'example.test.', type: 'NS', ttl: 60, records: [{ content: 'ns.example.test.' }] };
  const www = (records: readonly unknown[], type = 'A', ttl = 60): Rrset => ({
    name: 'www.example.test.',
    type,
    ttl,
    records,
  });
  const at = (content: string, disabled = false): unknown => ({ content, disabled });

  test('an older server is asked for the whole zone once, however many names', async () => {
    const handler = zone([apex, www([at('192.0.2.1')])], false);
    const one = await start(handler);
    const keys = Array.from({ length: 50 }, (_, i): SetKey => ({ name: `n${i}.example.test`, type: 'A' }));
    expect(await one.read([...keys, WWW], far())).toMatchObject([{ ...WWW, ttl: 60, addresses: ['192.0.2.1'] }]);
    expect(handler.state.gets).toBe(1);
  });

  test('fifty names, both families: a request a name, and one for the zone', async () => {
    const handler = zone([apex]);
    const one = await start(handler);
    const keys = Array.from(
      { length: 100 },
      (_, i): SetKey => ({ name: `n${i >> 1}.example.test`, type: i % 2 === 0 ? 'A' : 'AAAA' }),
    );
    expect(await one.read(keys, far())).toEqual([]);
    expect(handler.state.gets).toBe(51);
  });

  test('comments, which come unfiltered as sets without records, hide nothing', async () => {
    const other: SetKey = { name: 'other.example.test', type: 'A' };
    const sets = [apex, www([at('192.0.2.1')]), { ...www([at('192.0.2.2')]), name: 'other.example.test.' }];
    const bare = sets.map((set) => ({ ...set, ttl: 0, records: [] }));
    const one = await start((request, response) => {
      const wanted = new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('rrset_name');
      const rrsets = sets.map((set, i) => (set.name === wanted ? set : bare[i]));
      json({ kind: 'Native', rrsets })(request, response);
    });
    expect(await one.read([WWW, other], far())).toMatchObject([
      { ...WWW, ttl: 60, addresses: ['192.0.2.1'] },
      { ...other, ttl: 60, addresses: ['192.0.2.2'] },
    ]);
  });

  test.each<[string, readonly Rrset[], string]>([
    ['a CNAME', [www([at('x.')], 'CNAME')], 'name'],
    ['an ALIAS', [www([at('x.')], 'ALIAS')], 'name'],
    ['a LUA record', [www([at('A "\'192.0.2.1\'"')], 'LUA')], 'name'],
    ['a delegation', [www([at('ns.')], 'NS')], 'name'],
    ['a DNAME of the zone', [{ ...apex, type: 'DNAME' }], 'name'],
    ['an address that is none', [www([at('192.0.2.256')])], 'malformed'],
    ['an address of the other family', [www([at('2001:db8::1')])], 'malformed'],
  ])('%s: no set', async (_, sets, problem) => {
    const one = await start(zone([apex, ...sets]));
    expect((await problemOf(one.read([WWW], far()))).problem).toBe(problem);
  });

  test.each<[string, readonly Rrset[], unknown]>([
    [
      'a disabled CNAME does not matter',
      [www([at('x.', true)], 'CNAME'), www([at('192.0.2.1')])],
      [{ addresses: ['192.0.2.1'] }],
    ],
    ['disabled records are not there', [www([at('192.0.2.1', true)])], []],
    ['disabled ones beside', [www([at('192.0.2.1', true), at('192.0.2.2')])], [{ addresses: ['192.0.2.2'] }]],
    ['no records', [www([])], []],
    [
      'no TTL',
      [{ name: 'WWW.Example.Test.', type: 'A', records: [{ content: '192.0.2.1' }] }],
      [{ ttl: null, ...WWW }],
    ],
  ])('%s', async (_, sets, expected) => {
    const one = await start(zone([apex, ...sets]));
    expect(await one.read([WWW], far())).toMatchObject(expected as unknown[]);
  });

  test('disabled records and comments are kept, one that is wanted is enabled', async () => {
    const handler = zone([apex, www([at('192.0.2.1', true), at('192.0.2.8', true), at('192.0.2.9')], 'A', 77)]);
    const one = await start(handler);
    const [was] = await one.read([WWW], far());
    await one.apply([{ ...STEP, was }], far());
    await one.apply([{ ...STEP, was, to: null }], far());
    const sets = handler.state.patches.map((body) => (JSON.parse(body) as { rrsets: unknown }).rrsets);
    const set = { name: 'www.example.test.', type: 'A', changetype: 'REPLACE' };
    expect(sets).toEqual([
      [{ ...set, ttl: 60, records: [at('192.0.2.1'), at('192.0.2.8', true)] }],
      [{ ...set, ttl: 77, records: [at('192.0.2.1', true), at('192.0.2.8', true)] }],
    ]);
  });

  test('a zone with a slash in its name', async () => {
    const asked: string[] = [];
    const handler = zone([]);
    const one = await start((request, response) => {
      asked.push(request.url ?? '');
      handler(request, response);
    }, '0/25.2.0.192.in-addr.arpa');
    expect(await one.read([{ name: 'a.0/25.2.0.192.in-addr.arpa', type: 'A' }], far())).toEqual([]);
    expect(asked[0]).toBe(
      '/api/v1/servers/localhost/zones/0=2F25.2.0.192.in-addr.arpa.?rrset_name=0%2F25.2.0.192.in-addr.arpa.',
    );
  });
});

test('the API at an IPv6 address', async () => {
  const port = await serve(zone([]), '::1');
  const one = powerdnsProvider({
    zone: 'example.test',
    url: `http://[::1]:${port}`,
    server: 'localhost',
    apiKey: new Secret(KEY),
  });
  providers.push(one);
  expect(await one.read([WWW], far())).toEqual([]);
});

/** Chunks as fast as they are taken, until the client has enough. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
