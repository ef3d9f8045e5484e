import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type IcmpReason, type IcmpTest, probeIcmp } from '../../../src/health/checks/icmp.ts';
import { EchoSender, echoRequest, type OpenIcmp, readEchoReply } from '../../../src/health/checks/icmp-echo.ts';
import type { IcmpEvents, IcmpProblem } from '../../../src/system/icmp-socket.ts';

const IDENTIFIER = 0x4242;
const TOKEN = Uint8Array.from({ length: 16 }, (_, i) => i);

type Reply = (octets: Uint8Array, address?: string) => void;

/** A kernel: writes the identifier into requests, and replies as `edge` says. */
class FakeKernel {
  readonly sent: Uint8Array[] = [];
  events: IcmpEvents | null = null;
  opened = 0;
  problem: IcmpProblem | null = null;
  private readonly edge: (request: Uint8Array, reply: Reply, nth: number) => void;

  constructor(edge: (request: Uint8Array, reply: Reply, nth: number) => void) {
    this.edge = edge;
  }

  readonly open: OpenIcmp = async (_family, events) => {
    this.opened += 1;
    if (this.problem !== null) return this.problem;
    this.events = events;
    return {
      identifier: IDENTIFIER,
      close: () => {},
      send: (packet, address, failed) => {
        const request = Uint8Array.from(packet);
        request.set([IDENTIFIER >> 8, IDENTIFIER & 255], 4);
        this.sent.push(request);
        try {
          this.edge(request, (octets, from = address) => events.onMessage(octets, from), this.sent.length);
        } catch (error) {
          failed(error as Error);
        }
      },
    };
  };
}

/** What an edge sends back: the request with another type. */
function replyTo(request: Uint8Array, at: { readonly [offset: number]: number } = {}): Uint8Array {
  const octets = Uint8Array.from(request);
  octets[0] = request[0] === 8 ? 0 : 129;
  for (const [offset, value] of Object.entries(at)) octets[Number(offset)] = value;
  return octets;
}

function failing(code: string): never {
  throw Object.assign(new Error(`send ${code}`), { code });
}

async function probe(kernel: FakeKernel, more: Partial<IcmpTest> = {}, address = '127.0.0.1', signal?: AbortSignal) {
  const check: IcmpTest = { kind: 'icmp', name: 'icmp', timeout: 0.3, count: 3, maxLoss: 0, interval: 0.01, ...more };
  const tools = { stalls: { late: () => 0, total: () => 0 }, signal: signal ?? new AbortController().signal };
  const senders = { 4: new EchoSender(4, kernel.open), 6: new EchoSender(6, kernel.open) };
  const deadline = performance.now() + check.timeout * 1000;
  const attempt = await probeIcmp({ edge: address, address, test: check }, deadline, tools, senders);
  expect([senders[4].outstanding, senders[6].outstanding]).toEqual([0, 0]);
  return attempt;
}

test.each([
  ['IPv4', '127.0.0.1', 8],
  ['IPv6', '::1', 128],
])('replies to all requests pass, with the mean round trip: %s', async (_, address, type) => {
  const kernel = new FakeKernel((request, reply) => setImmediate(() => reply(replyTo(request))));
  const { fail, seconds, phases } = await probe(kernel, {}, address);
  expect(fail).toBeNull();
  expect(seconds).toBeGreaterThan(0);
  expect(phases.firstByte).toBeGreaterThan(0);
  expect(kernel.sent).toHaveLength(3);
  expect(kernel.sent.map(([first]) => first)).toEqual([type, type, type]);
  const sequences = kernel.sent.map((request) => (request[6] << 8) | request[7]);
  expect(sequences).toEqual([0, 1, 2]);
});

