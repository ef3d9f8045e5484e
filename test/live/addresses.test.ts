import { describe, expect, test } from 'vitest';
import type { LiveMember } from '../../src/health/choose/decision.ts';
import { liveAddresses, withCanary } from '../../src/live/addresses.ts';

function member(edge: string, v4: string | null, v6: string | null = null): LiveMember {
  return { edge, v4, v6, why: '' };
}

function texts({ v4, v6 }: ReturnType<typeof liveAddresses>): readonly string[] {
  return [...v4, ...v6].map((octets) => octets.join('.'));
}

describe('what members publish', () => {
  test('each family in the order of the members', () => {
    const members = [member('a', '192.0.2.2', '::2'), member('b', null, '::1'), member('c', '192.0.2.1')];
    expect(texts(liveAddresses(members))).toEqual([
      '192.0.2.2',
      '192.0.2.1',
      '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2',
      '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1',
    ]);
  });

  // RFC 2181 §5: "It is meaningless for two records to ever have label, class, type and data all equal".
  test('an address that two members have stands once', () => {
    const members = [member('192.0.2.1', '192.0.2.1', '::1'), member('name.test', '192.0.2.1', '0::1')];
    expect(texts(liveAddresses(members))).toEqual(['192.0.2.1', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1']);
  });

  test('a canary stands last, in the place of its victim', () => {
    const members = [member('a', '192.0.2.1', '::1'), member('b', '192.0.2.2')];
    const canary = { zone: 'x.test', address: '192.0.2.9', victim: 'a' };
    // Nobody else answers AAAA, and the canary cannot.
    expect(texts(withCanary(members, canary))).toEqual(['192.0.2.2', '192.0.2.9', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1']);
    const both = [members[0], member('b', '192.0.2.2', '::2')];
    expect(texts(withCanary(both, canary))).toEqual(['192.0.2.2', '192.0.2.9', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2']);
    const six = { ...canary, address: '::9' };
    expect(texts(withCanary([members[0]], six))).toEqual(['192.0.2.1', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9']);
  });

  test('a canary whose address a member has, too, stands once', () => {
    const members = [member('a', '192.0.2.1'), member('name.test', '192.0.2.9')];
    const canary = { zone: 'x.test', address: '192.0.2.9', victim: 'a' };
    expect(texts(withCanary(members, canary))).toEqual(['192.0.2.9']);
  });
});
