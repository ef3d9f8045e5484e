import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { NotifyTarget, TransferConfig } from '../../../src/config/types.ts';
import { lowerName, nameText, type WireName } from '../../../src/dns/name.ts';
import type { ZoneVersion } from '../../../src/live/zone-versions.ts';
import { Notifier } from '../../../src/publish/notify/notifier.ts';
import { NameServers } from '../../../src/publish/notify/ns-targets.ts';
import type { Lookup } from '../../../src/system/resolver.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { wireName } from '../../support/dns-query.ts';
import { eventually } from '../../support/edgewise.ts';
import { throwingGuard } from '../../support/guard.ts';
import { freePort } from '../../support/ports.ts';
import { imageOf } from '../../support/zone-images.ts';

const name = (text: string): WireName => lowerName(wireName(text));
const SOA = '@ 300 SOA ns0 host 7 600 60 86400 60\n';
const zones: Readonly<Record<string, string>> = {
  'one.test': `${SOA}@ NS ns0\n@ NS ns1\n@ NS NS.Deep.Sub\n@ NS ns.two.test.\n@ NS ns.far.test.
ns0 A 127.78.0.9\nns1 A 127.78.0.1\nns1 AAAA 2001:DB8:0:0::1\nsub NS ns.deep.sub\nns.deep.sub A 127.78.0.2\n`,
  'two.test': `${SOA}@ NS ns\nns A 127.78.0.3\n`,
  'bare.test': `${SOA}@ NS ns0\nns0 A 127.78.0.9\n`,
  'lost.test': `${SOA}@ NS nowhere\n@ NS ns.far.test.\nother A 127.78.0.9\n`,
};
const images = new Map(
  Object.entries(zones).map(([origin, text]) => [name(origin), ZoneImage.attach(imageOf({ origin, text }))]),
);
const image = (zone: WireName): ZoneImage | null => images.get(zone) ?? null;
const about = (zone: string, serial = 7): ZoneVersion => ({ origin: name(zone), network: null, serial });

