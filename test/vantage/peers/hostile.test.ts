import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ANSWER_MAX,
  answerContext,
  answerText,
  type EncodedView,
  type PeerRequest,
  REQUEST_CONTEXT,
  REQUEST_MAX,
  readAnswer,
  readRequest,
} from '../../../src/vantage/peers/messages.ts';
import { open, seal } from '../../../src/vantage/peers/sealing.ts';
import { randomText } from '../../../src/vantage/peers/sessions.ts';
import { listenOnLoopback } from '../../support/listen-on-loopback.ts';
import { type EngineAtTest, engineOf, PEERS_KEY, settingsOf, viewOf } from '../../support/vantage-peers.ts';

/** Peers among strangers, and peers that are not what they should be. */

const WAIT = { timeout: 30_000, interval: 20 };
const BIG_VIEW = JSON.stringify(viewOf('b', 1, { config: 'x'.repeat(ANSWER_MAX) }));
let ending: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(ending.map((end) => end()));
  ending = [];
});

/** The engine `a`, whose only peer `b` is at `port`. */
async function engineA(port: number): Promise<EngineAtTest & { readonly port: number }> {
  const [settings] = await settingsOf(['a']);
  if (settings === undefined) throw new Error('no settings');
  const peers = [{ name: 'b', url: `http://127.0.0.1:${port}` }];
  const made = engineOf({ ...settings, peers, interval: 0.2, timeout: 1 });
  ending.push(() => made.engine.stop());
  await made.engine.start();
  return { ...made, port: settings.listen.port };
}

function send(
  port: number,
  body: Uint8Array,
  { method = 'POST', path = '/vantage' } = {},
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, host: '127.0.0.1', method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Resolves when the connection is over, by whatever it ends. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function requestOf(more: Partial<PeerRequest> = {}): PeerRequest {
  const random = { boot: randomText(), challenge: randomText() };
  return { v: 1, from: 'b', to: 'a', counter: 0, session: null, clock: 0, waitMs: 0, known: {}, ...random, ...more };
}

function sealed(request: PeerRequest, key: KeyObject = PEERS_KEY): Buffer {
  return seal(key, 'request', REQUEST_CONTEXT, JSON.stringify(request));
}

describe('strangers', () => {
  test('are refused with a status, a line and a counter for each kind, and learn nothing', async () => {
    const { engine, lines, port } = await engineA(1);
    engine.publishView(viewOf('a', 1));
    const other = createSecretKey(Buffer.alloc(32, 9));
    const flipped = sealed(requestOf());
    flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
    for (const [body, status, method, path] of [
      [Buffer.alloc(0), 401, 'POST', '/vantage'],
      [randomBytes(1000), 401, 'POST', '/vantage'],
      [Buffer.from('{"Peer":"192.0.2.1:80","IPAddress":"192.0.2.2","Live":false}'), 401, 'POST', '/vantage'],
      [flipped, 401, 'POST', '/vantage'],
      [sealed(requestOf(), other), 401, 'POST', '/vantage'],
      [seal(PEERS_KEY, 'answer', answerContext(requestOf()), '{}'), 401, 'POST', '/vantage'],
      [seal(PEERS_KEY, 'request', REQUEST_CONTEXT, '{}'), 400, 'POST', '/vantage'],
      [seal(PEERS_KEY, 'request', REQUEST_CONTEXT, '{"v":'), 400, 'POST', '/vantage'],
      [sealed(requestOf({ counter: -1 })), 400, 'POST', '/vantage'],
      [sealed(requestOf({ waitMs: 1e300, to: '' })), 400, 'POST', '/vantage'],
      [sealed(requestOf({ from: 'stranger' })), 403, 'POST', '/vantage'],
      [sealed(requestOf({ from: '__proto__' })), 403, 'POST', '/vantage'],
      [sealed(requestOf({ to: 'c' })), 421, 'POST', '/vantage'],
      [sealed(requestOf({ from: 'a', to: 'b' })), 421, 'POST', '/vantage'], // our own, reflected
      [Buffer.alloc(0), 405, 'GET', '/vantage'],
      [sealed(requestOf()), 405, 'PUT', '/vantage'],
      [sealed(requestOf()), 404, 'POST', '/'],
      [sealed(requestOf()), 404, 'POST', '/vantage?x'],
    ] as const) {
      expect(await send(port, body, { method, path })).toEqual({ status, body: Buffer.alloc(0) });
    }
    const counts = { 'wrong-key': 6, malformed: 4, 'unknown-peer': 2, 'other-recipient': 2 };
    expect(Object.fromEntries(engine.refusals())).toMatchObject(counts);
    const said = lines.filter((line) => line.startsWith('warn peers: '));
    expect(said).toHaveLength(Object.keys(counts).length);
    expect(engine.views('net')).toEqual([]);
  });

  test('with too much to say are cut off', async () => {
    const { engine, lines, port } = await engineA(1);
    const announced = connect(port, '127.0.0.1');
    ending.push(() => announced.destroy());
    announced.write(`POST /vantage HTTP/1.1\r\nhost: a\r\ncontent-length: ${REQUEST_MAX + 1}\r\n\r\n`);
    const [reply] = (await once(announced, 'data')) as [Buffer];
    expect(reply.toString()).toContain('413');
    const chunked = connect(port, '127.0.0.1');
    ending.push(() => chunked.destroy());
    chunked.write('POST /vantage HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const more = (error?: Error | null): void => {
      if (error == null && chunked.writable) chunked.write(`10000\r\n${'x'.repeat(65_536)}\r\n`, more);
    };
    more();
    await closed(chunked);
    expect(engine.refusals().get('too-large')).toBe(2);
    expect(lines.filter((line) => line.includes('has more than'))).toHaveLength(1);
    const header = connect(port, '127.0.0.1');
    ending.push(() => header.destroy());
    header.write(`POST /vantage HTTP/1.1\r\nx: ${'x'.repeat(10_000)}\r\n\r\n`);
    await closed(header);
  });

  test('that hold connections open keep no peer out: silent ones, slow ones, hundreds', async () => {
    const [settingsA, settingsB] = await settingsOf(['a', 'b']);
    if (settingsA === undefined || settingsB === undefined) throw new Error('no settings');
    const a = engineOf(settingsA);
    ending.push(() => a.engine.stop());
    await a.engine.start();
    const connections: Socket[] = [];
    const hold = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const socket = connect(settingsA.listen.port, '127.0.0.1');
        socket.on('error', () => undefined);
        connections.push(socket);
        ending.push(() => socket.destroy());
        await once(socket, 'connect');
      }
    };
    await hold(200);
    const slow = connections.slice(100, 110);
    for (const socket of slow) socket.write('POST /vantage HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\nx: ');
    const allClosed = Promise.all(connections.map(closed));
    const b = engineOf(settingsB);
    ending.push(() => b.engine.stop());
    await b.engine.start();
    a.engine.publishView(viewOf('a', 1));
    await vi.waitFor(() => expect(b.engine.views('net')).toHaveLength(1), WAIT);
    // Beyond what may be open, the oldest of the strangers goes, and the peer's connection stays.
    await hold(100);
    a.engine.publishView(viewOf('a', 2));
    await vi.waitFor(() => expect(b.engine.views('net')[0]?.view.turn).toBe(2), WAIT);
    expect(b.engine.faults()).toEqual([]);
    await allClosed; // by the limits of time
  });
});

