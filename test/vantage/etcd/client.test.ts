import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { retryPauseMs } from '../../../src/system/retry-pause.ts';
import { EtcdClient } from '../../../src/vantage/etcd/client/client.ts';
import { Watch } from '../../../src/vantage/etcd/client/watch.ts';
import { throwingGuard } from '../../support/guard.ts';
import { freePort } from '../../support/ports.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WAIT = { timeout: 60_000 };
const HEADER = { cluster_id: '7', revision: '5' };
const GOOD = JSON.stringify({ header: HEADER, kvs: [{ key: 'YQ==', value: 'Yg==', mod_revision: '5' }] });

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<string> {
  const server: Server = createServer(handler);
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${port}`;
}

function clientOf(endpoints: readonly string[], timeoutMs = 20_000): EtcdClient {
  const client = new EtcdClient({ endpoints, timeoutMs, user: null, tls: { ca: null, cert: null, key: null } });
  closers.push(() => client.close());
  return client;
}

const says = (status: number, text: string, headers = {}): Handler => {
  return (_, response) => void response.writeHead(status, headers).end(text);
};

const FORM = /does not answer as etcd does/;
const garbage: readonly (readonly [string, Handler, RegExp])[] = [
  ['no JSON', says(200, 'hello'), FORM],
  ['HTML', says(200, '<html><body>It works!</body></html>'), FORM],
  ['an HTML error', says(502, '<html>Bad Gateway</html>'), FORM],
  ['nothing', says(200, ''), FORM],
  ['a list', says(200, '[]'), FORM],
  ['null', says(200, 'null'), FORM],
  ['no header', says(200, '{}'), FORM],
  ['a cluster id of the wrong type', says(200, '{"header":{"cluster_id":7,"revision":"5"}}'), FORM],
  ['a negative revision', says(200, '{"header":{"cluster_id":"7","revision":"-5"}}'), FORM],
  ['a revision as a word', says(200, '{"header":{"cluster_id":"7","revision":"many"}}'), FORM],
  ['keys of the wrong type', says(200, JSON.stringify({ header: HEADER, kvs: [{ key: 5 }] })), FORM],
  ['keys that are no list', says(200, JSON.stringify({ header: HEADER, kvs: 'YQ==' })), FORM],
  [
    'a value that is not base64',
    says(200, JSON.stringify({ header: HEADER, kvs: [{ key: 'YQ==', value: '%' }] })),
    FORM,
  ],
  ['deep nesting', says(200, `{"header":${'['.repeat(500_000)}${']'.repeat(500_000)}}`), FORM],
  ['half a JSON', says(200, GOOD.slice(0, 60)), FORM],
  [
    'half an answer',
    (_, r) => void r.writeHead(200, { 'content-length': '9999' }).write('{"h', () => r.destroy()),
    /broke off/,
  ],
  ['a redirect', says(302, '', { location: 'http://127.0.0.1:1/' }), /redirect \(302\), which is not followed/],
  ['an error without a code', says(500, '{"oops":true}'), FORM],
  ['9 MiB', says(200, `{"a":"${'x'.repeat(9 << 20)}"}`), /more than 8 MiB/],
];

test.each(garbage)('%s is refused with a sentence, and the next endpoint is asked', async (what, handler, expected) => {
  const bad = await serve(handler);
  const alone = await clientOf([bad]).range({ key: 'a' });
  expect(alone).toMatchObject({ ok: false, fault: { kind: 'unreachable', text: expect.stringMatching(expected) } });
  expect(!alone.ok && alone.fault.isTooLarge === true).toBe(what === '9 MiB');
  const good = await serve(says(200, GOOD));
  const client = clientOf([bad, good]);
  expect(await client.range({ key: 'a' })).toMatchObject({
    ok: true,
    header: { clusterId: '7', revision: 5n },
    value: {
      more: false,
      kvs: [{ key: 'a', value: Buffer.from('b'), modRevision: 5n, createRevision: 0n, lease: '0' }],
    },
  });
});

test('an endpoint that speaks no HTTP, or closes at once, is a sentence', async () => {
  for (const word of ['SSH-2.0-OpenSSH\r\n', '']) {
    const server = createTcpServer((socket) => void socket.on('error', () => undefined).end(word));
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    const answer = await clientOf([`http://127.0.0.1:${port}`]).put('a', 'b');
    expect(answer).toMatchObject({
      ok: false,
      fault: { kind: 'unreachable', text: expect.stringMatching(/broke off/) },
    });
  }
});

