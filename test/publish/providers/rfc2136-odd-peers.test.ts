import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Correction, SetKey } from '../../../src/publish/providers/provider.ts';
import { problemOf } from './conformance.ts';
import { SECRET } from './provider-snippets.ts';
import { axfr, type PrimaryKind, type RunningPrimary, seenSet, startPrimary } from './rfc2136-fixture.ts';
import { provider, updateKey } from './rfc2136-provider.ts';

const far = (): AbortSignal => AbortSignal.timeout(100_000);
const key = (label: string): SetKey => ({ name: `${label}.example.test`, type: 'A' });
const created = (of: SetKey, addresses: readonly string[]): Correction => ({
  ...of,
  was: null,
  to: { ...of, ttl: 60, addresses },
  text: '',
});

describe.each<PrimaryKind>(['bind', 'knot', 'powerdns'])('odd cases at %s', (kind) => {
  let primary: RunningPrimary;
  beforeAll(async () => {
    primary = await startPrimary(kind);
  });
  afterAll(() => primary?.stop());

  test.each([
    ['alias', 'alias.example.test is an alias (CNAME)'],
    ['cut', 'cut.example.test is in the zone cut.example.test'],
    ['below.cut', 'below.cut.example.test is in the zone cut.example.test'],
    // PowerDNS takes no notice of a DNAME, unless dname-processing is on.
    ...(kind === 'powerdns' ? [] : [['below.under', 'below.under.example.test is an alias (DNAME)']]),
  ])('no set can be at %s', async (label, text) => {
    const fault = await problemOf(provider(primary.port).read([key(label)], far()));
    expect(fault.problem).toBe('name');
    expect(fault.message).toContain(text);
  });

  test('a CNAME that came meanwhile is not overwritten, nor is the address dropped in silence', async () => {
    const before = await axfr(primary.port);
    const fault = await problemOf(provider(primary.port).apply([created(key('alias'), ['192.0.2.1'])], far()));
    expect(fault.problem).toBe('conflict');
    expect(await axfr(primary.port)).toEqual(before);
  });

  test('a name that a wildcard CNAME makes up can have a set', async () => {
    const one = provider(primary.port);
    expect(await one.read([key('own.aliases')], far())).toEqual([]);
    await one.apply([created(key('own.aliases'), ['192.0.2.1'])], far());
    expect(await one.read([key('own.aliases')], far())).toMatchObject([{ addresses: ['192.0.2.1'] }]);
    expect(await seenSet(primary.port, key('own.aliases'))).toEqual({ ttl: 60, addresses: ['192.0.2.1'] });
  });

  test.each([
    ['another algorithm', { key: updateKey(SECRET, 'hmac-sha512') }],
    ['another name', { key: { ...updateKey(), name: '\u0005other\0' as ReturnType<typeof updateKey>['name'] } }],
  ])('a key of %s', async (_, spec) => {
    const one = provider(primary.port, spec);
    expect((await problemOf(one.read([key('www')], far()))).problem).toBe('credentials');
    expect((await problemOf(one.apply([created(key('www'), ['192.0.2.1'])], far()))).problem).toBe('credentials');
  });

  test('without a key questions are answered, updates are not', async () => {
    const one = provider(primary.port, { key: null });
    expect(await one.read([key('www')], far())).toEqual([]);
    const fault = await problemOf(one.apply([created(key('www'), ['192.0.2.1'])], far()));
    expect(`${fault.problem}: ${fault.message}`).toMatch(
      /^credentials: .* (?:refuses updates of example\.test from here|takes no unsigned updates of example\.test)/,
    );
  });

  test('a hundred names with sixty addresses each, more than a message holds', async () => {
    const one = provider(primary.port);
    const addresses = Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 100}`).sort();
    const keys = Array.from({ length: 100 }, (_, i) => key(`n${i}`));
    await one.apply(
      keys.map((of) => created(of, addresses)),
      far(),
    );
    const held = await one.read(keys, far());
    expect(held).toHaveLength(keys.length);
    for (const set of held) expect(set.addresses).toEqual(addresses);
    await one.apply(
      held.map((was) => ({ ...was, was, to: null, text: '' })),
      far(),
    );
    expect(await one.read(keys, far())).toEqual([]);
  });
});
