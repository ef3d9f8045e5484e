import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { tokenDigest } from '../../../../src/config/token-file.ts';
import { AccessControl } from '../../../../src/server/control/http/access.ts';
import type { ControlActions } from '../../../../src/server/control/http/control-actions.ts';
import { type HttpServer, startHttp } from '../../../../src/server/control/http/http-server.ts';
import { Refusals } from '../../../../src/server/control/http/refusals.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';
import { loginOperations } from '../../../../src/server/control/page/login.ts';
import { pageOperations } from '../../../../src/server/control/page/page-operations.ts';
import type { NetworkView, StatusView } from '../../../../src/server/control/views/views.ts';
import { axeViolations, consoleErrors, launchBrowser, screenshot } from '../../../support/browser.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { type EdgeStory, edgesOf, networkOf, siteView } from './page-fixture.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const now = (): number => Date.now() / 1000;

/** A server whose view can be changed under it. */
class Served {
  view: StatusView;
  http: HttpServer | null = null;
  port = 0;
  /** Who may change things, with the token `secret`; null: nobody. */
  access: AccessControl | null = null;
  /** What was asked for, and by whom. */
  readonly done: unknown[] = [];

  constructor(edges: number, zones: number) {
    this.view = siteView({ edges, zones, now });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { view } = this;
    const { access } = this;
    const guard = throwingGuard();
    const pages = pageOperations(view, guard, () => access !== null);
    const started = await startHttp({
      endpoint: { address: '127.0.0.1', port: this.port },
      hosts: [],
      view,
      operations: [...OPERATIONS, ...pages, ...(access === null ? [] : loginOperations(access))],
      ...(access === null ? {} : { access, actions: this.actions() }),
      log: (_, message) => {
        throw new Error(message);
      },
      guard,
    });
    if (!started.ok) throw new Error(started.fault.message);
    this.http = started.http;
    this.port = started.http.endpoint.port;
  }

  async stop(): Promise<void> {
    await this.http?.close(0);
    this.http = null;
  }

  /** Has what is done noted; a mode is set as a server does. */
  private actions(): ControlActions {
    const note = async <Value>(value: Value, ...what: readonly unknown[]) => {
      this.done.push(what);
      return { ok: true, value } as const;
    };
    return {
      setMode: ({ network, edge, mode, comment, until }, { name }) => {
        this.show(
          this.view.networks().map((each) => {
            const member = each.members.get(edge);
            if (each.name !== network || member === undefined) return each;
            const set = { ...member, mode, comment: `[${name}] ${comment}`, modeSince: now(), modeUntil: until };
            return { ...each, members: new Map([...each.members, [edge, set]]) };
          }),
        );
        const set = { mode, comment, since: now(), until, effects: [], live: ['edge01.example.net'] };
        return note(set, 'mode', edge, mode, comment, name);
      },
      probeNow: ({ edge }, { name }) => {
        const sample = this.view.networks()[0].members.get(edge)?.sample;
        if (sample === null || sample === undefined) {
          return Promise.resolve({ ok: false, fault: { code: 'failed', message: 'it cannot be asked' } });
        }
        return note(sample, 'probe', edge, name);
      },
      updateNow: ({ network, force, reason = '' }, { name }) => {
        const updated = { changed: false, live: ['edge01.example.net'], serial: 1, held: null };
        return note(updated, 'update', network, force, reason, name);
      },
      reload: ({ name }) => note({ warnings: [] }, 'reload', name),
      testNotice: (target, { name }) => note({ sent: true } as const, 'notice', target, name),
    };
  }

  show(networks: readonly NetworkView[]): void {
    Object.assign(this.view, { networks: () => networks });
  }
}

async function serve(edges = 10, zones = 250, access: AccessControl | null = null): Promise<Served> {
  const served = new Served(edges, zones);
  served.access = access;
  await served.start();
  ended.push(() => served.stop());
  return served;
}

type Opened = { readonly page: Page; readonly errors: readonly string[]; readonly asked: readonly string[] };

async function open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  ended.push(() => context.close());
  const page = await context.newPage();
  const errors = consoleErrors(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  if (options.javaScriptEnabled !== false) await page.locator('#connection.live').waitFor();
  return { page, errors, asked };
}

const rows = (page: Page): Promise<number> => page.locator('#main tr[id^="edge-north-"]').count();
const address = (page: Page): string => decodeURIComponent(new URL(page.url()).search);