test('an endless answer is cut off', async () => {
  let ended = false;
  const bad = await serve((_, response) => {
    response.on('close', () => {
      ended = true;
    });
    const more = (): void =>
      void (response.destroyed || response.write(Buffer.alloc(65_536, 32), () => setImmediate(more)));
    more();
  });
  const answer = await clientOf([bad]).range({ key: 'a' });
  expect(answer).toMatchObject({ ok: false, fault: { text: expect.stringMatching(/more than 8 MiB/) } });
  await expect.poll(() => ended, WAIT).toBe(true);
});

test('one that takes everything and says nothing is passed over, and asked last from then on', async () => {
  let asked = 0;
  const silent = await serve(() => {
    asked += 1;
  });
  const slow = await serve((_, response) => void response.writeHead(200).write('{')); // headers, and then nothing
  const good = await serve(says(200, GOOD));
  const client = clientOf([silent, slow, good], 3000);
  expect((await client.range({ key: 'a' })).ok).toBe(true);
  expect((await client.range({ key: 'a' })).ok).toBe(true);
  expect(asked).toBe(1);
});

test('where nobody answers in time it says so of each', async () => {
  const silent = await serve(() => undefined);
  const dead = `http://127.0.0.1:${await freePort()}`;
  const answer = await clientOf([dead, silent], 500).range({ key: 'a' });
  expect(answer).toMatchObject({
    ok: false,
    fault: { kind: 'unreachable', text: expect.stringMatching(/ECONNREFUSED.*; .*does not answer in time/) },
  });
});

test('what etcd refuses is not asked elsewhere; what a member cannot serve is', async () => {
  let asked = 0;
  const good = await serve((_, response) => {
    asked += 1;
    response.writeHead(200).end(GOOD);
  });
  const full = await serve(
    says(429, JSON.stringify({ code: 8, message: 'etcdserver: mvcc: database space exceeded' })),
  );
  expect(await clientOf([full, good]).put('a', 'b')).toMatchObject({
    ok: false,
    fault: { kind: 'refused', code: 8, text: expect.stringMatching(/out of space \(alarm NOSPACE\)/) },
  });
  expect(asked).toBe(0);
  const cutOff = await serve(says(503, JSON.stringify({ code: 14, message: 'etcdserver: no leader' })));
  expect((await clientOf([cutOff, good]).put('a', 'b')).ok).toBe(true);
  expect(await clientOf([cutOff], 300).put('a', 'b')).toMatchObject({
    fault: { text: expect.stringMatching(/has no leader/) },
  });
});

test('where etcd elects a leader it is asked again, as long as there is time', async () => {
  let asked = 0;
  const etcd = await serve((_, response) => {
    asked += 1;
    if (asked < 4) response.writeHead(503).end(JSON.stringify({ code: 14, message: 'etcdserver: no leader' }));
    else response.writeHead(200).end(GOOD);
  });
  const dead = `http://127.0.0.1:${await freePort()}`;
  expect((await clientOf([dead, etcd]).put('a', 'b')).ok).toBe(true);
});

