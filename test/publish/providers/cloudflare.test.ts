import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CloudflareSpec, cloudflareProvider } from '../../../src/publish/providers/cloudflare.ts';
import type { CloudflareOwn } from '../../../src/publish/providers/cloudflare-batch.ts';
import { type Provider, ProviderError, type WantedSet } from '../../../src/publish/providers/provider.ts';
import { difference, type SetRules } from '../../../src/publish/providers/sets.ts';
import { ProviderTarget } from '../../../src/publish/providers/target.ts';
import { Secret } from '../../../src/system/secret.ts';
import { MockCloudflare, type MockTrouble, type MockZone } from '../../support/mock-cloudflare.ts';

const TOKEN = 'secret-token-of-forty-characters-or-more-0';
const ZONE = 'example.test';
const WWW = { name: `www.${ZONE}`, type: 'A' } as const;

let mock: MockCloudflare;
let zone: MockZone;
let clock: number;
const open: Provider<CloudflareOwn>[] = [];

beforeEach(async () => {
  mock = await MockCloudflare.start();
  mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
  zone = mock.addZone(ZONE);
  mock.addRecord(zone, { type: 'TXT', name: ZONE, content: 'unrelated' });
  clock = 0;
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((provider) => provider.close()));
  await mock.stop();
});

function provider(more: Partial<CloudflareSpec> = {}): Provider<CloudflareOwn> {
  const spec: CloudflareSpec = {
    zone: ZONE,
    zoneId: null,
    ttl: 60,
    proxied: null,
    auth: { kind: 'token', token: new Secret(TOKEN) },
    api: mock.api,
    ...more,
  };
  const made = cloudflareProvider(spec, { now: () => clock });
  open.push(made);
  return made;
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

function rules(names: readonly string[], ttl = 60): SetRules {
  return { names, types: ['A', 'AAAA'], ttl, owner: true };
}

/** Reads, and makes the names equal to the addresses; rejects with what is refused, too. */
async function publish(
  to: Provider<CloudflareOwn>,
  v4: readonly string[],
  { names = [WWW.name], v6 = [], ttl = 60 }: { names?: readonly string[]; v6?: readonly string[]; ttl?: number } = {},
): Promise<void> {
  const keys = names.flatMap((name) => [{ name, type: 'A' } as const, { name, type: 'AAAA' } as const]);
  const held = await to.read(keys, signal());
  const { corrections } = difference(rules(names, ttl), { v4, v6, unanswered: null }, held, to.extra, null);
  const [refusal] = await to.apply(corrections as Parameters<typeof to.apply>[0], signal());
  if (refusal !== undefined) throw new ProviderError('name', refusal.why);
}

/** What is there, as the API lists it. */
function stored(name: string = WWW.name, type: string = WWW.type): readonly string[] {
  return zone.records
    .filter((one) => one.name === name && one.type === type)
    .map(({ content }) => content)
    .sort();
}

async function problem(promise: Promise<unknown>): Promise<ProviderError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderError)) throw new Error('no ProviderError', { cause: error });
  expect(inspect(error, { depth: null })).not.toContain(TOKEN);
  return error;
}

