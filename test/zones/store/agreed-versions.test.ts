import { expect, test, vi } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import type { ContentInForce, ReadyContent, SerialAuthority } from '../../../src/zones/agreement/content.ts';
import { type Installation, install, key } from './store-fixture.ts';

const ORIGIN = key('example.test.');

/** A store of contents that says what a test wants. */
class Authority implements SerialAuthority {
  readonly said = new Map<WireName, ContentInForce>();
  readonly reported = new Map<WireName, ReadyContent>();
  left: WireName[] = [];

  inForce = (origin: WireName): ContentInForce | null => this.said.get(origin) ?? null;
  ready = (contents: readonly ReadyContent[]): void => {
    for (const content of contents) this.reported.set(content.origin, content);
  };
  gone = (origins: readonly WireName[]): void => {
    this.left.push(...origins);
  };
  why = (): string | null => 'c has not';

  /** What is ready comes in force. */
  put(serial: number, from = 0, after = 0): void {
    const own = this.reported.get(ORIGIN);
    if (own === undefined) throw new Error('nothing is ready');
    this.said.set(ORIGIN, { hash: own.hash, serial, from, after });
  }
}

function cluster(): { readonly here: Installation; readonly authority: Authority } {
  const here = install();
  const authority = new Authority();
  here.open({}, { authority });
  here.write('zones/net/example.test.zone', 'a A 192.0.2.1\n');
  return { here, authority };
}

const standing = (here: Installation): unknown => {
  const { serial, standing: as } = here.entry('example.test.');
  return [
    serial,
    as,
    here
      .records('example.test.')
      .filter((line) => !line.includes(' NS '))[0]
      ?.slice(0, 1),
  ];
};

const change = (here: Installation, text: string): Promise<unknown> => {
  here.write('zones/net/example.test.zone', text);
  return here.store.reload();
};

test('a new zone answers without a serial of its own, until one is agreed upon', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  expect(standing(here)).toEqual([1, 'unagreed', 'a']);
  expect(here.changes).toMatchObject([{ kind: 'image', standing: 'unagreed' }]);
  expect(authority.reported.get(ORIGIN)).toMatchObject({ network: 'net', served: null });
  authority.put(500);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([500, 'agreed', 'a']);
  expect(authority.reported.get(ORIGIN)).toMatchObject({ served: { serial: 500 } });
});

test('a new content waits until it is in force; the one before is served meanwhile, over a restart too', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  await change(here, 'b A 192.0.2.1\n');
  expect(standing(here)).toEqual([500, 'agreed', 'a']);
  authority.put(600, 500);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([600, 'agreed', 'b']);
  expect(here.changes.at(-1)).toMatchObject({ isGap: false });
  await here.store.close();
  const alone = new Authority();
  here.open({}, { authority: alone });
  await here.store.load();
  expect(standing(here)).toEqual([600, 'agreed', 'b']);
  expect(alone.reported.get(ORIGIN)).toMatchObject({ served: { serial: 600 } });
});

test('a content that went away before it was in force is not waited for', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  const { hash } = authority.said.get(ORIGIN) ?? {};
  await change(here, 'b A 192.0.2.1\n');
  expect(authority.reported.get(ORIGIN)?.hash).not.toBe(hash);
  await change(here, 'a A 192.0.2.1\n');
  expect(authority.reported.get(ORIGIN)?.hash).toBe(hash);
  await here.store.agree();
  expect(standing(here)).toEqual([500, 'agreed', 'a']);
});

test('a zone that lacks what is in force is frozen, says so after a while, and heals when its file comes', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  const first = authority.said.get(ORIGIN);
  await change(here, 'b A 192.0.2.1\n');
  authority.put(600, 500);
  const second = authority.said.get(ORIGIN);
  await change(here, 'a A 192.0.2.1\n');
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([500, 'frozen', 'a']);
  expect(here.store.overdue()).toEqual([]);
  const later = performance.now() + 31_000;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  expect(here.store.overdue()).toEqual(['example.test']);
  vi.restoreAllMocks();
  const [fault] = here.entry('example.test.').faults;
  expect(fault).toMatchObject({ code: 'zone-not-agreed', severity: 'warning' });
  expect(fault?.message).toContain('c has not');

  // A restart without the store knows that it lacks something: what it has is nobody's version any more.
  await here.store.close();
  const alone = new Authority();
  here.open({}, { authority: alone });
  await here.store.load();
  expect(standing(here)).toEqual([1, 'unagreed', 'a']);
  expect(alone.reported.get(ORIGIN)?.served).toEqual({ hash: first?.hash, serial: 500 });

  await change(here, 'b A 192.0.2.1\n');
  expect(standing(here)).toEqual([600, 'agreed', 'b']);
  expect(here.entry('example.test.').faults).toEqual([]);
  expect(second?.serial).toBe(600);
});

test('a start without the store whose file is another one claims no serial', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  await here.store.close();
  here.write('zones/net/example.test.zone', 'b A 192.0.2.1\n');
  const alone = new Authority();
  here.open({}, { authority: alone });
  await here.store.load();
  expect(standing(here)).toEqual([1, 'unagreed', 'b']);
  alone.put(700, 500);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([700, 'agreed', 'b']);
});

test('a content waits for the live set that came before it', async () => {
  const { here, authority } = cluster();
  here.live = 490;
  await here.store.load();
  authority.put(500, 0, 490);
  await here.store.agree([ORIGIN]);
  await change(here, 'b A 192.0.2.1\n');
  authority.put(600, 500, 550);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([500, 'frozen', 'a']);
  here.live = 550;
  await here.store.agree();
  expect(standing(here)).toEqual([600, 'agreed', 'b']);
});

test('a serial that the store gives the same content again is taken over; one that is too early is not', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  authority.put(400);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([500, 'agreed', 'a']);
  authority.put(501, 500);
  await here.store.agree([ORIGIN]);
  expect(standing(here)).toEqual([501, 'agreed', 'a']);
});

test('a broken file changes nothing; a zone that goes is reported', async () => {
  const { here, authority } = cluster();
  await here.store.load();
  authority.put(500);
  await here.store.agree([ORIGIN]);
  await change(here, 'b A nonsense\n');
  expect(standing(here)).toEqual([500, 'agreed', 'a']);
  const { rmSync } = await import('node:fs');
  rmSync(here.path('zones/net/example.test.zone'));
  await here.store.reload();
  expect(authority.left).toEqual([ORIGIN]);
});

test('a static zone is served at once under its own serial, and reported', async () => {
  const here = install();
  const authority = new Authority();
  here.write('static/one.test.zone', '$TTL 300\n@ SOA ns host 7 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n');
  here.open({ staticZoneDir: here.path('static') }, { authority });
  await here.store.load();
  expect(here.entry('one.test.')).toMatchObject({ serial: 7, standing: undefined });
  expect(authority.reported.get(key('one.test.'))).toMatchObject({ network: null, serial: 7, served: null });
});