/** Pixels by which the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** Unfolds everything, so that it is looked at, too. */
async function unfold(page: Page): Promise<void> {
  await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
}

test('two hundred edges and two thousand zones are there, from this server alone', async () => {
  const served = await serve(200, 2000);
  const { page, errors, asked } = await open(`${served.url}/`);
  expect(await rows(page)).toBe(200);
  await expect.poll(() => page.locator('.zones caption').textContent()).toBe('Zones: 1 to 100 of 2,000');
  await page.getByRole('link', { name: 'Zones, part 20', exact: true }).click();
  await expect.poll(() => page.locator('.zones caption').textContent()).toBe('Zones: 1,901 to 2,000 of 2,000');
  await expect.poll(() => page.locator('.zones').innerText()).toContain('zone1999.example.org');
  expect(asked.filter((each) => !each.startsWith(`${served.url}/`))).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(errors).toEqual([]);
  await screenshot(page, 'page-large');
});

test('a flip is shown and said without a reload, and nothing else moves', async () => {
  const served = await serve();
  const { page, errors } = await open(`${served.url}/`);
  await page.evaluate('globalThis.isSame = true');
  const kept = page.locator('#edge-north-edge05\\.example\\.net');
  await kept.locator('summary').click();
  await kept.focus();

  const edges = new Map<string, EdgeStory>(edgesOf(10));
  edges.set('edge01.example.net', { story: 'refused' });
  edges.set('edge07.example.net', { story: 'fast', live: true });
  const [, south] = served.view.networks();
  served.show([networkOf({ name: 'north', edges, now: now(), wanted: 5 }), south]);

  const gone = page.locator('#edge-north-edge01\\.example\\.net');
  await expect.poll(() => gone.innerText()).toMatch(/out\s+✗ down[\s\S]*L4CON/);
  await expect
    .poll(() => page.locator('#announce').innerText())
    .toContain('edge01.example.net: not in the answer, down');
  await expect.poll(() => page.locator('#announce').innerText()).toContain('edge07.example.net: in the answer, up');
  expect(await kept.locator('details').getAttribute('open')).not.toBeNull();
  expect(await page.evaluate('document.activeElement.id')).toBe('edge-north-edge05.example.net');
  expect(await page.evaluate('globalThis.isSame')).toBe(true);
  expect(errors).toEqual([]);
});

test('a network that comes, and one that goes, need no reload either', async () => {
  const served = await serve();
  const { page } = await open(`${served.url}/`);
  const [north] = served.view.networks();
  served.show([north, networkOf({ name: 'west', edges: edgesOf(2), now: now() })]);
  await page.locator('#network-west').waitFor();
  await page.locator('#network-south').waitFor({ state: 'detached' });
});

test('filter and order work in place, stay in the address, and come back with it', async () => {
  const served = await serve();
  const { page, errors } = await open(`${served.url}/`);
  await page.keyboard.press('/');
  await page.keyboard.type('edge03');
  await expect.poll(() => rows(page)).toBe(1);
  await expect.poll(() => address(page)).toBe('?q=edge03');
  await page.keyboard.press('Escape');
  await expect.poll(() => rows(page)).toBe(10);
  await page.keyboard.press('Escape');

  await page.locator('#network-north ~ .scroll thead').first().getByRole('link', { name: 'Health' }).click();
  await expect.poll(() => page.locator('#main tr[id^="edge-north-"]').first().innerText()).toContain('edge03');
  await page.keyboard.press('f');
  await expect.poll(() => rows(page)).toBe(5);
  await expect.poll(() => address(page)).toBe('?sort=health&state=failing');
  await expect.poll(() => page.locator('#north, #zones ~ .scroll .zones tbody tr').count()).toBe(1);

  const { page: other } = await open(page.url());
  expect(await rows(other)).toBe(5);
  await expect.poll(() => other.locator('#state').inputValue()).toBe('failing');
  await page.goBack();
  await expect.poll(() => rows(page)).toBe(10);
  expect(errors).toEqual([]);
});

test('rows are reached and unfolded by keys, and the keys are explained', async () => {
  const served = await serve();
  const { page } = await open(`${served.url}/`);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  expect(await page.evaluate('document.activeElement.id')).toBe('edge-north-edge02.example.net');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('tr:focus details').getAttribute('open')).not.toBeNull();
  await page.keyboard.press('?');
  await expect.poll(() => page.getByRole('dialog').innerText()).toContain('next row');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
});