describe('what was recorded', () => {
  test('is refused when it comes again, and shows nothing', async () => {
    const { engine, lines, port } = await engineA(1);
    engine.publishView(viewOf('a', 1));
    const hello = requestOf();
    const first = await send(port, sealed(hello));
    const answer = readAnswer(open(PEERS_KEY, 'answer', answerContext(hello), first.body) ?? '');
    expect(answer).toMatchObject({ from: 'a', to: 'b', isNewSession: true, views: [] });
    const request = requestOf({ session: answer?.session ?? '', boot: hello.boot, counter: 1 });
    const recorded = sealed(request);
    const second = await send(port, recorded);
    const text = open(PEERS_KEY, 'answer', answerContext(request), second.body) ?? '';
    expect(readAnswer(text)).toMatchObject({ isNewSession: false, views: [{ view: { vantage: 'a', turn: 1 } }] });
    for (let i = 0; i < 3; i += 1) expect((await send(port, recorded)).status).toBe(409);
    expect(engine.refusals().get('replayed')).toBe(3);
    expect(lines.filter((line) => line.includes('seen before'))).toHaveLength(1);
    // A recorded first request gets a session, which whoever recorded it cannot read.
    const again = await send(port, sealed(hello));
    expect(readAnswer(open(PEERS_KEY, 'answer', answerContext(hello), again.body) ?? '')?.views).toEqual([]);
    // The next process of `a` takes nothing that was recorded before.
    const next = await engineA(1);
    next.engine.publishView(viewOf('a', 1));
    const late = await send(next.port, recorded);
    expect(readAnswer(open(PEERS_KEY, 'answer', answerContext(request), late.body) ?? '')).toMatchObject({
      isNewSession: true,
      views: [],
    });
  });
});

/** A peer `b` that answers as the test says. `request`: what it was asked, opened. */
async function peerB(
  answer: (request: PeerRequest, response: ServerResponse, sent: Buffer) => void,
): Promise<EngineAtTest & { readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked += 1;
      const sent = Buffer.concat(chunks);
      const opened = readRequest(open(PEERS_KEY, 'request', REQUEST_CONTEXT, sent) ?? '');
      if (opened !== null) answer(opened, response, sent);
    });
  });
  const { port, close } = await listenOnLoopback(server);
  ending.push(close);
  return { ...(await engineA(port)), asked: () => asked };
}

/** An answer as `b` would seal it. */
function answerOf(request: PeerRequest, views: readonly EncodedView[], isNewSession = false): Buffer {
  const session = 'A'.repeat(22);
  const head = { from: 'b', to: 'a', session, isNewSession, version: '9', clock: 0, waitedMs: 0 };
  return seal(PEERS_KEY, 'answer', answerContext(request), answerText(head, views));
}

