import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeViolations, consoleErrors, launchBrowser, screenshot } from '../support/browser.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** The pages in a browser, from `edgewise serve` as an operator runs it. */

const [ONE, TWO, DEAD] = ['127.93.0.1', '127.93.0.2', '127.93.0.3'] as const;
const ANNA = 'anna-0123456789abcdef0123';

const edges: Server[] = [];
let browser: Browser;
let site: Installation;
let server: EdgewiseServer;

beforeAll(async () => {
  const port = await freePort(ONE);
  for (const address of [ONE, TWO]) {
    const edge = createServer((_, response) => response.end(OBJECT));
    await new Promise<void>((resolve) => edge.listen(port, address, resolve));
    edges.push(edge);
  }
  site = await Installation.make({
    edges: [ONE, TWO, DEAD],
    port,
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      logpath: null,
      run_frequency: 1,
      edge_count: 1,
      dnschange_maxfreq: 1000,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: '127.0.0.1:0', admin: { tokens: 'admin.tokens' } },
    },
  });
  await site.write('admin.tokens', `anna ${ANNA}\n`);
  [browser, server] = await Promise.all([launchBrowser(), EdgewiseServer.start(site.path('edgemanage.yaml'))]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  for (const edge of edges) edge.close();
  await site?.remove();
});

type Opened = { readonly page: Page; readonly errors: readonly string[] };

/** A browser of its own in which Anna has signed in through the form. */
async function signIn(): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const errors = consoleErrors(page);
  await page.goto(`${server.http}/login?to=/`);
  await expectSound(page, 'login');
  await page.getByLabel('Token').fill(ANNA);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#connection.live').waitFor();
  return { page, errors };
}

/** No wider than the window, and axe has nothing against it. */
async function expectSound(page: Page, name: string): Promise<void> {
  await screenshot(page, `real-${name}`, true);
  expect(await axeViolations(page), name).toEqual([]);
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  expect(await page.evaluate(overflow), name).toBeLessThanOrEqual(0);
}

const edgePath = (edge: string): string => `/networks/${NETWORK}/edges/${edge}`;

test('a mode set through the form is seen on the open status page, on the page of the edge, and in DNS', async () => {
  const { page, errors } = await signIn();
  const [first] = await eventually(
    () => server.dig('good.test', 'A'),
    ([one]) => one === ONE || one === TWO,
  );
  const other = first === ONE ? TWO : ONE;
  await page.evaluate('globalThis.isSame = true');
  const row = page.locator(`[id="edge-${NETWORK}-${first}"]`);
  await row.getByRole('link', { name: 'Change' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Mode').selectOption('unavailable');
  await dialog.getByLabel('Why').fill('disk full');
  await dialog.getByRole('button', { name: 'Set the mode' }).click();
  await expect.poll(() => row.innerText()).toMatch(/unavailable[\s\S]*disk full[\s\S]*by anna/);
  await expect.poll(() => page.locator(`[id="edge-${NETWORK}-${other}"]`).innerText()).toMatch(/\bin\b/);
  expect(await page.evaluate('globalThis.isSame')).toBe(true);
  await eventually(
    () => server.dig('good.test', 'A'),
    (found) => found.join() === other,
  );
  await dialog.getByRole('button', { name: 'Close' }).click();

  await row.getByRole('link', { name: first, exact: true }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe(edgePath(first));
  await expect.poll(() => page.locator('h2').first().innerText()).toContain('not in the answer');
  await expect.poll(() => page.locator('main').innerText()).toContain('[anna] disk full');
  // The old reason is no reason for what is set next.
  await expect.poll(() => page.getByLabel('Why').inputValue()).toBe('');
  await page.getByLabel('Mode', { exact: true }).selectOption('available');
  await page.getByLabel('Why').fill('disk replaced');
  await page.getByRole('button', { name: 'Set the mode' }).click();
  // What came of it is said, and shown, without leaving the page of the edge.
  await expect.poll(() => dialog.innerText()).toContain(`${first} is available.`);
  await expect.poll(() => page.locator('main').innerText()).toContain('[anna] disk replaced');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Probe now' }).click();
  await expect.poll(() => dialog.innerText()).toContain(`${first} answered in`);
  expect(new URL(page.url()).pathname).toBe(edgePath(first));
  await page.goto(`${server.http}/`);
  await expect.poll(() => row.innerText()).toMatch(/\bavailable[\s\S]*disk replaced/);
  await expect.poll(() => row.innerText()).not.toContain('disk full');
  expect(errors).toEqual([]);
});

const LOOKS = [
  ['light', 'light', { width: 1440, height: 900 }],
  ['dark', 'dark', { width: 1440, height: 900 }],
  ['phone', 'light', { width: 360, height: 780 }],
] as const;

async function expectSoundInEveryLook(page: Page, name: string): Promise<void> {
  for (const [look, colorScheme, size] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    await expectSound(page, `${name}-${look}`);
  }
}

test('light, dark, on a phone: pages are as wide as the window, and axe has nothing against them', async () => {
  const { page, errors } = await signIn();
  await page.goto(server.http + edgePath(DEAD));
  await page.locator('.result').first().waitFor();
  await expectSoundInEveryLook(page, 'edge');
  await page.goto(`${server.http}/networks/${NETWORK}/replay`);
  await page.getByLabel('edge_count').fill('2');
  await Promise.all([
    page.waitForURL(/edge_count=2/, { waitUntil: 'load' }),
    page.getByRole('button', { name: 'Replay' }).click(),
  ]);
  // A machine with much else to do may be too late for it.
  const result = await eventually(
    async () => {
      const text = await page.locator('#result').innerText();
      if (!text.startsWith('With')) await page.reload();
      return text;
    },
    (text) => text.startsWith('With'),
  );
  expect(result).toMatch(/^With edge_count=2\s+[1-9]\d* rounds from/);
  await expectSoundInEveryLook(page, 'replay');
  expect(errors.filter((line) => !line.includes('503'))).toEqual([]);
});
