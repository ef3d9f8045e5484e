/** The columns of the table of odd servers, asked of curl and of Python's requests themselves. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MockEdge } from '../../support/mock-edge.ts';
import { OBJECT, ODD_SERVERS } from '../../support/odd-servers.ts';

const run = promisify(execFile);
const servers = new Map<string, MockEdge>();

beforeAll(async () => {
  for (const { name, response, holds = false } of ODD_SERVERS) {
    const behaviour = { kind: 'raw', text: response, hold: holds } as const;
    servers.set(name, await MockEdge.start({ address: '127.0.0.1', port: 0, body: OBJECT, behaviour }));
  }
});
afterAll(() => Promise.all([...servers.values()].map((server) => server.close())));

function urlOf(name: string): string {
  return `http://127.0.0.1:${servers.get(name)?.port}/object`;
}

const REQUESTS = `
import json, sys, requests
taken = {}
for name, url in json.load(sys.stdin):
    try:
        r = requests.get(url, timeout=5)
        taken[name] = r.status_code < 400 and r.content == ${JSON.stringify(OBJECT)}.encode()
    except Exception:
        taken[name] = False
print(json.dumps(taken))
`;

function hasRequests(): boolean {
  return spawnSync('python3', ['-c', 'import requests']).status === 0;
}

test.skipIf(!hasRequests())("Python's requests takes what the table says", async () => {
  const child = run('python3', ['-c', REQUESTS]);
  child.child.stdin?.end(JSON.stringify(ODD_SERVERS.map(({ name }) => [name, urlOf(name)])));
  const { stdout } = await child;
  expect(JSON.parse(stdout)).toEqual(Object.fromEntries(ODD_SERVERS.map(({ name, requests }) => [name, requests])));
});

describe.skipIf(spawnSync('curl', ['--version']).status !== 0)('curl takes what the table says', () => {
  test.each(ODD_SERVERS)('$name', async ({ name, curl }) => {
    const taken = await run('curl', ['--silent', '--location', '--max-time', '5', urlOf(name)]).then(
      ({ stdout }) => stdout === OBJECT,
      () => false,
    );
    expect(taken).toBe(curl);
  });
});