/** A resolver that answers when told. */
class Resolver {
  readonly asked: string[] = [];
  running = 0;
  most = 0;
  private readonly waiting: (() => void)[] = [];
  addresses: readonly string[] | null = ['127.78.0.4'];
  readonly lookup: Lookup = async (host) => {
    this.asked.push(host);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running -= 1;
    if (this.addresses === null) throw new Error('SERVFAIL');
    return this.addresses.map((address) => ({ address }));
  };
  /** Answers whoever waits and lets the answer arrive. */
  async answer(): Promise<void> {
    for (const resolve of this.waiting.splice(0)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

type Found = { readonly zones: readonly string[]; readonly addresses: readonly string[] };
function nameServers(): {
  readonly servers: NameServers;
  readonly resolver: Resolver;
  readonly found: Found[];
  readonly clock: { now: number };
} {
  const resolver = new Resolver();
  const found: Found[] = [];
  const clock = { now: 0 };
  const servers = new NameServers({
    guard: throwingGuard(),
    image,
    lookup: resolver.lookup,
    now: () => clock.now,
    onFound: (told, addresses) => found.push({ zones: told.map(({ origin }) => nameText(origin)), addresses }),
  });
  return { servers, resolver, found, clock };
}
const addresses = (servers: NameServers, ...origins: readonly string[]): readonly (readonly string[])[] =>
  Array.from(servers.of(origins.map((origin) => about(origin))), (row) => row.addresses);

describe('addresses of the servers a zone names', () => {
  test('its own, glue, those of another zone here; not the primary of the SOA', () => {
    const { servers } = nameServers();
    const [one] = addresses(servers, 'one.test');
    expect([...one].sort()).toEqual(['127.78.0.1', '127.78.0.2', '127.78.0.3', '2001:db8::1']);
    expect(addresses(servers, 'bare.test')).toEqual([[]]);
    expect(addresses(servers, 'elsewhere.test')).toEqual([]);
  });

  test('others are looked up in the background, once however many zones ask', async () => {
    const { servers, resolver, found } = nameServers();
    addresses(servers, 'one.test', 'lost.test');
    addresses(servers, 'one.test');
    expect(resolver.asked).toEqual(['ns.far.test', 'nowhere.lost.test']);
    await resolver.answer();
    expect(found).toEqual([
      { zones: ['one.test.', 'lost.test.'], addresses: ['127.78.0.4'] },
      { zones: ['lost.test.'], addresses: ['127.78.0.4'] },
    ]);
    expect(addresses(servers, 'lost.test')).toEqual([['127.78.0.4']]);
    expect(resolver.asked).toHaveLength(2);
  });

  test('an old answer serves while it is asked for again, and only what is new is told', async () => {
    const { servers, resolver, found, clock } = nameServers();
    addresses(servers, 'one.test');
    await resolver.answer();
    found.length = 0;
    clock.now = 600_001;
    resolver.addresses = ['127.78.0.4', '127.78.0.5'];
    expect(addresses(servers, 'one.test')[0]).toContain('127.78.0.4');
    await resolver.answer();
    expect(found).toEqual([{ zones: ['one.test.'], addresses: ['127.78.0.5'] }]);
  });

  test('a failure is asked about again after a minute, and unmakes nothing', async () => {
    const { servers, resolver, found, clock } = nameServers();
    resolver.addresses = null;
    addresses(servers, 'one.test');
    await resolver.answer();
    addresses(servers, 'one.test');
    expect([resolver.asked.length, found]).toEqual([1, []]);
    clock.now = 60_001;
    resolver.addresses = ['127.78.0.4'];
    addresses(servers, 'one.test');
    await resolver.answer();
    clock.now = 700_000;
    resolver.addresses = null;
    addresses(servers, 'one.test');
    await resolver.answer();
    expect(addresses(servers, 'one.test')[0]).toContain('127.78.0.4');
  });

  test('two look-ups at a time', async () => {
    const { servers, resolver } = nameServers();
    const many = Array.from({ length: 50 }, (_, i) => `many${i}.test`);
    for (const [i, origin] of many.entries()) {
      images.set(name(origin), ZoneImage.attach(imageOf({ origin, text: `${SOA}@ NS ns${i}.far.test.\n` })));
    }
    addresses(servers, ...many);
    while (resolver.asked.length < 50 || resolver.running > 0) await resolver.answer();
    expect([resolver.most, resolver.asked.length]).toEqual([2, 50]);
  });
});

describe('NOTIFY to them', () => {
  const opened: Socket[] = [];
  const notifiers: Notifier[] = [];
  afterEach(() => {
    for (const notifier of notifiers.splice(0)) notifier.stop();
    for (const socket of opened.splice(0)) socket.close();
  });

  /** Servers at 127.78.0.1 and on that acknowledge; `heard`: `last octet: zone`. */
  async function start(
    transfer: Partial<TransferConfig>,
    listen: readonly string[] = [],
  ): Promise<{ notifier: Notifier; heard: Set<string>; resolver: Resolver; port: number }> {
    const port = await freePort('127.78.0.1');
    const heard = new Set<string>();
    for (const last of [1, 2, 3, 4]) {
      const socket = createSocket('udp4');
      opened.push(socket);
      socket.on('message', (message, from) => {
        heard.add(`${last}: ${nameText(lowerName(message, 12))}`);
        message[2] |= 0x80;
        socket.send(message, from.port, from.address);
      });
      socket.bind(port, `127.78.0.${last}`);
      await once(socket, 'listening');
    }
    const resolver = new Resolver();
    const notifier = new Notifier({
      transfer: { keys: [], allow: [], notify: [], notifyNs: true, catalog: null, watchSeconds: 0, ...transfer },
      listen: listen.map((address) => ({ address, port })),
      soa: () => Uint8Array.of(0, 6, 0, 1, 0, 0, 0, 0, 0, 0),
      image,
      lookup: resolver.lookup,
      nsPort: port,
      log: () => {},
      guard: throwingGuard(),
    });
    notifiers.push(notifier);
    return { notifier, heard, resolver, port };
  }
  const target = (last: number, port: number): NotifyTarget => ({
    to: { address: `127.78.0.${last}`, port },
    from: null,
    key: null,
    networks: null,
    zones: null,
  });
  const acknowledged = (notifier: Notifier, count: number): Promise<unknown> =>
    eventually(
      () => Promise.resolve(notifier.counts()),
      (counts) => counts.acknowledged === count,
    );

  test('each is told, and those that are looked up when they are known', async () => {
    images.set(name('v4.test'), ZoneImage.attach(imageOf({ origin: 'v4.test', text: FOUR })));
    const { notifier, heard, resolver } = await start({});
    notifier.apply([about('v4.test')]);
    await acknowledged(notifier, 2);
    expect([...heard].sort()).toEqual(['1: v4.test.', '3: v4.test.']);
    await resolver.answer();
    await acknowledged(notifier, 3);
    expect(heard).toContain('4: v4.test.');
  });

  test('one that is configured is told once', async () => {
    const { notifier, port } = await start({});
    notifier.configure({ ...EMPTY, notifyNs: true, notify: [target(1, port), target(3, port)] }, []);
    notifier.apply([about('v4.test')]);
    expect(notifier.counts().pending).toBe(2);
    await acknowledged(notifier, 2);
  });

  test('we do not tell ourselves', async () => {
    const { notifier } = await start({}, ['127.78.0.1']);
    notifier.apply([about('v4.test')]);
    expect(notifier.counts().pending).toBe(1);
  });

  test('without notify_ns nobody is looked up or told', async () => {
    const { notifier, resolver } = await start({ notifyNs: false });
    notifier.apply([about('v4.test')]);
    expect([notifier.counts().pending, resolver.asked]).toEqual([0, []]);
  });
});

const FOUR = `${SOA}@ NS ns0\n@ NS ns1\n@ NS ns.two.test.\n@ NS ns.far.test.\nns0 A 127.78.0.9\nns1 A 127.78.0.1\n`;
const EMPTY: TransferConfig = { keys: [], allow: [], notify: [], notifyNs: false, catalog: null, watchSeconds: 0 };