const VIEW_OF_B: EncodedView = { json: JSON.stringify(viewOf('b', 1)), ageMs: 0 };

test('the peer of these tests is believed where it answers as it should', async () => {
  const { engine, came } = await peerB((request, response) => response.end(answerOf(request, [VIEW_OF_B])));
  await vi.waitFor(() => expect(came).toEqual(['net b']), WAIT);
  expect(engine.faults()).toEqual([]);
  expect(engine.vantages().find(({ name }) => name === 'b')?.clockOffset).toBeLessThan(-1e9);
});

describe('an answer that is not to our request moves nothing', () => {
  let first: Buffer | null = null;
  for (const [name, answer, problem, kind] of [
    [
      'the answer to an earlier request',
      (request: PeerRequest, response: ServerResponse) => {
        // To nobody, since it would be believed once.
        first ??= answerOf({ ...request, challenge: randomText() }, [VIEW_OF_B]);
        response.end(first);
      },
      'not sealed for our request',
      'forged-answer',
    ],
    [
      'our own request',
      (_request: PeerRequest, response: ServerResponse, sent: Buffer) => response.end(sent),
      'not sealed for our request',
      'forged-answer',
    ],
    [
      'one of another peer',
      (request: PeerRequest, response: ServerResponse) => response.end(answerOf({ ...request, to: 'c' }, [VIEW_OF_B])),
      'not sealed for our request',
      'forged-answer',
    ],
    ['nothing', (_: PeerRequest, response: ServerResponse) => response.end(), 'not sealed', 'forged-answer'],
    [
      'cut short',
      (request: PeerRequest, response: ServerResponse) => response.end(answerOf(request, [VIEW_OF_B]).subarray(0, -1)),
      'not sealed',
      'forged-answer',
    ],
    [
      'another version',
      (request: PeerRequest, response: ServerResponse) =>
        response.end(seal(PEERS_KEY, 'answer', answerContext(request), '{"v":2}')),
      'what this version does not know',
      null,
    ],
    [
      'a redirection',
      (_: PeerRequest, response: ServerResponse) => response.writeHead(302, { location: '/' }).end(),
      'it answers 302',
      null,
    ],
    [
      'too much',
      (request: PeerRequest, response: ServerResponse) =>
        response.end(answerOf(request, [{ json: BIG_VIEW, ageMs: 0 }])),
      `more than ${ANSWER_MAX} octets`,
      null,
    ],
    [
      'never more than a new session',
      (request: PeerRequest, response: ServerResponse) => response.end(answerOf(request, [], true)),
      'the session that it gave',
      null,
    ],
    [
      'without end',
      (_: PeerRequest, response: ServerResponse) => void response.write('x'),
      'no answer within 1.2 s',
      null,
    ],
  ] as const) {
    test(name, async () => {
      first = null;
      const { engine, came, lines, asked } = await peerB(answer);
      await vi.waitFor(() => expect(engine.faults().join()).toContain(problem), WAIT);
      await vi.waitFor(() => expect(asked()).toBeGreaterThan(2), WAIT);
      expect(came).toEqual([]);
      expect(engine.views('net')).toEqual([]);
      if (kind !== null) {
        expect(engine.refusals().get(kind)).toBeGreaterThan(1);
        expect(lines.filter((line) => line.includes('is refused'))).toHaveLength(1);
      }
    });
  }

  test('views that are none, or another vantage’s; the good one beside them counts', async () => {
    const views = [
      { json: 'null', ageMs: 0 },
      { json: '{"vantage":"b"}', ageMs: 0 },
      { json: JSON.stringify(viewOf('c', 1)), ageMs: 0 },
      { json: JSON.stringify(viewOf('a', 1)), ageMs: 0 },
      VIEW_OF_B,
    ];
    const { engine, came } = await peerB((request, response) => response.end(answerOf(request, views)));
    await vi.waitFor(() => expect(engine.refusals().get('bad-view')).toBeGreaterThan(7), WAIT);
    expect(came).toEqual(['net b']);
    expect(engine.views('net').map(({ view }) => view.vantage)).toEqual(['b']);
  });
});

describe('a peer that answers at once, and with nothing for us, is asked no oftener than one that waits', () => {
  for (const [name, views] of [
    ['nothing', []],
    ['views of another version', [{ json: '{"v":2}', ageMs: 0 }]],
    ['views of somebody else', [{ json: JSON.stringify(viewOf('c', 1)), ageMs: 0 }]],
    ['the same view again', [VIEW_OF_B]],
  ] as const) {
    test(name, async () => {
      // By the asker's clock: when it made each request.
      const made: number[] = [];
      await peerB((request, response) => {
        made.push(request.clock);
        response.end(answerOf(request, views));
      });
      await vi.waitFor(() => expect(made.length).toBeGreaterThan(5), WAIT);
      // The first answer may be news; every other request asks to be kept waiting for 0.2 s, and a load only adds to that.
      const gaps = made.slice(2).map((clock, i) => clock - (made[i + 1] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(0.15);
    });
  }
});
