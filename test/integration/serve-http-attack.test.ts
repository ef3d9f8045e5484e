import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Edges } from '../chaos/edges.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery } from '../support/dns-query.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** A whole server under bad HTTP clients: all are refused, and neither DNS nor probing nor `/healthz` notices. */

const [ONE, TWO, THREE] = ['127.93.0.1', '127.93.0.2', '127.93.0.3'] as const;
const ANNA = 'anna-0123456789abcdef0123';
const BEN = 'ben-0123456789abcdef0123';
const SLOW_CLIENTS = ['127.93.1.1', '127.93.1.2', '127.93.1.3', '127.93.1.4', '127.93.1.5'];
const SLOW_CONNECTIONS = 190;
const STRANGER = '127.93.2.1';
/** Nobody's test waits so long on a machine that works, milliseconds. */
const DEADLINE_MS = 50_000;

const MODE = `/api/v1/networks/${NETWORK}/edges/${TWO}/mode`;
const BODY = JSON.stringify({ mode: 'unavailable', comment: 'an attack' });
const HOST = 'Host: 127.0.0.1';
const ADMIN = `Authorization: Bearer ${ANNA}`;
const READER = `Authorization: Bearer ${BEN}`;
const JSON_TYPE = 'Content-Type: application/json';
const ANY = 'If-Match: *';
const LENGTH = `Content-Length: ${BODY.length}`;

let site: Installation;
let edges: Edges;
let server: EdgewiseServer;
let port = 0;
const atEnd: (() => void)[] = [];

beforeEach(async () => {
  edges = await Edges.start([ONE, TWO, THREE], OBJECT);
  site = await Installation.make({
    edges: [ONE, TWO, THREE],
    port: edges.port,
    zones: { 'good.test': 'mail IN A 127.93.0.25\n' },
    keys: {
      logpath: null,
      run_frequency: 1,
      edge_count: 2,
      dnschange_maxfreq: 100,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: '127.0.0.1:0', admin: { tokens: 'admin.tokens' }, read: { tokens: 'read.tokens' } },
    },
  });
  await site.write('admin.tokens', `anna ${ANNA}\n`);
  await site.write('read.tokens', `ben ${BEN}\n`);
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  port = Number(new URL(server.http).port);
});
afterEach(async () => {
  for (const end of atEnd.splice(0)) end();
  await server.stop();
  edges.close();
  await site.remove();
});

/** `lines` of a header, each ended, and the empty line after them. */
const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const put = (...fields: readonly string[]): string => `${head(`PUT ${MODE} HTTP/1.1`, ...fields)}${BODY}`;
const get = (path: string, ...fields: readonly string[]): string => head(`GET ${path} HTTP/1.1`, HOST, ...fields);

/** Sends octets as they are on a connection of their own: the status of each answer that comes until it ends. */
async function raw(text: string | readonly string[], localAddress = STRANGER): Promise<readonly number[]> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  let answer = '';
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.setEncoding('latin1').on('data', (more: string) => {
    answer += more;
  });
  socket.on('error', () => undefined); // the server may hang up before it has read everything
  for (const part of [text].flat()) {
    if (socket.destroyed) break;
    socket.write(part, 'latin1');
  }
  const late = setTimeout(() => socket.destroy(), DEADLINE_MS);
  await closed;
  clearTimeout(late);
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

const CLOSE = 'Connection: close';