test.each<[string, Partial<IcmpTest>, readonly number[], IcmpReason | null, RegExp | null]>([
  ['one of three is lost, half may be', { maxLoss: 50 }, [2], null, null],
  [
    'two of three are lost, half may be',
    { maxLoss: 50 },
    [1, 3],
    'loss',
    /^0\.300 s passed with replies to 1 of 3 echo requests, 2 are needed$/,
  ],
  ['one of three is lost, none may be', {}, [3], 'loss', /replies to 2 of 3 echo requests, 3 are needed$/],
  ['one of three is lost, less than one may be', { maxLoss: 33 }, [1], 'loss', /3 are needed$/],
  ['all but one are lost, 99 per cent may be', { count: 10, maxLoss: 99 }, [1, 2, 3, 4, 5, 6, 7, 8, 9], null, null],
  [
    'all are lost, 99 per cent may be',
    { maxLoss: 99 },
    [1, 2, 3],
    'timeout',
    /^0\.300 s passed without a reply to 3 echo requests$/,
  ],
  ['the only one is lost', { count: 1 }, [1], 'timeout', /without a reply to 1 echo request$/],
])('%s', async (_, more, lost, reason, detail) => {
  const kernel = new FakeKernel((request, reply, nth) => void (lost.includes(nth) || reply(replyTo(request))));
  const { fail } = await probe(kernel, more);
  expect(fail?.reason ?? null).toBe(reason);
  if (detail !== null) expect(fail?.detail).toMatch(detail);
  expect(fail?.unknown).toBeUndefined();
});

describe('no reply is what', () => {
  test.each<[string, (request: Uint8Array, reply: Reply) => void]>([
    ['has another identifier', (request, reply) => reply(replyTo(request, { 5: 0x43 }))],
    ['has another sequence number', (request, reply) => reply(replyTo(request, { 7: 0x77 }))],
    ['has other octets behind its header', (request, reply) => reply(replyTo(request, { 23: request[23] ^ 1 }))],
    ['comes from another address', (request, reply) => reply(replyTo(request), '127.0.0.2')],
    ['is the request itself', (request, reply) => reply(request)],
    ['is of another type', (request, reply) => reply(replyTo(request, { 0: 3 }))],
    ['is of the other family', (request, reply) => reply(replyTo(request, { 0: 129 }))],
    ['has a code', (request, reply) => reply(replyTo(request, { 1: 1 }))],
    ['is cut short', (request, reply) => reply(replyTo(request).subarray(0, 23))],
    ['is longer', (request, reply) => reply(Uint8Array.from([...replyTo(request), 0]))],
    ['is empty', (_, reply) => reply(new Uint8Array())],
  ])('%s', async (_, edge) => {
    expect((await probe(new FakeKernel(edge), { timeout: 0.1 })).fail?.reason).toBe('timeout');
  });

  test('comes twice', async () => {
    const kernel = new FakeKernel((request, reply, nth) => {
      if (nth > 1) return;
      for (let i = 0; i < 3; i++) reply(replyTo(request));
    });
    expect((await probe(kernel, { timeout: 0.1 })).fail?.reason).toBe('loss');
  });

  test('comes after the check', async () => {
    let late = (): void => {};
    const kernel = new FakeKernel((request, reply) => {
      late = () => reply(replyTo(request));
    });
    expect((await probe(kernel, { timeout: 0.1, count: 1 })).fail?.reason).toBe('timeout');
    late();
  });
});

test('another spelling of the address is the same', async () => {
  const kernel = new FakeKernel((request, reply) => reply(replyTo(request), '::1'));
  expect((await probe(kernel, {}, '0:0:0:0:0:0:0:1')).fail).toBeNull();
  const local = new FakeKernel((request, reply) => reply(replyTo(request), 'fe80::1%lo'));
  expect((await probe(local, {}, 'fe80::1%lo')).fail).toBeNull();
});

test.each(['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EPERM'])('requests that the system refuses: %s', async (code) => {
  const { fail } = await probe(new FakeKernel(() => failing(code)));
  expect(fail).toEqual({ reason: 'unreachable', detail: `${code} while sending an echo request`, retry: true });
});

