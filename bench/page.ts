/**
 * `npm run bench:page`: what open status pages cost the server, and how soon the page is painted.
 * Options: `--pages 50`, `--edges 200`, `--zones 2000`, `--seconds 30`, `--no-browser`.
 *
 * The server is a process of its own with nothing else to do. Its edges are fetched once a minute, so that some are new
 * at every moment, and one edge flips every ten seconds, which every page fetches at once.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { parseArgs } from 'node:util';
import { startHttp } from '../src/server/control/http/http-server.ts';
import { OPERATIONS } from '../src/server/control/operations.ts';
import { pageOperations } from '../src/server/control/page/page-operations.ts';
import { edgesOf, networkOf, siteView } from '../test/server/control/page/page-fixture.ts';
import { launchBrowser } from '../test/support/browser.ts';
import { throwingGuard } from '../test/support/guard.ts';

const { values } = parseArgs({
  options: {
    pages: { type: 'string', default: '50' },
    edges: { type: 'string', default: '200' },
    zones: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '30' },
    'no-browser': { type: 'boolean', default: false },
    server: { type: 'boolean', default: false },
  },
});
const PAGES = Number(values.pages);
const SECONDS = Number(values.seconds);
const FLIP_MS = 10_000;
const PAINTS = 5;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells its parent its port, then at each message the processor time that it has used, seconds. */
async function server(): Promise<void> {
  const now = (): number => Date.now() / 1000;
  const view = siteView({ edges: Number(values.edges), zones: Number(values.zones), now });
  const [, south] = view.networks();
  const edges = edgesOf(Number(values.edges));
  // Made beforehand, so that making them is no part of what is measured.
  const states = [
    edges,
    new Map([...edges].map(([name, story], index) => [name, index === 0 ? ({ story: 'down' } as const) : story])),
  ].map((each) => networkOf({ name: 'north', edges: each, now: now(), wanted: 5, vantages: ['ams', 'fra', 'nyc'] }));
  const started = performance.now();
  Object.assign(view, {
    networks: () => {
      const passed = performance.now() - started;
      const network = states[Math.floor(passed / FLIP_MS) % states.length];
      return [{ ...network, round: { ...network.round, lastRun: Math.floor(passed / 300) } }, south];
    },
  });
  const guard = throwingGuard();
  const http = await startHttp({
    endpoint: { address: '127.0.0.1', port: 0 },
    hosts: [],
    view,
    operations: [...OPERATIONS, ...pageOperations(view, guard)],
    log: (_, message) => console.error(message),
    guard,
  });
  if (!http.ok) throw new Error(http.fault.message);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1e6);
  });
  process.send?.(http.http.endpoint.port);
}

let octets = 0;
let fetches = 0;

/** One open page: listens, and fetches what it is told has changed, as its script does. */
function openPage(port: number): () => void {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const versions = new Map<string, string>();
  const request = get({ host: '127.0.0.1', port, path: '/events' }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end));
        text = text.slice(end + 2);
        if (data === null) continue;
        const { sections } = JSON.parse(data[1]) as { sections: Record<string, string> };
        for (const [key, version] of Object.entries(sections)) {
          const isFirst = !versions.has(key);
          if (versions.get(key) === version) continue;
          versions.set(key, version);
          // The page itself has the first ones.
          if (isFirst) continue;
          fetches += 1;
          get({ host: '127.0.0.1', port, path: `/fragments/${key}`, agent }, (answer) => {
            answer.on('data', (part: Buffer) => {
              octets += part.length;
            });
          }).on('error', () => undefined);
        }
      }
    });
  });
  request.on('error', () => undefined);
  return () => {
    request.destroy();
    agent.destroy();
  };
}

async function bench(): Promise<void> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--server']);
  const [port] = (await once(child, 'message')) as [number];
  const used = async (): Promise<number> => {
    const answer = once(child, 'message');
    child.send('used');
    const [seconds] = (await answer) as [number];
    return seconds;
  };
  const share = async (): Promise<string> => {
    const [before, since] = [await used(), performance.now()];
    await pause(SECONDS * 1000);
    return `${((((await used()) - before) / ((performance.now() - since) / 1000)) * 100).toFixed(2)} % of a core`;
  };
  try {
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })).text();
    console.log(`no page open: ${await share()}`);
    const close = Array.from({ length: PAGES }, () => openPage(port));
    await pause(3000); // their first events
    [octets, fetches] = [0, 0];
    const cost = await share();
    const rate = `${(fetches / SECONDS).toFixed(1)} sections and ${(octets / SECONDS / 1e6).toFixed(2)} MB a second in all`;
    console.log(`${PAGES} pages open, ${values.edges} edges, ${values.zones} zones: ${cost} (${rate})`);
    for (const each of close) each();
    if (!values['no-browser']) console.log(await firstPaints(`http://127.0.0.1:${port}/`));
  } finally {
    child.kill();
  }
}

/** In new contexts, so that nothing is cached. */
async function firstPaints(url: string): Promise<string> {
  const browser = await launchBrowser();
  const times: number[] = [];
  let size = 0;
  for (let i = 0; i < PAINTS; i++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const response = await page.goto(url, { waitUntil: 'load' });
    size = (await response?.body())?.length ?? 0;
    times.push(await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime'));
    await context.close();
  }
  await browser.close();
  const sorted = times.toSorted((a, b) => a - b).map((each) => Math.round(each));
  return `first paint: ${sorted[Math.floor(PAINTS / 2)]} ms (${sorted[0]} to ${sorted.at(-1)}), ${Math.round(size / 1000)} kB`;
}

await (values.server ? server() : bench());