/** Each is answered once, whatever it hides behind the first request. */
const REFUSED: readonly (readonly [what: string, status: number, text: string])[] = [
  [
    'both Content-Length and Transfer-Encoding',
    400,
    `${head(`PUT ${MODE} HTTP/1.1`, HOST, ADMIN, ANY, JSON_TYPE, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH)}`,
  ],
  ['two different Content-Length', 400, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, 'Content-Length: 0')],
  ['two equal Content-Length', 400, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, LENGTH)],
  ['a Content-Length that is a list', 400, put(HOST, ADMIN, ANY, JSON_TYPE, `${LENGTH}, ${BODY.length}`)],
  ['a negative Content-Length', 400, put(HOST, ADMIN, ANY, JSON_TYPE, 'Content-Length: -1')],
  ['chunked in other words', 400, put(HOST, ADMIN, ANY, JSON_TYPE, 'Transfer-Encoding: chunked, identity')],
  [
    'a coding that is not known, then chunked',
    501,
    put(HOST, ADMIN, ANY, JSON_TYPE, 'Transfer-Encoding: gzip, chunked').replace(
      BODY,
      `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
    ),
  ],
  ['a space before the colon', 400, put(HOST, ADMIN, ANY, JSON_TYPE, `Content-Length : ${BODY.length}`)],
  ['a folded field', 400, put(HOST, `${ADMIN.slice(0, 21)}\r\n ${ANNA}`, ANY, JSON_TYPE, LENGTH)],
  ['a bare line feed in a field', 400, put(HOST, 'X: a\nAuthorization: b', ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['NUL in a field', 400, put(HOST, 'X: a\0b', ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['two Host', 400, put(HOST, HOST, ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['no Host', 400, put(ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['the Host of somebody else', 421, put('Host: evil.example', ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['two Authorization', 400, put(HOST, READER, ADMIN, ANY, JSON_TYPE, LENGTH)],
  ['two If-Match', 400, put(HOST, ADMIN, 'If-Match: "old"', ANY, JSON_TYPE, LENGTH)],
  ['a stale If-Match', 412, put(HOST, ADMIN, 'If-Match: "old"', JSON_TYPE, LENGTH, CLOSE)],
  ['no If-Match', 428, put(HOST, ADMIN, JSON_TYPE, LENGTH, CLOSE)],
  ['a reader who writes', 403, put(HOST, READER, ANY, JSON_TYPE, LENGTH, CLOSE)],
  ['nobody who writes', 401, put(HOST, ANY, JSON_TYPE, LENGTH, CLOSE)],
  ['another origin', 403, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, 'Origin: http://evil.example', CLOSE)],
  ['an origin without a name', 403, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, 'Origin: null', CLOSE)],
  ['another site', 403, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, 'Sec-Fetch-Site: cross-site', CLOSE)],
  [
    'a form of another origin',
    403,
    `${head(
      `POST /networks/${NETWORK}/edges/${TWO}/mode HTTP/1.1`,
      HOST,
      ADMIN,
      'Origin: http://evil.example',
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 16',
      CLOSE,
    )}mode=unavailable`,
  ],
  ['a body that is said to be too large', 413, put(HOST, ADMIN, ANY, JSON_TYPE, 'Content-Length: 1048576')],
  [
    'a body of a megabyte',
    413,
    `${head(`PUT ${MODE} HTTP/1.1`, HOST, ADMIN, ANY, JSON_TYPE, 'Content-Length: 1048576')}${' '.repeat(1_048_576)}`,
  ],
  [
    'a chunk that is too large',
    413,
    `${head(`PUT ${MODE} HTTP/1.1`, HOST, ADMIN, ANY, JSON_TYPE, 'Transfer-Encoding: chunked')}100000\r\n${' '.repeat(16_500)}`,
  ],
  ['a header that is too large', 431, get('/healthz', `X: ${'x'.repeat(10_000)}`)],
  ['dots', 404, get('/../../etc/passwd', READER, CLOSE)],
  ['dots after a folder that is', 404, get('/static/../api/v1/status', READER, CLOSE)],
  ['encoded dots', 404, get('/static/%2e%2e/%2e%2e%2fetc%2fpasswd', READER, CLOSE)],
  ['encoded dots for a name', 404, get('/api/v1/networks/%2e%2e%2fmynet', READER, CLOSE)],
  ['dots for an edge', 404, put(HOST, ADMIN, ANY, JSON_TYPE, LENGTH, CLOSE).replace(TWO, '%2e%2e%2f%2e%2e')],
  ['an encoded NUL', 404, get('/api/v1/networks/mynet%00', READER, CLOSE)],
  ['NUL in the path', 400, get('/api/v1/networks/mynet\0', READER, CLOSE)],
  ['half an encoded octet', 404, get('/api/v1/networks/%c3', READER, CLOSE)],
  ['two slashes', 404, get('//api/v1/status', READER, CLOSE)],
  ['two slashes inside', 404, get('/api//v1/status', READER, CLOSE)],
  ['a backslash', 404, get('/api\\v1\\status', READER, CLOSE)],
  ['no method', 400, head('BREW /healthz HTTP/1.1', HOST)],
  ['TLS where there is none', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
];

/** Keeps so many connections open that never end a request or never read; opens another where one is closed. */
class SlowClients {
  opened = 0;
  readonly open = new Set<Socket>();
  private readonly dribbling = new Set<Socket>();
  private readonly dribble: NodeJS.Timeout;
  private isOver = false;

  constructor() {
    for (let i = 0; i < SLOW_CONNECTIONS; i++) this.connect(i);
    this.dribble = setInterval(() => {
      for (const socket of this.dribbling) socket.write('x');
    }, 250);
  }

  private connect(i: number): void {
    if (this.isOver) return;
    const localAddress = SLOW_CLIENTS[i % SLOW_CLIENTS.length];
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      this.opened += 1;
      this.open.add(socket);
      this.start(socket, i % 6);
    });
    socket.once('close', () => {
      this.open.delete(socket);
      this.dribbling.delete(socket);
      setTimeout(() => this.connect(i), 200).unref();
    });
  }

  private start(socket: Socket, kind: number): void {
    if (kind === 1) socket.write('GET /heal');
    if (kind === 2) socket.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\nX: `);
    if (kind === 3) socket.write(head(`PUT ${MODE} HTTP/1.1`, HOST, ADMIN, ANY, JSON_TYPE, 'Content-Length: 9000'));
    if (kind === 4) socket.write(get('/events', READER));
    // Asks for much and never reads it.
    if (kind === 5) socket.write(get('/metrics', READER).repeat(20));
    if (kind === 2 || kind === 3) this.dribbling.add(socket);
    if (kind >= 4) socket.pause();
    else socket.resume();
  }

  end(): void {
    this.isOver = true;
    clearInterval(this.dribble);
    for (const socket of this.open) socket.destroy();
  }
}

