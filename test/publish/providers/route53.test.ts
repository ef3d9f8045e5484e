import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Correction, HeldSet, ProviderProblem, WantedSet } from '../../../src/publish/providers/provider.ts';
import { ProviderError } from '../../../src/publish/providers/provider.ts';
import { type Route53Spec, type Route53Tools, route53Provider } from '../../../src/publish/providers/route53.ts';
import { type LoadSdk, loadSdk } from '../../../src/publish/providers/route53-client.ts';
import type { ListedSet } from '../../../src/publish/providers/route53-sets.ts';
import { useAwsEnvironment } from '../../support/aws-environment.ts';
import { type MockFailure, MockRoute53 } from '../../support/mock-route53.ts';

let mock: MockRoute53;
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  useAwsEnvironment();
  mock = await new MockRoute53().start();
  closing = [() => mock.stop()];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

function provider(given: Partial<Route53Spec> = {}, tools: Route53Tools = {}): ReturnType<typeof route53Provider> {
  const spec = { zone: 'example.test', zoneId: 'Z0EXAMPLE', region: 'us-east-1', profile: null, weighted: null };
  const made = route53Provider({ ...spec, api: mock.url, ...given }, { pollMs: 2, ...tools });
  closing.push(() => made.close());
  return made;
}

const WWW = { name: 'www.example.test', type: 'A' } as const;
const never = new AbortController().signal;

function wanted(addresses: readonly string[], name: string = WWW.name): WantedSet {
  return { name, type: 'A', ttl: 60, addresses };
}

function step(was: HeldSet<ListedSet> | null, to: WantedSet | null, key = to ?? WWW): Correction<ListedSet> {
  return { name: key.name, type: key.type, was, to, text: 'a step' };
}

