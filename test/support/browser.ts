import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where screenshots of tests go; ignored by git. */
const OUTPUT = join(import.meta.dirname, '..', '..', 'test-output');

/** Debian's, or another one in the path. One for a test file is enough: pages of different contexts share nothing. */
export function launchBrowser(): Promise<Browser> {
  const path = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'chromium'));
  const executablePath = path.find((file) => existsSync(file));
  if (executablePath === undefined) throw new Error('chromium is not installed: apt-get install chromium');
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe has against the page, a line each. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  // Through the debugger: the page's own policy would not let a script be put in.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    type Node = { readonly html: string; readonly failureSummary?: string };
    type Violation = { readonly id: string; readonly help: string; readonly nodes: readonly Node[] };
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Violation[] }> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.slice(0, 3).map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
  });
}

/** Keeps a picture as `test-output/NAME.png` for people to look at. */
export async function screenshot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage });
}

/** Whatever the page's console says is wrong from now on, and what it throws. */
export function consoleErrors(page: Page): readonly string[] {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return errors;
}