test('a token that is not valid any more is renewed once; a wrong password is a sentence', async () => {
  const { Secret } = await import('../../../src/system/secret.ts');
  let given = 0;
  const etcd = await serve((request, response) => {
    if (request.url === '/v3/auth/authenticate') {
      given += 1;
      response.writeHead(200).end(JSON.stringify({ header: HEADER, token: `t${given}` }));
    } else if (request.headers.authorization === 't2') response.writeHead(200).end(GOOD);
    else response.writeHead(401).end(JSON.stringify({ code: 16, message: 'etcdserver: invalid auth token' }));
  });
  const user = { name: 'edgewise', password: new Secret('very-secret') };
  const options = { timeoutMs: 20_000, user, tls: { ca: null, cert: null, key: null } };
  const client = new EtcdClient({ endpoints: [etcd], ...options });
  closers.push(() => client.close());
  const answers = await Promise.all([
    client.range({ key: 'a' }),
    client.range({ key: 'a' }),
    client.range({ key: 'a' }),
  ]);
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(given).toBeLessThanOrEqual(4);

  const wrong = await serve(says(400, JSON.stringify({ code: 3, message: 'etcdserver: authentication failed' })));
  const refused = new EtcdClient({ endpoints: [wrong], ...options });
  closers.push(() => refused.close());
  const answer = await refused.range({ key: 'a' });
  expect(answer).toMatchObject({ ok: false, fault: { text: expect.stringMatching(/authentication failed/) } });
  expect(JSON.stringify(answer)).not.toContain('very-secret');
});

test('a client that is closed answers what is under way', async () => {
  const silent = await serve(() => undefined);
  const client = clientOf([silent]);
  const answer = client.range({ key: 'a' });
  await client.close();
  expect((await answer).ok).toBe(false);
  expect((await client.range({ key: 'a' })).ok).toBe(false);
});

function watchOf(client: EtcdClient, timeoutMs: number): { readonly watch: Watch; readonly changes: () => number } {
  let count = 0;
  const onChange = (): void => {
    count += 1;
  };
  const watch = new Watch({ client, prefix: 'p/', timeoutMs, guard: throwingGuard(), onChange });
  closers.push(() => watch.stop());
  watch.start();
  return { watch, changes: () => count };
}

const CREATED = `${JSON.stringify({ result: { header: HEADER, created: true } })}\n`;
const streams: readonly (readonly [string, Handler, RegExp])[] = [
  ['is silent', () => undefined, /does not answer a watch in time/],
  ['sends headers alone', (_, r) => void r.writeHead(200).flushHeaders(), /does not answer a watch in time/],
  ['talks nonsense', says(200, 'hello\n'), /does not answer a watch as etcd does/],
  ['sends another status', says(404, 'hello\n'), /answers a watch with the status 404/],
  ['has no leader', says(200, '{"error":{"grpc_code":14,"message":"etcdserver: no leader"}}\n'), /has no leader/],
  ['ends', says(200, CREATED), /ended the watch/],
  ['breaks off', (_, r) => void r.writeHead(200).write(CREATED, () => r.destroy()), /broke off/],
  ['has compacted', says(200, '{"result":{"canceled":true,"compact_revision":"3"}}\n'), /fell behind a compaction/],
];

test.each(streams)('a watch at an endpoint that %s goes on at another', async (_, handler, expected) => {
  const bad = await serve(handler);
  const { watch } = watchOf(clientOf([bad]), 300);
  await expect.poll(() => watch.fault(), WAIT).toMatch(expected);
  const good = await serve((_, response) => void response.writeHead(200).write(CREATED));
  const both = watchOf(clientOf([bad, good]), 300);
  await expect.poll(both.watch.isLive.bind(both.watch), WAIT).toBe(true);
  expect(both.changes()).toBeGreaterThan(0);
});

test('lines in pieces, and lines that are too long to be kept, are hints', async () => {
  let stream: ServerResponse | null = null;
  const etcd = await serve((_, response) => {
    stream = response.writeHead(200);
    response.write(CREATED.slice(0, 20));
    setImmediate(() => response.write(CREATED.slice(20)));
  });
  const { changes } = watchOf(clientOf([etcd]), 20_000);
  await expect.poll(changes, WAIT).toBe(1);
  const long = `{"result":{"events":["${'x'.repeat(1 << 20)}"]}}\n`;
  (stream as ServerResponse | null)?.write(long + CREATED);
  await expect.poll(changes, WAIT).toBe(3);
});

test('pauses grow, have an end, and differ', () => {
  const pauses = { firstMs: 100, maxMs: 1000 };
  expect([1, 2, 3, 4, 5, 99].map((failures) => retryPauseMs(failures, pauses, 1))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
  expect(retryPauseMs(1, pauses, 0)).toBe(50);
});