test('without JavaScript everything is there, and filter, order and parts are links and a form', async () => {
  const served = await serve();
  const { page, errors } = await open(`${served.url}/`, { javaScriptEnabled: false });
  expect(await rows(page)).toBe(10);
  await page.getByLabel('Filter', { exact: true }).fill('edge0');
  await page.getByLabel('Show', { exact: true }).selectOption('failing');
  await page.getByRole('button', { name: 'Apply' }).click();
  expect(await rows(page)).toBe(5);
  await page.getByRole('link', { name: 'Last s' }).first().click();
  await expect.poll(() => address(page)).toBe('?q=edge0&state=failing&sort=last');
  await page.goto(`${served.url}/`);
  await page.getByRole('link', { name: 'next' }).click();
  expect(await page.locator('.zones caption').textContent()).toBe('Zones: 101 to 200 of 250');
  expect(errors).toEqual([]);
  await screenshot(page, 'page-without-javascript');
});

test('a lost connection is shown, and found again', async () => {
  const served = await serve();
  const { page } = await open(`${served.url}/`);
  await served.stop();
  await page.locator('#connection.lost').waitFor();
  await expect.poll(() => page.locator('#connection').innerText()).toContain('reconnecting since');
  await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/^No connection to the server: .* as of \d\d:/);
  expect(await axeViolations(page)).toEqual([]);
  Object.assign(served.view, { version: '9.9.9' });
  await served.start();
  await page.locator('#connection.live').waitFor();
  // Another version answers: what was loaded from the old one is out of date.
  await expect.poll(() => page.getByRole('alert').innerText()).toContain('(Edgewise 9.9.9). Load the page again');
  await page.getByRole('link', { name: 'Load the page again' }).click();
  await page.locator('#connection.live').waitFor();
  await page.locator('#banner').waitFor({ state: 'hidden' });
});

test('a connection that died without a word is replaced', async () => {
  const served = await serve();
  const context = await browser.newContext();
  ended.push(() => context.close());
  const page = await context.newPage();
  const streams: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/events')) streams.push(request.url());
  });
  await page.clock.install();
  await page.goto(`${served.url}/`);
  await page.locator('#connection.live').waitFor();
  // The server speaks every ten seconds; half a minute without a word is a dead connection.
  await page.clock.fastForward(40_000);
  await expect.poll(() => streams.length).toBeGreaterThan(1);
  await page.locator('#connection.live').waitFor();
});

/** `anna` may change things, `bert` may read. */
function tokens(): AccessControl {
  return new AccessControl({
    rules: {
      admins: [{ name: 'anna', digest: tokenDigest('secret') }],
      readers: [{ name: 'bert', digest: tokenDigest('reading') }],
      hasClients: false,
    },
    refusals: new Refusals(),
    log: () => undefined,
  });
}

/** Signs in as a person does. */
async function signIn(served: Served, token: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  ended.push(() => context.close());
  const page = await context.newPage();
  const errors = consoleErrors(page);
  await page.goto(`${served.url}/`);
  expect(new URL(page.url()).pathname).toBe('/login');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#network-north').waitFor();
  return { page, errors, asked: [] };
}

