import { describe, expect, test, vi } from 'vitest';
import { nameKey, nameText, ROOT, type WireName } from '../../../src/dns/name.ts';
import { TRANSPORT, type Transport } from '../../../src/server/answer/front-end.ts';
import { KIND } from '../../../src/server/answer/outcome.ts';
import { ZoneTable } from '../../../src/server/answer/zone-table.ts';
import { sumStats } from '../../../src/server/stats.ts';
import { encodeQuery, type QuerySpec } from '../../support/dns-query.ts';
import { TestResponder } from '../../support/dns-responder.ts';
import { imageOf, zoneUpdate } from '../../support/zone-images.ts';

const SOA = '@ 300 SOA ns host 7 1 2 3 60\n@ 300 NS ns\nns 300 A 192.0.2.1\n';
const PARENT = {
  origin: 'parent.test',
  text: `${SOA}child NS ns.child\nns.child A 192.0.2.9\nchild DS 1 8 2 ${'AB'.repeat(32)}\nalias CNAME child\n`,
};
const CHILD = { origin: 'child.parent.test', text: `${SOA}www A 192.0.2.80\nup CNAME ns.parent.test.\nself CNAME @\n` };

function key(text: string): WireName {
  const name = nameKey(text);
  if (name === null) throw new Error(text);
  return name;
}

describe('parent and child zone side by side', () => {
  const responder = new TestResponder([PARENT, CHILD]);

  // RFC 4035 §3.1.4.1: DS is the parent's to answer; RFC 2181 §6.1: NS and all else at the apex are the child's.
  test.each([
    ['the child’s data', 'www.child.parent.test', 'A', true, 1, 'child.parent.test.'],
    ['NS of the child’s apex', 'child.parent.test', 'NS', true, 1, 'child.parent.test.'],
    ['DS of the child', 'child.parent.test', 'DS', true, 1, 'parent.test.'],
    ['DS below the child’s apex', 'www.child.parent.test', 'DS', true, 0, 'child.parent.test.'],
    ['DS of the parent, whose parent is not here', 'parent.test', 'DS', true, 0, 'parent.test.'],
  ])('%s', (_, name, type, aa, answers, zone) => {
    const answering = vi.spyOn(responder.responder.zones, 'answering');
    const message = responder.ask({ name, type });
    expect([message.rcode, message.aa, message.answer.length]).toEqual(['NOERROR', aa, answers]);
    if (answers === 0) expect(message.authority[0].owner).toBe(zone);
    expect(nameText(answering.mock.results.at(-1)?.value?.origin ?? ROOT)).toBe(zone);
  });

  // RFC 1034 §4.3.2 step 3a: the query starts again at step 1, among all zones.
  test('an alias from one zone into another', () => {
    const { answer, aa } = responder.ask({ name: 'up.child.parent.test' });
    expect(answer.map(({ owner, type }) => `${owner} ${type}`)).toEqual([
      'up.child.parent.test. CNAME',
      'ns.parent.test. A',
    ]);
    expect(aa).toBe(true);
  });

  test.each(['alias.parent.test', 'self.child.parent.test'])('DS of an alias for the child, %s', (name) => {
    const { answer } = responder.ask({ name, type: 'DS' });
    expect(answer.map(({ owner, type }) => `${owner} ${type}`)).toEqual([`${name}. CNAME`, 'child.parent.test. DS']);
    expect(responder.ask({ name, type: 'SOA' }).answer[1].text).toContain('ns.child.parent.test.');
  });

  // RFC 9432 §7: what a catalog holds is for those who may transfer it.
  test('an alias leads into no catalog', () => {
    const catalog = new TestResponder([{ ...CHILD, text: `${SOA}way CNAME a.zones.catalog.test.\n` }]);
    const image = imageOf({ origin: 'catalog.test', text: `${SOA}a.zones TXT "secret"\n` });
    const origin = key('catalog.test');
    catalog.responder.apply([{ kind: 'zone', zone: 1, origin, image, slot: -1, network: 1, catalog: true }]);
    const { rcode, answer, authority } = catalog.ask({ name: 'way.child.parent.test', type: 'TXT' });
    expect([rcode, answer.map(({ type }) => type), authority]).toEqual(['NOERROR', ['CNAME'], []]);
  });

  test('without the child’s zone its names are a referral', () => {
    const alone = new TestResponder([PARENT, CHILD]);
    alone.responder.apply([{ kind: 'gone', zone: 1 }]);
    const { aa, authority, additional } = alone.ask({ name: 'www.child.parent.test' });
    expect([aa, authority[0].type, additional[0].text]).toEqual([false, 'NS', '192.0.2.9']);
    // RFC 1035 §4.1.1: AA is about the first owner of the answer, here the alias.
    const alias = alone.ask({ name: 'alias.parent.test' });
    expect([alias.aa, alias.answer[0].type, alias.authority[0].type]).toEqual([true, 'CNAME', 'NS']);
  });
});