describe('reading', () => {
  test('a few names are asked for one by one, and only what was asked for comes back', async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.2', ttl: 60 });
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: 60 });
    mock.addRecord(zone, { name: WWW.name, type: 'TXT', content: 'x' });
    mock.addRecord(zone, { name: `other.${ZONE}`, type: 'A', content: '192.0.2.9' });
    const held = await provider().read([WWW, { ...WWW, type: 'AAAA' }], signal());
    expect(held).toMatchObject([{ ...WWW, ttl: 60, addresses: ['192.0.2.1', '192.0.2.2'], extra: [] }]);
    expect(mock.requests.map(({ path, query }) => [path, query['name'] ?? query['name.exact']])).toEqual([
      ['/zones', ZONE],
      [`/zones/${zone.id}/dns_records`, WWW.name],
    ]);
  });

  test('of many names the addresses of the whole zone are listed, page by page', async () => {
    const names = Array.from({ length: 1200 }, (_, i) => `n${i}.${ZONE}`);
    for (const [i, name] of names.entries()) {
      mock.addRecord(zone, { name, type: 'A', content: `192.0.2.${i % 250}`, ttl: 60 });
    }
    const held = await provider().read(
      names.map((name) => ({ name, type: 'A' as const })),
      signal(),
    );
    expect(held.map(({ name }) => name)).toEqual(names);
    const asked = mock.requests.filter(({ path }) => path.endsWith('/dns_records'));
    expect(asked.map(({ query }) => `${query['type']} ${query['page']}`).sort()).toEqual([
      'A 1',
      'A 2',
      'A 3',
      'AAAA 1',
      'CNAME 1',
    ]);
  });

  test('a set of many addresses is read whole', async () => {
    const contents = Array.from({ length: 700 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    for (const content of contents) mock.addRecord(zone, { ...WWW, content, ttl: 60 });
    const [held] = await provider().read([WWW], signal());
    expect(held?.addresses).toEqual([...contents].sort());
  });

  test('records of different TTLs have none in common', async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: 60 });
    mock.addRecord(zone, { ...WWW, content: '192.0.2.2', ttl: 300 });
    expect(await provider().read([WWW], signal())).toMatchObject([{ ttl: null }]);
  });

  test('the wildcard, letters of either case, and canonical IPv6 text', async () => {
    mock.addRecord(zone, { name: `*.${ZONE}`, type: 'AAAA', content: '2001:DB8:0:0::1', ttl: 60 });
    const key = { name: `*.${ZONE}`, type: 'AAAA' } as const;
    expect(await provider().read([key], signal())).toMatchObject([{ ...key, addresses: ['2001:db8::1'] }]);
  });
});

describe('the zone', () => {
  test('is looked up once', async () => {
    const one = provider();
    await publish(one, ['192.0.2.1']);
    await publish(one, ['192.0.2.2']);
    expect(mock.requests.filter(({ path }) => path === '/zones')).toHaveLength(1);
  });

  test('is looked up anew when the API no longer knows it', async () => {
    const one = provider();
    await publish(one, ['192.0.2.1']);
    mock.zones.splice(0);
    zone = mock.addZone(ZONE);
    expect(await one.read([WWW], signal())).toEqual([]);
    await publish(one, ['192.0.2.1']);
    expect(stored()).toEqual(['192.0.2.1']);
  });

  test('that is replaced between reading and writing is a conflict, and not written to', async () => {
    const one = provider();
    await one.read([WWW], signal());
    mock.zones.splice(0);
    zone = mock.addZone(ZONE);
    const to: WantedSet = { ...WWW, ttl: 60, addresses: ['192.0.2.1'] };
    const error = await problem(one.apply([{ ...WWW, was: null, to, text: '' }], signal()));
    expect(error.problem).toBe('conflict');
    expect(zone.records).toEqual([]);
    await publish(one, ['192.0.2.1']);
    expect(stored()).toEqual(['192.0.2.1']);
  });

  test('the active one of two with the same name is taken', async () => {
    mock.addZone(ZONE, 'moved');
    mock.zones.reverse();
    await publish(provider(), ['192.0.2.1']);
    expect(stored()).toEqual(['192.0.2.1']);
  });

  test('two active ones are told apart by zone_id', async () => {
    const other = mock.addZone(ZONE);
    const error = await problem(provider().read([WWW], signal()));
    expect(error.problem).toBe('zone');
    expect(error.message).toContain(other.id);
    expect(error.message).toContain('set zone_id');
    await publish(provider({ zoneId: zone.id }), ['192.0.2.1']);
    expect([stored(), other.records]).toEqual([['192.0.2.1'], []]);
  });

  test.each([
    ['no zone of the name', { zone: 'elsewhere.test' }, /no zone elsewhere\.test/],
    ['an unknown zone_id', { zoneId: '0123456789abcdef' }, /zone_id 0123456789abcdef/],
  ])('%s', async (_, spec, text) => {
    const name = 'zone' in spec ? spec.zone : ZONE;
    const error = await problem(provider(spec).read([{ name, type: 'A' }], signal()));
    expect([error.problem, text.test(error.message)]).toEqual(['zone', true]);
  });

  test.each([true, false])(
    'zone_id of another zone is found out, whether the zone may be read (%s) or not',
    async (may) => {
      mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: may, zones: null });
      const other = mock.addZone('other.test');
      mock.addRecord(other, { type: 'A', name: 'www.other.test', content: '192.0.2.1' });
      const error = await problem(provider({ zoneId: other.id }).read([WWW], signal()));
      expect([error.problem, error.message]).toEqual(['zone', expect.stringContaining('other.test')]);
    },
  );

  test('with zone_id, a token that may only edit records does', async () => {
    mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: false, zones: [ZONE] });
    await publish(provider({ zoneId: zone.id }), ['192.0.2.1']);
    expect(stored()).toEqual(['192.0.2.1']);
    expect((await problem(provider().read([WWW], signal()))).message).toContain('Zone / Zone / Read');
  });
});