/** Asks one question after the other until told to end; every one has to be answered. */
class DnsClient {
  answered = 0;
  addresses: readonly string[] = [];
  private readonly socket: UdpSocket = createSocket('udp4');
  private isOver = false;
  readonly ended: Promise<void>;

  constructor() {
    this.ended = this.run();
    this.ended.catch(() => undefined); // awaited at the end
  }

  end(): void {
    this.isOver = true;
  }

  private async run(): Promise<void> {
    try {
      for (let id = 1; !this.isOver; id = (id % 65_535) + 1) {
        const query = encodeQuery({ name: 'good.test', type: 'A', id });
        const answer = once(this.socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
        this.socket.send(query, server.dnsPort, '127.0.0.1');
        const [octets] = await answer;
        const message = decodeMessage(octets);
        if (message.id !== id) throw new Error(`the answer to ${message.id} came for ${id}`);
        this.addresses = message.answer.map(({ text }) => text).sort();
        this.answered += 1;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } finally {
      this.socket.close();
    }
  }
}

type Ask = { readonly method?: string; readonly token?: string; readonly ifMatch?: string; readonly body?: string };

async function ask(path: string, { method = 'GET', token = BEN, ifMatch, body }: Ask = {}) {
  const response = await fetch(`${server.http}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      connection: 'close',
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  return { status: response.status, etag: response.headers.get('etag') ?? '', text: await response.text() };
}

/** Where the probes of an edge come from, whichever source address the system chooses. */
const PROBERS = ['127.0.0.1', ONE, TWO, THREE];
const probes = (): number => PROBERS.reduce((sum, from) => sum + edges.asked(TWO, from), 0);

/** Whatever is the matter with edges, the answer comes and no bug was contained. */
async function expectHealthAnswer(): Promise<void> {
  const { status, text } = await ask('/healthz');
  expect([200, 503], text).toContain(status);
  expect(text).not.toContain('contained');
}

test('bad clients are refused, and DNS, probing and /healthz go on', async () => {
  const dns = new DnsClient();
  atEnd.push(() => dns.end());
  await expect.poll(() => dns.addresses).toHaveLength(2);
  const slow = new SlowClients();
  atEnd.push(() => slow.end());
  await expect.poll(() => slow.opened).toBeGreaterThanOrEqual(SLOW_CONNECTIONS);
  await expectHealthAnswer();

  const dead = dns.addresses.find((address) => address !== TWO) ?? ONE;
  const others = [ONE, TWO, THREE].filter((address) => address !== dead);
  edges.die(dead, PROBERS);
  const answers: (readonly [what: string, statuses: readonly number[]])[] = [];
  for (const [what, , text] of REFUSED) {
    answers.push([what, await raw(text)]);
    await expectHealthAnswer();
  }
  expect(answers).toEqual(REFUSED.map(([what, status]) => [what, [status]]));

  // Wrong tokens by hundreds: from the address of the administrator too, who is not locked out by them.
  const wrong = Array.from({ length: 300 }, (_, i) =>
    put(HOST, `Authorization: Bearer wrong-${i}`, ANY, JSON_TYPE, LENGTH, CLOSE),
  );
  const refused = new Set<number>();
  const guess = async (from: string): Promise<void> => {
    for (let text = wrong.pop(); text !== undefined; text = wrong.pop()) {
      for (const status of await raw(text, from)) refused.add(status);
    }
  };
  const guessing = Promise.all(['127.0.0.1', STRANGER, '127.93.2.2', '127.93.2.3', '127.93.2.4'].map(guess));
  await expectHealthAnswer();
  await guessing;
  expect([...refused].sort()).toEqual([401, 429]);

  // Probing goes on: the edge that died meanwhile is gone from the answers, and the others are still asked.
  await expect.poll(() => dns.addresses).toEqual(others);
  const asked = probes();
  await expect.poll(probes).toBeGreaterThan(asked);
  expect(slow.opened).toBeGreaterThanOrEqual(SLOW_CONNECTIONS);
  await expectHealthAnswer();

  // Nothing was changed; and whoever may still changes it, while the attack lasts.
  const edge = await ask(`/api/v1/networks/${NETWORK}/edges/${TWO}`);
  expect(JSON.parse(edge.text)).toMatchObject({ mode: 'available' });
  expect(await site.list('health')).not.toContain('.mode-changes');
  const { etag } = await ask(MODE, { method: 'PUT', token: ANNA, body: BODY });
  const done = await ask(MODE, { method: 'PUT', token: ANNA, body: BODY, ifMatch: etag });
  expect(done.status, done.text).toBe(200);
  await expect.poll(() => dns.addresses).not.toContain(TWO);

  dns.end();
  await dns.ended; // rejects when a query was not answered
  slow.end();
  const metrics = await eventually(
    () => ask('/metrics'),
    ({ status }) => status === 200,
  );
  expect(metrics.text).not.toMatch(/^edgewise_contained_errors_total\S* [1-9]/m);
  expect(server.child.exitCode).toBeNull();
});
