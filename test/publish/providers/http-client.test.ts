import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { CloudflareApi } from '../../../src/publish/providers/cloudflare-api.ts';
import { HttpClient } from '../../../src/publish/providers/http-client.ts';
import { Secret } from '../../../src/system/secret.ts';
import { problemOf } from './conformance.ts';

/** Calls `ask` with the address of a server that sends these octets and ends. */
async function withServer<T>(octets: string, ask: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(octets, 'latin1'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    return await ask(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  } finally {
    server.close();
  }
}

const HEAD = 'HTTP/1.1 200 OK\r\n';

test.each([
  ['octets', '\0@\x01\x02\xff', 'malformed', /does not speak HTTP$/],
  ['another protocol', '220 mail.example.net ESMTP\r\n', 'malformed', /does not speak HTTP$/],
  ['a header that is none', `${HEAD}content-length: x\r\n\r\n`, 'malformed', /does not speak HTTP$/],
  ['nothing', '', 'unreachable', /broke off/],
  ['half a header', 'HTTP/1.1 200', 'unreachable', /broke off/],
  ['half a body', `${HEAD}content-length: 9\r\n\r\nab`, 'unreachable', /broke off/],
  ['half a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nab`, 'unreachable', /broke off/],
])('%s', async (_, octets, problem, why) => {
  const signal = AbortSignal.timeout(60_000);
  const client = new HttpClient();
  const cloudflare = (url: string): CloudflareApi => new CloudflareApi(url, { kind: 'token', token: new Secret('t') });
  const faults = [
    await withServer(octets, (url) => problemOf(client.send({ method: 'GET', url, headers: {}, body: null }, signal))),
    await withServer(octets, (url) => problemOf(cloudflare(url).call('GET', '/zones', {}, signal))),
  ];
  for (const fault of faults) {
    expect(`${fault.problem}: ${fault.message}`).toMatch(new RegExp(`^${problem}: `));
    expect(fault.message).toMatch(why);
    expect(fault.message).not.toContain('undefined');
  }
  await client.close();
});