describe('applying', () => {
  test('several names and both families in one call', async () => {
    const names = [ZONE, WWW.name, `*.${ZONE}`];
    await publish(provider(), ['192.0.2.1', '192.0.2.2'], { names, v6: ['2001:db8::1'] });
    for (const name of names)
      expect([stored(name), stored(name, 'AAAA')]).toEqual([['192.0.2.1', '192.0.2.2'], ['2001:db8::1']]);
    expect(mock.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('a replaced address keeps identifier, comment and tags of its record; others are not touched', async () => {
    const was = mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: 60, comment: 'by hand', tags: ['team:a'] });
    const before = zone.records.filter(({ id }) => id !== was.id);
    await publish(provider(), ['192.0.2.9']);
    expect(zone.records.filter(({ id }) => id !== was.id)).toEqual(before);
    expect(zone.records.find(({ id }) => id === was.id)).toEqual({ ...was, content: '192.0.2.9' });
  });

  test('more than a call may hold', async () => {
    const many = (from: number): string[] => Array.from({ length: 450 }, (_, i) => `10.${from}.${i >> 8}.${i & 255}`);
    const one = provider();
    await publish(one, many(1));
    expect(stored()).toEqual(many(1).sort());
    await publish(one, many(2).slice(0, 100));
    expect(stored()).toEqual(many(2).slice(0, 100).sort());
  });

  test('a call that fails after others leaves what they did, and the rest comes with the next pass', async () => {
    const many = Array.from({ length: 450 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    let calls = 0;
    mock.beforeBatch = () => {
      calls += 1;
      if (calls === 2) mock.troubles.push({ kind: 'reset' });
    };
    const one = provider();
    expect((await problem(publish(one, many))).problem).toBe('unreachable');
    expect(stored()).toHaveLength(400);
    await publish(one, many);
    expect(stored()).toEqual([...many].sort());
  });

  test('by IPv6', async () => {
    const other = await MockCloudflare.start('::1');
    other.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
    const there = other.addZone(ZONE);
    await publish(provider({ api: other.api }), ['192.0.2.1']);
    expect(there.records.map(({ content }) => content)).toEqual(['192.0.2.1']);
    await other.stop();
  });

  test('nothing to do asks for nothing', async () => {
    const one = provider();
    await publish(one, ['192.0.2.1']);
    const asked = mock.requests.length;
    await publish(one, ['192.0.2.1']);
    expect(mock.requests.slice(asked).map(({ method }) => method)).toEqual(['GET']);
  });

  test.each([
    ['true', true, true],
    ['false', false, false],
  ])('proxied: %s is kept right', async (_, proxied, expected) => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: expected ? 60 : 1, proxied: !expected });
    const one = provider({ proxied });
    await publish(one, ['192.0.2.1', '192.0.2.2']);
    const now = zone.records.filter(({ name }) => name === WWW.name);
    expect(now.map((each) => [each.proxied, each.ttl])).toEqual(Array(2).fill([expected, expected ? 1 : 60]));
    const held = await one.read([WWW], signal());
    expect(held).toMatchObject([{ ttl: 60, extra: one.extra }]);
  });

  test('without proxied, each record stays as found and its TTL is right', async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', proxied: true });
    const one = provider();
    await publish(one, ['192.0.2.1', '192.0.2.2']);
    expect(zone.records.filter(({ name }) => name === WWW.name).map(({ proxied }) => proxied)).toEqual([true, true]);
    await publish(one, ['192.0.2.2'], { v6: ['2001:db8::1'] });
    expect(zone.records.filter(({ name }) => name === WWW.name).map(({ proxied }) => proxied)).toEqual([true, true]);
    expect(await one.read([WWW], signal())).toMatchObject([{ ttl: 60 }]);
  });

  test('the automatic TTL is held as such', async () => {
    const one = provider({ ttl: 1 });
    await publish(one, ['192.0.2.1'], { ttl: 1 });
    expect(await one.read([WWW], signal())).toMatchObject([{ ttl: 1 }]);
  });

  test('by the global key and the e-mail address', async () => {
    mock.keys.set('ops@example.test', 'global-key');
    const auth = { kind: 'key', key: new Secret('global-key'), email: 'ops@example.test' } as const;
    await publish(provider({ auth }), ['192.0.2.1']);
    expect(stored()).toEqual(['192.0.2.1']);
    const wrong = { ...auth, key: new Secret('other-key') };
    const error = await problem(provider({ auth: wrong }).read([WWW], signal()));
    expect([error.problem, error.message.includes('other-key')]).toEqual(['credentials', false]);
  });

  test('a CNAME at one name is reported, and the other names are set right', async () => {
    const alias = { type: 'CNAME', name: `alias.${ZONE}`, content: 'elsewhere.test' } as const;
    mock.addRecord(zone, alias);
    const error = await problem(publish(provider(), ['192.0.2.1'], { names: [alias.name, WWW.name] }));
    expect([error.problem, error.message]).toEqual(['name', expect.stringContaining('CNAME for elsewhere.test')]);
    expect([stored(), stored(alias.name)]).toEqual([['192.0.2.1'], []]);
  });

  test('a CNAME that came after reading is a fault of the name', async () => {
    mock.beforeBatch = () => mock.addRecord(zone, { type: 'CNAME', name: WWW.name, content: 'elsewhere.test' });
    expect((await problem(publish(provider(), ['192.0.2.1']))).problem).toBe('name');
  });

  test("a record of another of Cloudflare's products is left alone", async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.5', ttl: 60, meta: { read_only: true } });
    const error = await problem(publish(provider(), ['192.0.2.1'], { names: [WWW.name, `b.${ZONE}`] }));
    expect([error.problem, stored(), stored(`b.${ZONE}`)]).toEqual(['name', ['192.0.2.5'], ['192.0.2.1']]);
  });

  test.each(['www.elsewhere.test', `evil${ZONE}`, 'test'])(
    'the name %s outside the zone is refused unasked',
    async (name) => {
      const error = await problem(provider().read([{ name, type: 'A' }], signal()));
      expect([error.problem, mock.requests]).toEqual(['name', []]);
    },
  );
});

