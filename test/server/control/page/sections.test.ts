import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PageQuery, WHOLE } from '../../../../src/server/control/page/query.ts';
import { renderSection, type SectionKey, sectionKeys } from '../../../../src/server/control/page/sections.ts';
import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { NOW, network, statusView } from '../api/api-fixture.ts';
import { type EdgeStory, edgesOf, networkOf, siteView } from './page-fixture.ts';

const site = siteView({ edges: 10, zones: 2000, now: () => NOW });

function render(key: SectionKey, query: Partial<PageQuery> = {}, view: StatusView = site): string {
  return renderSection(key, 'v', { view, query: { ...WHOLE, ...query }, rate: null, mayWrite: false })?.text ?? '';
}

/** The row of an edge, without markup. */
function row(text: string, edge: string): string {
  const found = new RegExp(`<tr id="edge-[^"]*${edge}[^]*?</tr>`).exec(text);
  return found === null ? '' : found[0].replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

/** Every element that is opened is closed, in order. */
function unclosed(text: string): readonly string[] {
  const open: string[] = [];
  for (const [, close, name, rest] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (close === '/') {
      if (open.pop() !== name) return [`</${name}> closes ${open.at(-1)}`];
    } else if (!rest.endsWith('/') && !['br', 'input', 'meta', 'link'].includes(name)) open.push(name);
  }
  return open;
}

test('an edge that is forced in and fails shows both states, who set it, why and until when', () => {
  const text = row(render('network/north'), 'edge03');
  expect(text).toMatch(/✓ in ✗ down/);
  expect(text).toMatch(/L7STS\/503 .* blindly forced in .*transit maintenance, keep it in.* by anna since .*, until /);
});

test.each([
  ['edge01', /✓ in ✓ up .*–.* 0\.\d{3} .*available/],
  ['edge04', /✓ up .* 1\/3 to down L6RSP/],
  ['edge06', /· out ✗ down .* L7TOUT 10\.000/],
  ['edge07', /L4CON/],
  ['edge08', /unknown .*unavailable .*new disk.* by bert/],
  ['edge09', /suspect .*ams ✓ up fra ✗ down nyc · no opinion/],
  ['edge10', /unknown .*– – – –/],
])('%s shows what it is', (edge, pattern) => {
  expect(row(render('network/north'), edge)).toMatch(pattern);
});

test('a network shows its live set, what is wanted, the hold and its changes with reasons', () => {
  const text = render('network/north');
  expect(text).toContain('4 of 5 live');
  expect(text).toContain('Held by the rotation limit');
  expect(text).toContain('wanted: edge7, edge8');
  expect(text).toContain('takes the place of an edge that fails');
  expect(text.indexOf('takes the place')).toBeLessThan(text.indexOf('fills up: last'));
});

test('canaries are shown by zone', () => {
  const text = render('network/net-a', {}, statusView());
  expect(text).toMatch(/<th scope="row">example\.test<\/th><td class="addr">192\.0\.2\.9<\/td>/);
  expect(text).toContain('for e1');
});

test.each<[Partial<PageQuery>, number]>([
  [{}, 10],
  [{ q: 'edge03' }, 1],
  [{ q: 'transit' }, 1],
  [{ q: 'l4con' }, 1],
  [{ q: '192.0.2.5' }, 1],
  [{ state: 'live' }, 4],
  [{ state: 'out' }, 6],
  [{ state: 'set' }, 2],
  [{ state: 'failing' }, 5],
  [{ q: 'nothing has this' }, 0],
])('the filter %j leaves %i edges', (query, count) => {
  expect(render('network/north', query).match(/<tr id="edge-/g) ?? []).toHaveLength(count);
});

test.each<[PageQuery['sort'], string, string]>([
  [{ by: 'edge', down: false }, 'edge01', 'edge10'],
  [{ by: 'edge', down: true }, 'edge10', 'edge01'],
  [{ by: 'health', down: false }, 'edge03', 'edge05'],
  [{ by: 'live', down: false }, 'edge01', 'edge10'],
  [{ by: 'mode', down: false }, 'edge03', 'edge10'],
  [{ by: 'last', down: false }, 'edge01', 'edge10'],
])('the order %j begins and ends with %s and %s', (sort, first, last) => {
  const names = [...render('network/north', { sort }).matchAll(/<tr id="edge-north-(edge\d+)/g)].map(
    ([, name]) => name,
  );
  expect([names[0], names.at(-1)]).toEqual([first, last]);
});

test('zones with trouble come first, and every zone is on one of the parts', () => {
  const names = (page: number): readonly string[] =>
    [...render('zones', { zones: page }).matchAll(/<tr id="zone-([^"]*)"/g)].map(([, name]) => name);
  expect(names(1).slice(0, 3)).toEqual(['zone0700.example.org', 'zone0900.example.org', 'zone0001.example.org']);
  const all = new Set(Array.from({ length: 20 }, (_, page) => names(page + 1)).flat());
  expect(all.size).toBe(2000);
  expect(names(99)).toEqual(names(20));
});

test('zones are filtered, and the links keep the filter', () => {
  const text = render('zones', { q: 'zone01', zones: 1 });
  expect(text.match(/<tr id="zone-/g)).toHaveLength(100);
  expect(text).toContain('100 that match, of 2,000');
  expect(text).toContain('href="/?q=zone01&amp;zsort=zone#zones"');
  expect(render('zones', { state: 'failing' }).match(/<tr id="zone-/g)).toHaveLength(3);
});

test('every section is there and well-formed, whatever is filtered', () => {
  for (const query of [{}, { q: 'zone01' }, { state: 'failing' as const }, { q: 'nothing has this' }]) {
    for (const key of sectionKeys(site)) expect([key, unclosed(render(key, query))]).toEqual([key, []]);
  }
  expect(sectionKeys(site)).toEqual([
    'summary',
    'network/north',
    'network/south',
    'zones',
    'secondaries',
    'publish',
    'vantage',
  ]);
  expect(render('network/nobody')).toBe('');
});

test('a section without contents is there and hidden', () => {
  expect(render('vantage')).toBe('<section data-section="vantage" data-version="v" hidden></section>\n');
});

test('before the first decision edges are shown with what is known', () => {
  const view = statusView({ networks: () => [{ ...network, decision: null }] });
  const text = render('network/net-a', {}, view);
  expect(row(text, 'e3')).toMatch(/unavailable .*no decision yet/);
  expect(unclosed(text)).toEqual([]);
});

test('secondaries that lag come first, notices that fail say why', () => {
  const secondaries = render('secondaries');
  expect(secondaries.indexOf('192.0.2.55')).toBeLessThan(secondaries.indexOf('192.0.2.53'));
  expect(secondaries).toContain('2 not current');
  expect(render('publish')).toMatch(/pager<\/th><td><span class="chip bad">.*status 500/);
});

test('every secondary is on one of the parts', () => {
  const [first] = siteView({ edges: 1, zones: 1, now: () => NOW }).secondaries();
  const all = Array.from({ length: 450 }, (_, i) => ({ ...first, secondary: `127.0.0.${i % 200}:${i}` }));
  const view = siteView({ edges: 1, zones: 1, now: () => NOW }, { secondaries: () => all });
  const found = [1, 2, 3].flatMap((secondaries) => [
    ...render('secondaries', { secondaries }, view).matchAll(/<th scope="row">(127[^<]+)</g),
  ]);
  expect(new Set(found.map(([, name]) => name)).size).toBe(450);
  expect(render('secondaries', { secondaries: 9 }, view)).toContain('401 to 450 of 450');
});

test('names, comments and details of others are never markup', () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(
      '"><script>alert(1)</script>',
      "' onmouseover='x",
      '</td></table><img src=x onerror=x>',
      '&lt;b&gt;',
      ']]>',
      '\u202eevil',
    ),
  );
  const clean = tagsOf(page('edge', 'comment', 'zone'));
  function page(edge: string, comment: string, zone: string): string {
    const edges = new Map<string, EdgeStory>([[edge, { story: 'forced', comment, live: true }], ...edgesOf(3)]);
    const [first] = site.zones();
    const view = siteView(
      { edges: 1, zones: 1, now: () => NOW },
      {
        networks: () => [networkOf({ name: 'net', edges, now: NOW, vantages: ['a', edge, 'c'] })],
        zones: () => [
          {
            ...first,
            name: zone,
            state: 'broken',
            network: edge,
            faults: [{ severity: 'error', code: 'zone-unreadable', at: null, message: comment }],
          },
        ],
        notices: () => new Map([[zone, { sent: 0, failed: 0, pending: 0 }]]),
      },
    );
    return sectionKeys(view)
      .map((key) => render(key, {}, view))
      .join('');
  }
  fc.assert(
    fc.property(hostile, hostile, hostile, (edge, comment, zone) => {
      fc.pre(!edgesOf(3).has(edge));
      const text = page(edge, comment, zone);
      expect(unclosed(text)).toEqual([]);
      expect(tagsOf(text)).toEqual(clean);
    }),
    { numRuns: 60 },
  );
});

/** Kinds of elements and attributes of a text. */
function tagsOf(text: string): readonly string[] {
  const tags = new Set<string>();
  for (const [, name, rest] of text.matchAll(/<([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    const attributes = [...rest.replace(/"[^"]*"/g, '').matchAll(/ ([^ =/]+)/g)].map(([, attribute]) => attribute);
    for (const attribute of ['', ...attributes]) tags.add(`${name} ${attribute}`);
  }
  return [...tags].sort();
}