test('whoever may, sets a mode from the page, asks an edge, decides, reloads and tests a notice', async () => {
  const served = await serve(10, 20, tokens());
  const { page, errors } = await signIn(served, 'secret');
  await page.locator('#connection.live').waitFor();
  await page.getByRole('link', { name: 'Change edge05.example.net' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Mode').selectOption('unavailable');
  await dialog.getByLabel('Why').fill('cable <b>cut</b>');
  await dialog.getByLabel('For how long').fill('2h');
  expect(await axeViolations(page)).toEqual([]);
  await screenshot(page, 'page-change');
  await dialog.getByRole('button', { name: 'Set the mode' }).click();
  await expect.poll(() => dialog.innerText()).toContain('edge05.example.net is unavailable.');
  await expect
    .poll(() => page.locator('#edge-north-edge05\\.example\\.net').innerText())
    .toMatch(/unavailable\s+cable <b>cut<\/b>\s+by anna since .* ago, until in 2 h/);

  await dialog.getByRole('button', { name: 'Probe now' }).click();
  await expect.poll(() => dialog.innerText()).toContain('answered in');
  await dialog.getByRole('button', { name: 'Close' }).click();
  const decide = page.locator('form[action="/networks/north/update"]');
  await decide.getByLabel('past the rotation limit').check();
  await decide.getByLabel('Why').fill('cable <b>cut</b>');
  await decide.getByRole('button', { name: 'Decide now' }).click();
  await expect.poll(() => dialog.innerText()).toContain('The live set stays as it is.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Send a test to pager' }).click();
  await expect.poll(() => dialog.innerText()).toContain('pager took the test.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Reload the configuration' }).click();
  await expect.poll(() => dialog.innerText()).toContain('Reloaded.');
  expect(served.done).toEqual([
    ['mode', 'edge05.example.net', 'unavailable', 'cable <b>cut</b>', 'anna'],
    ['probe', 'edge05.example.net', 'anna'],
    ['update', 'north', true, 'cable <b>cut</b>', 'anna'],
    ['notice', 'pager', 'anna'],
    ['reload', 'anna'],
  ]);
  expect(errors).toEqual([]);
});

test('without JavaScript a mode is set as well, and not by a form that is out of date', async () => {
  const served = await serve(10, 20, tokens());
  const { page } = await signIn(served, 'secret', { javaScriptEnabled: false });
  const { page: late } = { page: await page.context().newPage() };
  await late.goto(`${served.url}/networks/north/edges/edge05.example.net/change`, { referer: served.url });
  await page.getByRole('link', { name: 'Change edge05.example.net' }).click();
  await page.getByLabel('Mode').selectOption('force');
  await page.getByLabel('Why').fill('test');
  await page.getByRole('button', { name: 'Set the mode' }).click();
  expect(new URL(page.url()).hash).toBe('#edge-north-edge05.example.net');
  await expect.poll(() => page.locator('#edge-north-edge05\\.example\\.net').innerText()).toContain('forced in');

  await page.goto(`${served.url}/networks/north/edges/edge05.example.net`);
  await page.getByLabel('Mode').selectOption('blindforce');
  await page.getByLabel('Why').fill('from its own page');
  await page.getByRole('button', { name: 'Set the mode' }).click();
  expect(new URL(page.url()).pathname).toBe('/networks/north/edges/edge05.example.net');
  expect(await page.locator('main').textContent()).toContain('from its own page');
  await page.getByRole('button', { name: 'Probe now' }).click();
  expect(await page.getByRole('status').textContent()).toContain('answered in');
  await page.getByRole('link', { name: 'Back to edge05.example.net' }).click();
  expect(new URL(page.url()).pathname).toBe('/networks/north/edges/edge05.example.net');

  await late.getByLabel('Why').fill('too late');
  await late.getByRole('button', { name: 'Set the mode' }).click();
  await expect.poll(() => late.getByRole('alert').innerText()).toContain('somebody changed edge05.example.net');
  expect(served.done).toHaveLength(3);
});

test('whoever may only read sees no forms, and what they send all the same is refused', async () => {
  const served = await serve(10, 20, tokens());
  const { page } = await signIn(served, 'reading');
  await expect.poll(() => page.locator('.session').innerText()).toContain('bert');
  await expect.poll(() => page.locator('[data-act], [data-dialog]').count()).toBe(0);
  const path = '/networks/north/edges/edge05.example.net';
  const status = await page.evaluate(
    `fetch('${path}/mode', { method: 'POST', body: new URLSearchParams({ mode: 'force', comment: 'x', if_match: '*' }) }).then((r) => r.status)`,
  );
  expect(status).toBe(403);
  expect(await page.evaluate(`fetch('${path}/change').then((r) => r.status)`)).toBe(403);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  expect(served.done).toEqual([]);
});

test.each<[string, BrowserContextOptions]>([
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
  ['phone-dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce' }],
])('%s: axe has nothing against it, and it is no wider than the window', async (name, options) => {
  const served = await serve();
  const { page, errors } = await open(`${served.url}/`, options);
  await screenshot(page, `page-${name}`);
  await page.evaluate('document.getElementById("network-north").scrollIntoView()');
  await screenshot(page, `page-${name}-edges`);
  await unfold(page);
  expect(await axeViolations(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(errors).toEqual([]);
});