describe('somebody else', () => {
  test('removed a record meanwhile: a conflict, and nothing is changed', async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: 60 });
    mock.beforeBatch = () => {
      zone.records = zone.records.filter(({ name }) => name !== WWW.name);
    };
    const error = await problem(publish(provider(), ['192.0.2.7', '192.0.2.8']));
    expect([error.problem, stored()]).toEqual(['conflict', []]);
  });

  test('added the same record meanwhile: a conflict, and nothing is changed', async () => {
    mock.beforeBatch = () => mock.addRecord(zone, { ...WWW, content: '192.0.2.8', ttl: 60 });
    const error = await problem(publish(provider(), ['192.0.2.7', '192.0.2.8']));
    expect([error.problem, stored()]).toEqual(['conflict', ['192.0.2.8']]);
  });
});

const HTML = '<html>error</html>';
const refusal = (code: number, message: string): string =>
  JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null });

describe('troubles', () => {
  test.each<[string, MockTrouble, string, RegExp]>([
    ['503', { kind: 'answer', status: 503, body: HTML }, 'trouble', /status 503/],
    ['an edge of theirs without origin', { kind: 'answer', status: 522, body: HTML }, 'trouble', /status 522/],
    ['another server', { kind: 'answer', status: 200, body: HTML }, 'malformed', /is this its address/],
    ['another 404', { kind: 'answer', status: 404, body: HTML }, 'malformed', /status 404/],
    ['JSON of another kind', { kind: 'answer', status: 200, body: '[1]' }, 'malformed', /status 200/],
    ['an envelope without list', { kind: 'answer', status: 200, body: '{"success":true}' }, 'malformed', /no list/],
    [
      'an envelope with another result',
      { kind: 'answer', status: 200, body: '{"success":true,"result":{}}' },
      'malformed',
      /no list/,
    ],
    [
      'a redirect',
      { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: '' },
      'malformed',
      /302/,
    ],
    ['success: false with 200', { kind: 'answer', status: 200, body: refusal(1234, 'no') }, 'refused', /no \(1234\)/],
    [
      'a token repeated in the answer',
      { kind: 'answer', status: 403, body: refusal(9109, `bad ${TOKEN}`) },
      'credentials',
      /bad \[secret\]/,
    ],
    ['401 without words', { kind: 'answer', status: 401, body: '' }, 'credentials', /API token/],
    [
      'a refusal of great length',
      { kind: 'answer', status: 400, body: refusal(1, 'x\n'.repeat(50_000)) },
      'refused',
      /^.{1,400}$/,
    ],
    ['a connection reset', { kind: 'reset' }, 'unreachable', /broke off/],
    ['half an answer', { kind: 'half' }, 'unreachable', /broke off/],
    ['an answer without end', { kind: 'huge' }, 'malformed', /more than 4 MiB/],
  ])('%s', async (_, trouble, kind, text) => {
    mock.always = trouble;
    const one = provider();
    const error = await problem(one.read([WWW], signal()));
    expect([error.problem, error.message]).toEqual([kind, expect.stringMatching(text)]);
    mock.always = null;
    expect(await one.read([WWW], signal())).toEqual([]);
  });

  test('nobody there', async () => {
    const nobody = provider();
    await mock.stop();
    const error = await problem(nobody.read([WWW], signal()));
    expect([error.problem, error.message]).toEqual(['unreachable', expect.stringContaining('ECONNREFUSED')]);
  });

  test.each([
    ['unknown', 'x'.repeat(40)],
    ['of another form', 'short'],
    ['of characters that no field can have', 'tökén\u2026'],
  ])('a token that is %s', async (_, text) => {
    const error = await problem(provider({ auth: { kind: 'token', token: new Secret(text) } }).read([WWW], signal()));
    expect([error.problem, error.message.includes(text)]).toEqual(['credentials', false]);
  });

  test('a token that may only read is refused when it writes, with what it lacks', async () => {
    mock.tokens.set(TOKEN, { mayEdit: false, mayReadZone: true, zones: null });
    const error = await problem(publish(provider(), ['192.0.2.1']));
    expect([error.problem, error.message]).toEqual(['credentials', expect.stringContaining('Zone / DNS / Edit')]);
  });

  test.each(['read', 'apply'] as const)('%s of an API that hangs ends with the reason of the signal', async (what) => {
    const one = provider();
    const held = await one.read([WWW], signal());
    mock.always = { kind: 'hang' };
    const abort = new AbortController();
    const asked = mock.requests.length;
    const to: WantedSet = { ...WWW, ttl: 60, addresses: ['192.0.2.1'] };
    const running =
      what === 'read' ? one.read([WWW], abort.signal) : one.apply([{ ...WWW, was: null, to, text: '' }], abort.signal);
    const ended = running.catch((error: unknown) => error);
    while (mock.requests.length === asked) await setImmediate();
    const reason = new Error('stopped');
    abort.abort(reason);
    expect([held, await ended]).toEqual([[], reason]);
    await expect(one.read([WWW], abort.signal)).rejects.toBe(reason);
  });
});