async function problemOf(pending: Promise<unknown>): Promise<ProviderError> {
  const error = await pending.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

describe('the zone', () => {
  test('is looked up by its name, once', async () => {
    mock.zones.unshift({ id: 'Z1', name: 'a.example.test.', isPrivate: false });
    mock.zones.push({ id: 'Z2', name: 'test.', isPrivate: false }, { id: 'Z3', name: 'zz.test.', isPrivate: false });
    const made = provider({ zoneId: null });
    await made.read([WWW], never);
    await made.read([WWW], never);
    expect(mock.requests.map((line) => line.split('?')[0])).toEqual([
      'GET /2013-04-01/hostedzonesbyname',
      'GET /2013-04-01/hostedzone/Z0EXAMPLE/rrset',
      'GET /2013-04-01/hostedzone/Z0EXAMPLE/rrset',
    ]);
  });

  test('a private one alone is taken', async () => {
    mock.zones.splice(0, 1, { id: 'ZPRIVATE', name: 'example.test.', isPrivate: true });
    mock.put({ ...WWW, values: ['192.0.2.1'] }, 'ZPRIVATE');
    expect(await provider({ zoneId: null }).read([WWW], never)).toHaveLength(1);
  });

  test('two of a name want zone_id', async () => {
    mock.zones.push({ id: 'ZPRIVATE', name: 'example.test.', isPrivate: true });
    const { problem, message } = await problemOf(provider({ zoneId: null }).read([WWW], never));
    expect(problem).toBe('zone');
    expect(message).toBe(
      'Route 53: there are 2 hosted zones example.test; choose one by zone_id: Z0EXAMPLE (public), ZPRIVATE (private)',
    );
    expect(await provider({ zoneId: 'ZPRIVATE' }).read([WWW], never)).toEqual([]);
  });

  test('one that went away is looked up again', async () => {
    const made = provider({ zoneId: null });
    await made.read([WWW], never);
    mock.zones.splice(0, 1, { id: 'ZNEW', name: 'example.test.', isPrivate: false });
    expect((await problemOf(made.read([WWW], never))).problem).toBe('zone');
    expect(await made.read([WWW], never)).toEqual([]);
  });

  test('an unknown zone_id', async () => {
    const { problem, message } = await problemOf(provider({ zoneId: 'ZOTHER' }).read([WWW], never));
    expect(problem).toBe('zone');
    expect(message).toContain('ZOTHER');
  });
});

describe('reading', () => {
  test('names that are neighbours come with one request, others with one each', async () => {
    for (let i = 0; i < 40; i++) mock.put({ name: `n${i}.example.test`, type: 'A', values: ['192.0.2.1'] });
    const names = Array.from({ length: 40 }, (_, i) => ({ name: `n${i}.example.test`, type: 'A' as const }));
    const made = provider();
    expect(await made.read(names, never)).toHaveLength(40);
    expect(mock.requests).toHaveLength(1);
    mock.requests.length = 0;
    mock.pageMax = 7;
    expect(await made.read([...names].reverse(), never)).toHaveLength(40);
    expect(mock.requests.length).toBeLessThanOrEqual(8);
  });

  test('a name with more sets than a page has is read to its end', async () => {
    mock.pageMax = 2;
    for (let i = 0; i < 9; i++) {
      mock.put({ ...WWW, values: [`192.0.2.${i}`], identifier: `other${i}`, weight: 10 });
      mock.put({ ...WWW, type: 'AAAA', values: [`2001:db8::${i}`], identifier: `other${i}`, weight: 10 });
    }
    mock.put({ ...WWW, values: ['192.0.2.99'], identifier: 'www', weight: 0 });
    const held = await provider({ weighted: { setIdentifier: null, weight: 0 } }).read(
      [WWW, { ...WWW, type: 'AAAA' }],
      never,
    );
    expect(held).toMatchObject([{ ...WWW, addresses: ['192.0.2.99'], extra: ['weight 0'] }]);
  });

  const other = { ...WWW, identifier: 'other', values: ['192.0.2.1'] } as const;
  const alias =
    '<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>lb.test.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>';
  test.each([
    ['a CNAME', { ...WWW, type: 'CNAME', values: ['a.test.'] }, null, /has a CNAME record/],
    ['an alias', { ...WWW, values: [], ttl: null, more: alias }, null, /is an alias/],
    ['sets of an identifier', { ...other, weight: 5 }, null, /a simple set cannot be beside/],
    ['a simple set where ours is weighted', { ...WWW, values: ['192.0.2.1'] }, 'w', /a weighted one cannot be beside/],
    ['another policy', { ...other, more: '<Region>eu-west-1</Region>' }, 'w', /another routing policy/],
    [
      'our weighted set as an alias',
      { ...other, identifier: 'w', weight: 1, values: [], more: alias },
      'w',
      /"w" is an alias/,
    ],
  ] as const)(
    '%s at a name is named, and keeps no other name from being set right',
    async (_, set, identifier, message) => {
      mock.put(set);
      const weighted = identifier === null ? null : { setIdentifier: identifier, weight: 1 };
      const made = provider({ weighted });
      expect(await made.read([WWW, { ...WWW, name: 'cloud.example.test' }], never)).toEqual([]);
      const before = [...mock.zoneSets().values()];
      const steps = [step(null, wanted(['192.0.2.7'])), step(null, wanted(['192.0.2.7'], 'cloud.example.test'))];
      expect(await made.apply(steps, never)).toEqual([
        { correction: steps[0], why: expect.stringMatching(message) as string },
      ]);
      expect(mock.get('cloud.example.test', 'A', identifier)?.values).toEqual(['192.0.2.7']);
      expect([...mock.zoneSets().values()].filter(({ name }) => name === 'www.example.test.')).toEqual(before);
    },
  );
});

describe('changes', () => {
  test('are one transaction, and what it was is deleted to the letter', async () => {
    mock.put({ ...WWW, type: 'AAAA', values: ['2001:DB8:0::0001'] });
    mock.put({ ...WWW, values: ['192.0.2.1', '192.0.2.2'] });
    const made = provider();
    const [a = null, aaaa = null] = await made.read([WWW, { ...WWW, type: 'AAAA' }], never);
    expect(aaaa?.addresses).toEqual(['2001:db8::1']);
    await made.apply([step(a, wanted(['192.0.2.1'])), step(aaaa, null, { ...WWW, type: 'AAAA' } as never)], never);
    expect(mock.writes).toEqual([
      ['DELETE www.example.test. A', 'CREATE www.example.test. A', 'DELETE www.example.test. AAAA'],
    ]);
    expect(mock.get(WWW.name, 'A')?.values).toEqual(['192.0.2.1']);
  });

  test('weighted: others of the name stay, and so does the health check of ours', async () => {
    const health = '<HealthCheckId>11111111-2222-3333-4444-555555555555</HealthCheckId>';
    mock.put({ ...WWW, values: ['192.0.2.1'], identifier: 'www', weight: 9, more: health });
    mock.put({ ...WWW, values: ['192.0.2.8'], identifier: 'someone', weight: 3 });
    const made = provider({ weighted: { setIdentifier: null, weight: 0 } });
    const [was = null] = await made.read([WWW], never);
    expect(was?.extra).toEqual(['weight 9']);
    await made.apply([step(was, wanted(['192.0.2.2']))], never);
    expect(mock.get(WWW.name, 'A', 'www')).toMatchObject({ values: ['192.0.2.2'], weight: 0, more: health });
    expect(mock.get(WWW.name, 'A', 'someone')?.values).toEqual(['192.0.2.8']);
  });

  test('more than a batch may hold are several', async () => {
    const many = Array.from({ length: 400 }, (_, i) => `192.0.${2 + (i >> 8)}.${i & 255}`);
    const steps = ['a', 'b', 'c', 'd', 'e'].map((label) => step(null, wanted(many, `${label}.example.test`)));
    await provider().apply(steps, never);
    expect(mock.writes.map((changes) => changes.length)).toEqual([2, 2, 1]);
    expect([...mock.zoneSets().values()].every(({ values }) => values.length === 400)).toBe(true);
  });

  test.each(['list', 'error'] as const)('somebody who was faster wins (errors as %s)', async (form) => {
    mock.batchErrorForm = form;
    mock.put({ ...WWW, values: ['192.0.2.1'] });
    const made = provider();
    const [was = null] = await made.read([WWW], never);
    const late = step(was, wanted(['192.0.2.2']));
    mock.beforeBatch = () => mock.put({ ...WWW, values: ['192.0.2.66'] });
    const { problem, message } = await problemOf(made.apply([late], never));
    expect(problem).toBe('conflict');
    expect(message).toContain('do not match the current values');
    expect(mock.get(WWW.name, 'A')?.values).toEqual(['192.0.2.66']);
    mock.beforeBatch = () => mock.put({ ...WWW, values: [] });
    expect((await problemOf(made.apply([late], never))).message).toContain('was not found');
    mock.beforeBatch = () => mock.put({ ...WWW, values: ['192.0.2.3'] });
    expect((await problemOf(made.apply([step(null, wanted(['192.0.2.2']))], never))).message).toContain(
      'already exists',
    );
  });

  test.each(['list', 'error'] as const)('a CNAME that came meanwhile is told as one (errors as %s)', async (form) => {
    mock.batchErrorForm = form;
    mock.put({ ...WWW, type: 'CNAME', values: ['a.test.'] });
    const { problem } = await problemOf(provider().apply([step(null, wanted(['192.0.2.2']))], never));
    expect(problem).toBe('name');
  });

  test('are followed until they are INSYNC', async () => {
    mock.pendingPolls = 4;
    await provider().apply([step(null, wanted(['192.0.2.1']))], never);
    expect(mock.requests.filter((line) => line.startsWith('GET /2013-04-01/change/C1'))).toHaveLength(4);
  });

  test('that stay PENDING hold up nothing for long, and are followed further', async () => {
    mock.pendingPolls = null;
    const made = provider({}, { followMs: 30 });
    await made.apply([step(null, wanted(['192.0.2.1']))], never);
    const asked = (): number => mock.requests.filter((line) => line.includes('/change/C1')).length;
    const before = asked();
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(before);
    // The next one takes its place.
    const [was = null] = await made.read([WWW], never);
    await made.apply([step(was, wanted(['192.0.2.2']))], never);
    await expect.poll(() => mock.requests.some((line) => line.includes('/change/C2')), { timeout: 20_000 }).toBe(true);
    expect(mock.get(WWW.name, 'A')?.values).toEqual(['192.0.2.2']);
  });

  test('what cannot be asked after is in trouble, or not to be had this time', async () => {
    mock.forbidden.add('GetChange');
    const first = await problemOf(provider().apply([step(null, wanted(['192.0.2.1']))], never));
    expect(first.problem).toBe('credentials');
    expect(first.message).toContain('route53:GetChange');
    mock.forbidden.clear();
    const made = provider();
    mock.beforeBatch = () => {
      for (let i = 0; i < 4; i++) mock.failures.push({ error: 'ServiceUnavailable', status: 503 });
    };
    await made.apply([step(null, wanted(['192.0.2.1'], 'cloud.example.test'))], never);
    expect(mock.failures).toEqual([]);
  });

  test('given up, nothing is written late', async () => {
    mock.standing = 'hang';
    const abort = new AbortController();
    const pending = provider().apply([step(null, wanted(['192.0.2.1']))], abort.signal);
    await expect.poll(() => mock.requests.length, { timeout: 20_000 }).toBe(1);
    abort.abort(new Error('given up'));
    await expect(pending).rejects.toThrow('given up');
    mock.standing = null;
    await provider().read([WWW], never);
    expect(mock.writes).toEqual([]);
  });
});

describe('what fails', () => {
  test.each(['Throttling', 'ThrottlingException', 'PriorRequestNotComplete'])('%s is tried again', async (error) => {
    mock.failures.push({ error, status: 400 }, { error, status: 400 });
    await provider().apply([step(null, wanted(['192.0.2.1']))], never);
    expect(mock.writes).toHaveLength(1);
  });

  test.each<[string, MockFailure, ProviderProblem, string]>([
    ['Throttling for long', { error: 'Throttling', status: 400 }, 'limit', 'asked too often'],
    ['PriorRequestNotComplete for long', { error: 'PriorRequestNotComplete', status: 400 }, 'limit', 'asked too often'],
    ['503', { error: 'ServiceUnavailable', status: 503 }, 'trouble', 'status 503'],
    ['500', { error: 'InternalFailure', status: 500 }, 'trouble', 'status 500'],
    [
      'AccessDenied',
      { error: 'AccessDenied', status: 403, message: 'User: x is not authorized' },
      'credentials',
      'docs/providers.md',
    ],
    ['InvalidClientTokenId', { error: 'InvalidClientTokenId', status: 403 }, 'credentials', 'AWS_ACCESS_KEY_ID'],
    [
      'an unknown refusal',
      { error: 'InvalidInput', status: 400, message: 'because' },
      'refused',
      'InvalidInput: because',
    ],
    ['garbage', 'garbage', 'malformed', 'cannot be understood'],
    ['XML that ends early', 'cut xml', 'malformed', 'cannot be understood'],
    ['an empty answer', 'empty', 'malformed', 'not a list of record sets'],
    ['an endless answer', 'huge', 'malformed', '4194304 octets'],
    ['a reset', 'reset', 'unreachable', 'nobody answers'],
    ['half an answer', 'half', 'unreachable', 'nobody answers'],
  ])('%s', async (_, failure, problem, text) => {
    mock.standing = failure;
    const fault = await problemOf(provider().read([WWW], never));
    expect(fault.message).toContain(text);
    expect(fault.problem).toBe(problem);
    expect(fault.message).not.toContain('\n');
    mock.standing = null;
    expect(await provider().read([WWW], never)).toEqual([]);
  });

  test('nobody there', async () => {
    await mock.stop();
    expect((await problemOf(provider().read([WWW], never))).problem).toBe('unreachable');
  });

  test('no credentials at all', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    const { problem, message } = await problemOf(provider().read([WWW], never));
    expect(problem).toBe('credentials');
    expect(message).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
    expect(mock.requests).toEqual([]);
  });

  test('a session token is sent, and shown to nobody when it is refused', async () => {
    process.env['AWS_SESSION_TOKEN'] = 'secret-session-token';
    mock.sessionToken = 'secret-session-token';
    expect(await provider().read([WWW], never)).toEqual([]);
    mock.sessionToken = 'newer';
    const expired = await problemOf(provider().read([WWW], never));
    expect([expired.problem, expired.message]).toEqual(['credentials', expect.stringContaining('has expired')]);
    mock.standing = { error: 'Strange', status: 400, message: 'was: secret-session-token' };
    const strange = await problemOf(provider().read([WWW], never));
    expect(strange.message).toContain('[secret]');
    expect(`${strange.message}${strange.stack}`).not.toContain('secret-session-token');
  });

  test('without the package it says how to get it, and tries again later', async () => {
    let isThere = false;
    const load: LoadSdk = async () => {
      if (isThere) return await loadSdk();
      throw new Error('Cannot find package');
    };
    const made = provider({}, { load });
    const { problem, message } = await problemOf(made.read([WWW], never));
    expect(problem).toBe('refused');
    expect(message).toContain('npm install @aws-sdk/client-route-53');
    isThere = true;
    expect(await made.read([WWW], never)).toEqual([]);
  });
});