// Each is an RRset of its own, and so may be the first that does not fit.
test('signatures that do not all fit are marked as truncated', () => {
  const signature = Buffer.alloc(256, 1).toString('base64');
  const rows = ['A', 'TXT', 'MX'].map(
    (type) => `host 60 RRSIG ${type} 8 3 60 20300101000000 20200101000000 1 signed.test. ${signature}\n`,
  );
  const text = `@ 60 SOA ns h 1 1 1 1 1\n@ 60 NS ns.signed.test.\nns 60 A 192.0.2.1\n${rows.join('')}`;
  const signed = new TestResponder([{ origin: 'signed.test', text }]);
  const seen = (spec: Partial<QuerySpec>, transport?: Transport): unknown => {
    const { tc, answer } = signed.ask({ name: 'host.signed.test', type: 'RRSIG', ...spec }, transport);
    return [tc, answer.length];
  };
  expect(seen({})).toEqual([true, 1]);
  expect(seen({ edns: { size: 900 } })).toEqual([true, 2]);
  expect(seen({ edns: { size: 1232 } })).toEqual([false, 3]);
  expect(seen({}, TRANSPORT.tcp)).toEqual([false, 3]);
});

describe('chains of aliases', () => {
  const links = Array.from({ length: 12 }, (_, i) => `c${i} CNAME c${i + 1}\n`).join('');
  const text = `${SOA}${links}c12 A 192.0.2.12\nin CNAME a\na CNAME b\nb CNAME a\n`;
  const responder = new TestResponder([{ origin: 'zone.test', text }]);

  // RFC 1034 §3.6.2
  test('a loop that the question is no part of has each link once', () => {
    const { answer } = responder.ask({ name: 'in.zone.test' });
    expect(answer.map(({ owner, text: to }) => `${owner} ${to}`)).toEqual([
      'in.zone.test. a.zone.test.',
      'a.zone.test. b.zone.test.',
      'b.zone.test. a.zone.test.',
    ]);
  });

  test('a dozen links are followed', () => {
    const { answer } = responder.ask({ name: 'c0.zone.test' });
    expect([answer.length, answer[12].text]).toEqual([13, '192.0.2.12']);
  });
});

// RFC 1035 §4.1.4: nothing points to what was taken back.
test('additional data that does not fit leaves no name behind', () => {
  const many = Array.from({ length: 40 }, (_, i) => `a.hosts A 192.0.2.${i}\n`).join('');
  const text = `${SOA}s SRV 1 1 1 a.hosts\ns SRV 2 1 1 b.hosts\n${many}b.hosts A 192.0.2.99\n`;
  const { tc, answer, additional } = new TestResponder([{ origin: 'zone.test', text }]).ask({
    name: 's.zone.test',
    type: 'SRV',
  });
  expect([tc, answer.length]).toEqual([false, 2]);
  expect(additional.map(({ owner, text: to }) => `${owner} ${to}`)).toEqual(['b.hosts.zone.test. 192.0.2.99']);
});