describe('limits', () => {
  const tooMany = (headers: { readonly [name: string]: string }): MockTrouble => ({
    kind: 'answer',
    status: 429,
    headers,
    body: refusal(971, 'Please wait and consider throttling your request speed'),
  });

  test('429 with retry-after: nothing is asked before', async () => {
    const one = provider();
    mock.troubles.push(tooMany({ 'retry-after': '7' }));
    expect(await problem(one.read([WWW], signal()))).toMatchObject({ problem: 'limit', retryAfterMs: 7000 });
    clock = 6000;
    expect(await problem(one.read([WWW], signal()))).toMatchObject({ problem: 'limit', retryAfterMs: 1000 });
    expect(mock.requests).toHaveLength(1);
    clock = 7000;
    expect(await one.read([WWW], signal())).toEqual([]);
  });

  test('429 without retry-after takes the end of the window', async () => {
    mock.troubles.push(tooMany({ ratelimit: '"default";r=0;t=30' }));
    expect(await problem(provider().read([WWW], signal()))).toMatchObject({ problem: 'limit', retryAfterMs: 30_000 });
  });

  test('429 without any time', async () => {
    mock.troubles.push(tooMany({}));
    expect(await problem(provider().read([WWW], signal()))).toMatchObject({ problem: 'limit', retryAfterMs: null });
  });

  test.each([
    ['nothing left', '"default";r=0;t=30', 30_000],
    ['nothing left of one of several', '"default";r=50;t=30, "burst";r=0;t=2', 2000],
    ['nothing left for ever', '"default";r=0;t=999999999', 3_600_000],
    ['something left', '"default";r=1;t=30', null],
    ['more than nothing', '"default";r=05;t=30', null],
    ['no window', '"default";r=0', null],
    ['something else', 'r', null],
  ])('Ratelimit: %s', async (_, ratelimit, wait) => {
    mock.headers = { ratelimit };
    const one = provider({ zoneId: zone.id });
    const first = await one.read([WWW], signal()).catch((error: unknown) => error);
    if (wait === null) expect(first).toEqual([]);
    else expect(first).toMatchObject({ problem: 'limit', retryAfterMs: wait });
    expect(mock.requests).toHaveLength(wait === null ? 2 : 1);
  });

  test('503 with retry-after says when again', async () => {
    mock.troubles.push({ kind: 'answer', status: 503, headers: { 'retry-after': '20' }, body: '' });
    expect(await problem(provider().read([WWW], signal()))).toMatchObject({ problem: 'trouble', retryAfterMs: 20_000 });
  });
});