describe('trouble of our own is unknown', () => {
  test('forbidden, and allowed later', async () => {
    const kernel = new FakeKernel((request, reply) => reply(replyTo(request)));
    kernel.problem = { kind: 'forbidden', message: 'not you' };
    const { fail } = await probe(kernel);
    expect(fail).toEqual({ reason: 'forbidden', detail: 'not you', retry: false, unknown: true });
    kernel.problem = null;
    expect((await probe(kernel)).fail).toBeNull();
  });

  test('no socket', async () => {
    const kernel = new FakeKernel(() => {});
    kernel.problem = { kind: 'unsupported', message: 'no ICMP socket: system error 24' };
    expect((await probe(kernel)).fail).toMatchObject({ reason: 'other', unknown: true });
  });

  test('no memory for a request', async () => {
    const { fail } = await probe(new FakeKernel(() => failing('ENOBUFS')));
    expect(fail).toEqual({ reason: 'other', detail: 'send ENOBUFS', retry: true, unknown: true });
  });

  test('some requests that are not sent may be lost ones', async () => {
    const kernel = new FakeKernel((request, reply, nth) => (nth === 1 ? failing('ENOBUFS') : reply(replyTo(request))));
    expect((await probe(kernel, { maxLoss: 50 })).fail).toBeNull();
  });

  test('a socket that breaks; the next check opens another', async () => {
    const kernel = new FakeKernel((request, reply, nth) => {
      if (nth === 1) setImmediate(() => kernel.events?.onError(new Error('broken')));
      else reply(replyTo(request));
    });
    const sender = new EchoSender(4, kernel.open);
    const senders = { 4: sender, 6: sender };
    const once = () =>
      probeIcmp(
        {
          edge: 'e',
          address: '127.0.0.1',
          test: { kind: 'icmp', name: 'icmp', timeout: 5, count: 1, maxLoss: 0, interval: 1 },
        },
        performance.now() + 5000,
        { stalls: { late: () => 0, total: () => 0 }, signal: new AbortController().signal },
        senders,
      );
    expect((await once()).fail).toMatchObject({ reason: 'other', detail: 'broken', unknown: true });
    expect((await once()).fail).toBeNull();
    expect((await once()).fail).toBeNull();
    expect(kernel.opened).toBe(2);
  });

  test('too many requests at once', async () => {
    const sender = new EchoSender(4, new FakeKernel(() => {}).open);
    expect(await sender.ready()).toBeNull();
    const events = { answered: () => {}, failed: () => {} };
    const forgets = Array.from({ length: 32_768 }, () => sender.send('127.0.0.1', events));
    expect(forgets).not.toContain(null);
    expect(sender.send('127.0.0.1', events)).toBeNull();
    forgets[7]?.();
    expect(sender.send('127.0.0.1', events)).not.toBeNull();
    expect(sender.outstanding).toBe(32_768);
  });
});

test('is given up when nobody wants the result any more', async () => {
  const controller = new AbortController();
  const kernel = new FakeKernel(() => controller.abort());
  const { fail } = await probe(kernel, { timeout: 5 }, '127.0.0.1', controller.signal);
  expect(fail).toMatchObject({ reason: 'other', detail: 'the check was cut short' });
  await sleep(30);
  expect(kernel.sent).toHaveLength(1);
});

test('a request is of 24 octets and has room for what the kernel writes', () => {
  expect(Buffer.from(echoRequest(4, 0x1234, TOKEN)).toString('hex')).toBe(
    '0800000000001234000102030405060708090a0b0c0d0e0f',
  );
  expect(echoRequest(6, 1, TOKEN)[0]).toBe(128);
  expect(readEchoReply(replyTo(echoRequest(6, 0x1234, TOKEN)), 6)).toEqual({
    identifier: 0,
    sequence: 0x1234,
    token: TOKEN,
  });
});