describe('zones come, change and go', () => {
  test('a zone without a usable version is SERVFAIL with the reason, its parent’s names are not', () => {
    const responder = new TestResponder([PARENT]);
    responder.responder.apply([{ kind: 'broken', zone: 5, origin: key('child.parent.test'), network: 2 }]);
    const { rcode, aa, opt } = responder.ask({ name: 'www.child.parent.test', edns: {} });
    expect([rcode, aa]).toEqual(['SERVFAIL', false]);
    expect(opt?.options.get(15)?.slice(0, 2)).toEqual(Uint8Array.of(0, 24)); // RFC 8914 §4.25: Invalid Data
    expect(responder.ask({ name: 'ns.parent.test' }).rcode).toBe('NOERROR');
  });

  test('a new version of a zone answers from the next query on', () => {
    const responder = new TestResponder([CHILD]);
    const changed = { ...CHILD, text: `${SOA}www A 192.0.2.81\n` };
    responder.responder.apply([zoneUpdate(changed, 0)]);
    expect(responder.ask({ name: 'www.child.parent.test' }).answer[0].text).toBe('192.0.2.81');
  });

  test('a zone that breaks after it was good, and is good again', () => {
    const responder = new TestResponder([CHILD]);
    responder.responder.apply([{ kind: 'broken', zone: 0, origin: key('child.parent.test'), network: 1 }]);
    expect(responder.ask({ name: 'www.child.parent.test' }).rcode).toBe('SERVFAIL');
    responder.responder.apply([zoneUpdate(CHILD, 0)]);
    expect(responder.ask({ name: 'www.child.parent.test' }).rcode).toBe('NOERROR');
  });

  test('the root zone answers for everything that no other zone holds', () => {
    const root = { origin: '.', text: `${SOA}test NS ns.test\nns.test A 192.0.2.3\n` };
    const responder = new TestResponder([root, CHILD]);
    expect(responder.ask({ name: '.', type: 'SOA' }).answer[0].owner).toBe('.');
    expect(responder.ask({ name: 'nope' }).rcode).toBe('NXDOMAIN');
    expect(responder.ask({ name: 'x.test' }).authority[0].text).toBe('ns.test.');
    expect(responder.ask({ name: 'www.child.parent.test' }).aa).toBe(true);
  });

  test('two thousand zones, half of them gone again', () => {
    const table = new ZoneTable();
    const image = zoneUpdate(CHILD, 0);
    if (image.kind !== 'zone') throw new Error('no zone');
    const name = (i: number): WireName => key(`z${i}.example`);
    for (let i = 0; i < 2000; i++) table.apply([{ ...image, zone: i, origin: name(i) }]);
    table.apply(Array.from({ length: 1000 }, (_, i) => ({ kind: 'gone', zone: 2 * i }) as const));
    expect(table.size).toBe(1000);
    for (let i = 0; i < 2000; i++) expect(table.byName(name(i))?.zone ?? -1).toBe(i % 2 === 1 ? i : -1);
    expect(table.byName(key('example'))).toBeNull();
    expect(table.byName(key('sub.z1.example'))).toBeNull();
  });

  test('gone and new again in one batch, under another name', () => {
    const responder = new TestResponder([CHILD]);
    const moved = { ...CHILD, origin: 'other.test' };
    responder.responder.apply([{ kind: 'gone', zone: 0 }, zoneUpdate(moved, 0)]);
    expect(responder.ask({ name: 'www.other.test' }).rcode).toBe('NOERROR');
    expect(responder.ask({ name: 'www.child.parent.test' }).rcode).toBe('REFUSED');
  });
});

