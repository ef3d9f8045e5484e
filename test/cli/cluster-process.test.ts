import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { VantageJson } from '../../src/server/control/api-json.ts';
import { edgewise } from '../support/edgewise.ts';

/** `edgewise cluster`, as an operator runs it. */

const ANSWER: VantageJson = {
  engine: 'peers',
  vantage: 'a',
  now: 1000,
  connected: null,
  decider: null,
  override: null,
  vantages: [],
  networks: [],
  faults: [],
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server whose `/api/v1/vantage` is this; its address. */
async function answering(status: number, body: unknown): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/api/v1/vantage' ? status : 500).end(JSON.stringify(body));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('status: a table, status 0; JSON; not well, status 1', async () => {
  const [well, ill] = await Promise.all([answering(200, ANSWER), answering(200, { ...ANSWER, faults: ['b is lost'] })]);
  const table = await edgewise(['cluster', 'status', '-u', well]);
  expect(table).toMatchObject({ status: 0, stderr: '' });
  expect(table.stdout).toMatch(/^vantage a, by peers\neach vantage decides for itself\n/);
  const json = await edgewise(['cluster', 'status', '--json', '-u', well]);
  expect([json.status, JSON.parse(json.stdout)]).toEqual([0, ANSWER]);
  expect(await edgewise(['cluster', 'status', '-u', ill])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('problem: b is lost'),
  });
});

test('status: nobody answers, or decides alone: status 2', async () => {
  const alone = await answering(404, { error: 'not found', detail: '' });
  expect(await edgewise(['cluster', 'status', '-u', alone])).toEqual({
    status: 2,
    stdout: '',
    stderr: `error: the server at ${alone} decides alone: its configuration has no vantage\n`,
  });
  expect(await edgewise(['cluster', 'status', '-u', 'http://127.0.0.1:1'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: http:\/\/127\.0\.0\.1:1 does not answer: /),
  });
});

test.each<[string, readonly string[], string]>([
  ['neither a reason nor an end', [], '--reason is needed, or --end'],
  ['a reason of blanks', ['--reason', ' \t'], '--reason is needed, or --end'],
  ['both', ['--end', '--reason', 'x'], '--end takes no --reason and no --for'],
  [
    'a span that is none',
    ['--reason', 'x', '--for', 'ever'],
    '--for: "ever" is no span of time such as 45m, 2h or 1h30m',
  ],
  ['a reason without end', ['--reason', 'x'.repeat(501)], '--reason: at most 500 characters'],
])('override, %s: bad usage, status 2', async (_, args, message) => {
  const { status, stdout, stderr } = await edgewise(['cluster', 'override', ...args]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`error: ${message}\n`);
});