describe('as a target', () => {
  function target(one: Provider, live: { v4: readonly string[] }, dryRun = false): ProviderTarget {
    return new ProviderTarget({
      spec: { ...rules([WWW.name]), name: 'cloudflare', network: 'net', timeoutMs: 10_000, dryRun },
      provider: one,
      live: () => ({ v4: live.v4, v6: [], unanswered: null }),
      left: { read: async () => ({ left: null, lastRight: null }), write: () => undefined },
      log: () => undefined,
      now: () => 0,
    });
  }

  test('a batch that is carried out in part is found by reading back, and set right', async () => {
    const kept = target(provider() as Provider, { v4: ['192.0.2.1', '192.0.2.2'] });
    mock.partly = 1;
    expect(await kept.reconcile()).toMatchObject([{ code: 'provider-conflict' }]);
    expect(stored()).toEqual(['192.0.2.1']);
    mock.partly = null;
    expect(await kept.reconcile()).toEqual([]);
    expect([stored(), kept.status().state]).toEqual([['192.0.2.1', '192.0.2.2'], 'right']);
  });

  test('a conflict is read again and set right at once', async () => {
    mock.addRecord(zone, { ...WWW, content: '192.0.2.1', ttl: 60 });
    mock.beforeBatch = () => {
      zone.records = zone.records.filter(({ name }) => name !== WWW.name);
      mock.beforeBatch = null;
    };
    expect(await target(provider() as Provider, { v4: ['192.0.2.7'] }).reconcile()).toEqual([]);
    expect(stored()).toEqual(['192.0.2.7']);
  });

  test('a dry run writes nothing', async () => {
    const kept = target(provider() as Provider, { v4: ['192.0.2.7'] }, true);
    expect(await kept.reconcile()).toEqual([]);
    expect([kept.status().state, mock.requests.some(({ method }) => method !== 'GET')]).toEqual(['differs', false]);
  });
});