describe('after each answer the front ends are told', () => {
  const text = `${SOA}www A 192.0.2.80\n*.w A 192.0.2.81\nd DNAME w\nsub NS ns.sub\nns.sub A 192.0.2.2\n`;
  const responder = new TestResponder([{ origin: 'zone.test', text }]);
  const told = (name: string, type = 'A'): readonly [number, number] => {
    responder.ask({ name, type });
    return [responder.responder.lastKind, responder.responder.lastHash];
  };

  test.each([
    ['positive', 'www.zone.test', 'A', KIND.positive],
    ['no data', 'www.zone.test', 'MX', KIND.noData],
    ['no name', 'nope.zone.test', 'A', KIND.nxDomain],
    ['referral', 'x.sub.zone.test', 'A', KIND.referral],
    ['wildcard', 'x.w.zone.test', 'A', KIND.wildcard],
    ['below a DNAME', 'x.d.zone.test', 'A', KIND.wildcard],
    ['refused', 'example.org', 'A', KIND.error],
  ])('the kind: %s', (_, name, type, kind) => {
    expect(told(name, type)[0]).toBe(kind);
  });

  // A flood asks for names without number; what its answers have in common is one bucket.
  test.each([
    ['names that do not exist share the zone', 'a.zone.test', 'b.c.zone.test', true],
    ['names of one wildcard share it', 'a.w.zone.test', 'b.c.w.zone.test', true],
    ['names below one cut share it', 'a.sub.zone.test', 'b.c.sub.zone.test', true],
    ['names that exist have their own', 'www.zone.test', 'ns.zone.test', false],
    ['case makes no difference', 'WWW.zone.test', 'www.ZONE.test', true],
  ])('%s', (_, one, other, same) => {
    expect(told(one)[1] === told(other)[1]).toBe(same);
  });

  test('what was counted', () => {
    const counted = new TestResponder([PARENT, { origin: 'zone.test', text }], { cookieSecrets: [new Uint8Array(16)] });
    counted.ask({ name: 'www.zone.test' });
    counted.ask({ name: 'www.zone.test', type: 'MX' });
    counted.ask({ name: 'nope.zone.test', edns: { options: [[10, new Uint8Array(24)]] } }, TRANSPORT.tcp);
    counted.ask({ name: 'www.zone.test', edns: { version: 1 } });
    counted.ask({ name: 'elsewhere', type: 'TYPE4711' }, TRANSPORT.udp6);
    counted.raw(encodeQuery({ name: 'www.zone.test', flags: 0x8000 }));
    const sum = sumStats(counted.statsBuffer, 4);
    expect(sum.queries).toEqual([
      { transport: 'udp4', type: 1, count: 1 },
      { transport: 'udp4', type: 15, count: 1 },
      { transport: 'udp6', type: 263, count: 1 },
      { transport: 'tcp', type: 1, count: 1 },
    ]);
    expect(sum.answers).toEqual([
      { transport: 'udp4', rcode: 0, count: 2 },
      { transport: 'udp4', rcode: 16, count: 1 },
      { transport: 'udp6', rcode: 5, count: 1 },
      { transport: 'tcp', rcode: 3, count: 1 },
    ]);
    expect(sum.networks).toEqual([0, 3, 0, 0]);
    expect(sum.noZone).toBe(1);
    expect([sum.events.dropped, sum.events.edns, sum.events.cookie_bad]).toEqual([1, 2, 1]);
  });
});

describe('minimal answers', () => {
  const text = `${SOA}@ MX 5 ns\nsub NS ns.sub\nns.sub A 192.0.2.2\n`;
  const responder = new TestResponder([{ origin: 'zone.test', text }], { minimal: true });

  test('leave out additional data that nobody needs', () => {
    expect(responder.ask({ name: 'zone.test', type: 'MX' }).additional).toEqual([]);
    expect(responder.ask({ name: 'zone.test', type: 'NS' }).additional).toEqual([]);
  });

  test('but neither glue nor the SOA of a negative answer', () => {
    expect(responder.ask({ name: 'x.sub.zone.test' }).additional).toHaveLength(1);
    expect(responder.ask({ name: 'nope.zone.test' }).authority).toHaveLength(1);
  });
});

test('settings change while it answers', () => {
  const responder = new TestResponder([PARENT], { nsid: null });
  const ask = () => responder.ask({ name: 'parent.test', type: 'SOA', edns: { options: [[3, new Uint8Array(0)]] } });
  expect(ask().opt?.options.size).toBe(0);
  responder.configure({ nsid: Uint8Array.of(65), ednsSize: 4096 });
  expect(ask().opt).toMatchObject({ size: 4096, options: new Map([[3, Uint8Array.of(65)]]) });
});
