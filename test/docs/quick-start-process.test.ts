import { afterAll, beforeAll, expect, test } from 'vitest';
import { Edges } from '../chaos/edges.ts';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { Reader } from './follow.ts';

/** docs/quick-start.md, done word by word; only addresses, ports and the state's folder are the reader's own. */

const EDGES = ['127.79.0.11', '127.79.0.12', '127.79.0.13'];
let edges: Edges;
let reader: Reader;

beforeAll(async () => {
  edges = await Edges.start(EDGES, 'all is well\n');
  const [dns, http] = [await freePort(), await freePort()];
  const own: Reader = new Reader((text) =>
    text
      .replaceAll('198.51.100.1', '127.79.0.1')
      .replace('port: 443, proto: https', `port: ${edges.port}, proto: http`)
      .replaceAll('192.0.2.53:53', `127.0.0.1:${dns}`)
      .replaceAll('@192.0.2.53', `@127.0.0.1 -p ${dns}`)
      .replaceAll('127.0.0.1:8053', `127.0.0.1:${http}`)
      .replaceAll('/var/lib/edgewise', `${own.folder}/state`),
  );
  reader = own;
});
afterAll(async () => {
  await reader.close();
  edges.close();
});

test('the quick start, from the first file to an edge that is taken out', async () => {
  await reader.follow('docs/quick-start.md');

  const output = (part: string): string => reader.seen.find(({ commands }) => commands.includes(part))?.output ?? '';
  expect(output('edgewise check')).toContain('1 network, 3 edges, 1 zone read');
  expect(output('serve -n')).toContain('edgewise ready dns=- ');
  const asked = output('dig');
  for (const name of ['example.com', 'www.example.com']) {
    expect(asked.match(new RegExp(`^${name}\\.\\s+60\\s+IN\\s+A\\s+127\\.79\\.0\\.1[123]$`, 'gm'))).toHaveLength(2);
  }
  expect(asked).toMatch(/"ready": ?true/);
  // What the last command says holds.
  const left = await eventually(
    async () => (await reader.server?.dig('example.com', 'A')) ?? [],
    (seen) => !seen.includes(EDGES[0]),
  );
  expect(left).toEqual(EDGES.slice(1));
});
