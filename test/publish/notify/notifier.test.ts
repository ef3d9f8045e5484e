import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { NotifyTarget, TransferConfig } from '../../../src/config/types.ts';
import { lowerName, type WireName } from '../../../src/dns/name.ts';
import { appendUnsigned, TsigSigner, verifyTsig } from '../../../src/dns/tsig.ts';
import type { TsigKey } from '../../../src/dns/tsig-key.ts';
import { findTsig, TSIG_ROOM } from '../../../src/dns/tsig-record.ts';
import { Notifier } from '../../../src/publish/notify/notifier.ts';
import { FIRST_WAIT_MS, WINDOW } from '../../../src/publish/notify/queue.ts';
import { Guard } from '../../../src/system/guard.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { wireName } from '../../support/dns-query.ts';
import { eventually } from '../../support/edgewise.ts';
import { throwingGuard } from '../../support/guard.ts';
import { testKey } from '../../support/transfer-client.ts';

const KEY = testKey('notify');
const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const close of cleanup.splice(0)) close();
});

type Heard = {
  readonly at: number;
  readonly octets: Buffer;
  readonly from: RemoteInfo;
  readonly id: number;
  readonly serial: number;
};

/** A secondary that hears NOTIFY and answers only what the test answers. */
class FakeSecondary {
  readonly heard: Heard[] = [];
  onHeard: (heard: Heard) => void = () => undefined;
  readonly socket: Socket;
  readonly target: NotifyTarget;

  private constructor(socket: Socket, key: TsigKey | null) {
    this.socket = socket;
    const { address, port } = socket.address();
    this.target = { to: { address, port }, from: null, key: key?.name ?? null, networks: null, zones: null };
    socket.on('message', (octets, from) => {
      const heard = { at: performance.now(), octets, from, id: octets.readUInt16BE(0), serial: serialIn(octets) };
      this.heard.push(heard);
      this.onHeard(heard);
    });
    cleanup.push(() => socket.close());
  }

  static async open(key: TsigKey | null = null, address = '127.0.0.1'): Promise<FakeSecondary> {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
    socket.bind(0, address);
    await once(socket, 'listening');
    return new FakeSecondary(socket, key);
  }

  answer({ from }: Heard, octets: Uint8Array): void {
    this.socket.send(octets, from.port, from.address);
  }

  /** Answers the last one it heard and all that come: on a slow machine a retry may be under way. */
  answersFromNow(make: (heard: Heard) => Uint8Array = answerTo): void {
    this.onHeard = (heard) => this.answer(heard, make(heard));
    const last = this.heard.at(-1);
    if (last !== undefined) this.onHeard(last);
  }

  /** Until it has heard so many. */
  hears(count: number): Promise<unknown> {
    return eventually(
      async () => this.heard.length,
      (seen) => seen >= count,
      40,
    );
  }
}

function serialIn(octets: Uint8Array): number {
  return Number(decodeMessage(octets).answer[0]?.text.split(' ')[2]);
}

/** The answer that RFC 1996 §4.7 wants: header and question back, with QR. */
function answerTo({ octets }: Heard, { id = 0, flags = 0xa400 } = {}): Uint8Array {
  const end = octets.indexOf(Uint8Array.of(0, 0, 6, 0, 1), 12) + 5;
  const answer = Buffer.from(octets.subarray(0, end));
  answer.writeUInt16BE((answer.readUInt16BE(0) + id) & 0xffff, 0);
  answer.writeUInt16BE(flags, 2);
  answer.fill(0, 6, 12);
  return answer;
}

/** The same, signed as an answer to what was heard. */
function signedAnswerTo(heard: Heard): Uint8Array {
  const plain = answerTo(heard);
  const tsig = findTsig(new Uint8Array(heard.octets));
  if (tsig === null || tsig === 'malformed') throw new Error('not signed');
  const room = new Uint8Array(plain.length + TSIG_ROOM);
  room.set(plain);
  return room.subarray(0, new TsigSigner(KEY, tsig.mac).sign(room, plain.length, Date.now() / 1000));
}

const nameIn = ({ octets }: Heard): string => octets.toString('latin1', 12, octets.indexOf(0, 12));
const zoneOf = (i: number): WireName => lowerName(wireName(`z${i}.test`));
const soaOf = (serial: number): Uint8Array => {
  const record = Buffer.alloc(10 + 22);
  record.writeUInt16BE(6, 0);
  record.writeUInt16BE(1, 2);
  record.writeUInt16BE(22, 8);
  record.writeUInt32BE(serial, 12);
  return record;
};

/** A notifier of these secondaries, of a server that listens nowhere. */
function notifierOf(...secondaries: readonly FakeSecondary[]): Notified {
  return notifierTo(secondaries.map(({ target }) => target));
}

/** A notifier of these targets; `change` sets the serial that its zones have. */
function notifierTo(notify: readonly NotifyTarget[], listen: readonly string[] = []): Notified {
  const transfer: TransferConfig = { keys: [KEY], allow: [], notify, notifyNs: false, catalog: null, watchSeconds: 0 };
  const log: string[] = [];
  let current = 0;
  const notifier = new Notifier({
    transfer,
    listen: listen.map((address) => ({ address, port: 53 })),
    soa: () => (current === 0 ? null : soaOf(current)),
    image: () => null,
    lookup: async () => [],
    log: (level, message) => void log.push(`${level} ${message}`),
    guard: throwingGuard(),
  });
  cleanup.push(() => notifier.stop());
  const change = (serial: number, ...zones: readonly number[]): void => {
    current = serial;
    notifier.apply(zones.map((i) => ({ origin: zoneOf(i), network: 'net', serial })));
  };
  return { notifier, log, change };
}

type Notified = {
  readonly notifier: Notifier;
  readonly log: string[];
  readonly change: (serial: number, ...zones: readonly number[]) => void;
};

const counted = (notifier: Notifier, wanted: Partial<ReturnType<Notifier['counts']>>): Promise<unknown> =>
  eventually(
    async () => notifier.counts(),
    (seen) => Object.entries(wanted).every(([name, count]) => seen[name as keyof typeof seen] === count),
  );

describe('a NOTIFY', () => {
  test.each(['127.0.0.1', '::1'])('is what RFC 1996 §3 wants, and its answer ends it; at %s', async (address) => {
    const secondary = await FakeSecondary.open(null, address);
    const { notifier, change } = notifierOf(secondary);
    change(7, 1);
    await secondary.hears(1);
    const [heard] = secondary.heard;
    expect(heard.octets.readUInt16BE(2)).toBe(0x2400); // opcode NOTIFY, AA
    const { answer, question } = decodeMessage(heard.octets);
    expect([question, answer.map(({ owner, type }) => [owner, type])]).toMatchObject([
      { name: 'z1.test.', type: 'SOA' },
      [['z1.test.', 'SOA']],
    ]);
    expect(heard.serial).toBe(7);
    secondary.answersFromNow();
    await counted(notifier, { acknowledged: 1, pending: 0 });
  });

  test('without an answer goes out again, each time later than the last, with another identifier', async () => {
    const secondary = await FakeSecondary.open();
    const { notifier, change } = notifierOf(secondary);
    change(7, 1);
    await secondary.hears(3);
    const [first, second, third] = secondary.heard;
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    // Never earlier than the back-off says; how much later is the machine's affair.
    expect(third.at - first.at).toBeGreaterThan(3 * FIRST_WAIT_MS - 100);
    secondary.answersFromNow();
    await counted(notifier, { acknowledged: 1, pending: 0 });
  });

  test('that is refused is said, and not tried again', async () => {
    const secondary = await FakeSecondary.open();
    const { notifier, log, change } = notifierOf(secondary);
    secondary.onHeard = (heard) => secondary.answer(heard, answerTo(heard, { flags: 0xa405 }));
    change(7, 1);
    await counted(notifier, { acknowledged: 0, pending: 0 });
    expect(log.at(-1)).toMatch(/^warn NOTIFY of z1\.test\. to 127\.0\.0\.1:\d+ was refused with REFUSED \(.*\)$/);
  });
});

describe('no answer is', () => {
  const stranger = async (heard: Heard, octets: Uint8Array): Promise<void> => {
    const socket = createSocket('udp4');
    cleanup.push(() => socket.close());
    await new Promise<void>((resolve) => socket.send(octets, heard.from.port, heard.from.address, () => resolve()));
  };

  test.each<[string, (secondary: FakeSecondary, heard: Heard) => unknown]>([
    ['one with another identifier', (secondary, heard) => secondary.answer(heard, answerTo(heard, { id: 1 }))],
    ['one from another port', (_, heard) => stranger(heard, answerTo(heard))],
    ['a query', (secondary, heard) => secondary.answer(heard, answerTo(heard, { flags: 0x2400 }))],
    ['an answer to something else', (secondary, heard) => secondary.answer(heard, answerTo(heard, { flags: 0x8400 }))],
    ['half a message', (secondary, heard) => secondary.answer(heard, answerTo(heard).subarray(0, 15))],
    [
      'a name that points to itself',
      (secondary, heard) =>
        secondary.answer(heard, Buffer.concat([answerTo(heard).subarray(0, 12), Uint8Array.of(0xc0, 12, 0, 6, 0, 1)])),
    ],
    ...[
      [1, 97, 0xc0, 12],
      [1, 97, 0xc0, 0],
      [1, 97, 0xff, 0xff],
    ].map((name): [string, (secondary: FakeSecondary, heard: Heard) => unknown] => [
      `from a stranger, a name that goes on elsewhere: ${name.join(' ')}`,
      (_, heard) =>
        stranger(heard, Buffer.concat([answerTo(heard).subarray(0, 12), Uint8Array.of(...name, 0, 6, 0, 1)])),
    ]),
  ])('%s', async (_, send) => {
    const secondary = await FakeSecondary.open();
    const { notifier, change } = notifierOf(secondary);
    change(7, 1);
    await secondary.hears(1);
    await send(secondary, secondary.heard[0]);
    await secondary.hears(2); // it is still waiting
    expect(notifier.counts().acknowledged).toBe(0);
    secondary.answersFromNow();
    await counted(notifier, { acknowledged: 1 });
  });
});

test('octets of any kind from anybody change nothing', async () => {
  const secondary = await FakeSecondary.open();
  const { notifier, change } = notifierOf(secondary);
  change(7, 1);
  await secondary.hears(1);
  const [heard] = secondary.heard;
  const socket = createSocket('udp4');
  cleanup.push(() => socket.close());
  const answer = answerTo(heard, { id: 1 });
  const changed = fc.array(fc.tuple(fc.nat(answer.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 40 }).map((rest) => Uint8Array.from([...answer.subarray(0, 12), ...rest])),
    changed.map((places) => {
      const copy = Uint8Array.from(answer);
      for (const [place, octet] of places) if (place > 1) copy[place] = octet;
      return copy;
    }),
  );
  for (const message of fc.sample(octets, 2000)) {
    await new Promise<void>((resolve) => socket.send(message, heard.from.port, heard.from.address, () => resolve()));
  }
  expect(notifier.counts().acknowledged).toBe(0);
  secondary.answersFromNow();
  await counted(notifier, { acknowledged: 1 });
});

test('the newest serial wins: the answer to an older one proves nothing', async () => {
  const secondary = await FakeSecondary.open();
  const { notifier, change } = notifierOf(secondary);
  change(7, 1);
  await secondary.hears(1);
  const [older] = secondary.heard;
  change(8, 1);
  await eventually(
    async () => secondary.heard.at(-1)?.serial,
    (serial) => serial === 8,
  );
  const serials = secondary.heard.map(({ serial }) => serial);
  expect(serials.slice(serials.indexOf(8))).not.toContain(7);
  secondary.answer(older, answerTo(older));
  await secondary.hears(secondary.heard.length + 1); // 8 is still waiting
  expect(notifier.counts().acknowledged).toBe(0);
  secondary.answersFromNow();
  await counted(notifier, { acknowledged: 1, pending: 0 });
});

test('a thousand zones go out as the answers come, and a silent secondary holds up no other', async () => {
  const [quick, silent] = [await FakeSecondary.open(), await FakeSecondary.open()];
  const { notifier, change } = notifierOf(quick, silent);
  const open = new Set<string>();
  let most = 0;
  const waiting: Heard[] = [];
  // Answers ten at a time, so that what is out is seen.
  quick.onHeard = (heard) => {
    most = Math.max(most, open.add(nameIn(heard)).size);
    waiting.push(heard);
    setImmediate(() => {
      for (const one of waiting.splice(0, 10)) {
        open.delete(nameIn(one));
        quick.answer(one, answerTo(one));
      }
    });
  };
  change(7, ...Array.from({ length: 1000 }, (_, i) => i));
  await counted(notifier, { acknowledged: 1000 });
  expect(new Set(quick.heard.map(nameIn)).size).toBe(1000);
  expect(most).toBeLessThanOrEqual(2 * WINDOW); // a loss on the way is sent again
  // It hears of them all, too, only slower.
  await eventually(
    async () => new Set(silent.heard.map(nameIn)).size,
    (heard) => heard === 1000,
  );
});

describe('with a key', () => {
  test('it is signed, and only a signed answer counts', async () => {
    const secondary = await FakeSecondary.open(KEY);
    const { notifier, change } = notifierOf(secondary);
    change(7, 1);
    await secondary.hears(1);
    const [first] = secondary.heard;
    const tsig = findTsig(first.octets);
    if (tsig === null || tsig === 'malformed') throw new Error('not signed');
    expect(verifyTsig(new Uint8Array(first.octets), tsig, [KEY], Date.now() / 1000).ok).toBe(true);
    secondary.answer(first, answerTo(first));
    await secondary.hears(2);
    expect(notifier.counts().acknowledged).toBe(0);
    secondary.answersFromNow(signedAnswerTo);
    await counted(notifier, { acknowledged: 1, pending: 0 });
  });
});

describe('with another configuration', () => {
  const NOBODY: TransferConfig = { keys: [], allow: [], notify: [], notifyNs: false, catalog: null, watchSeconds: 0 };

  test('what is no longer configured hears nothing more', async () => {
    const [gone, other] = [await FakeSecondary.open(), await FakeSecondary.open()];
    const { notifier, change } = notifierOf(gone);
    change(7, 1);
    await gone.hears(1);
    notifier.configure({ ...NOBODY, notify: [other.target] }, []);
    expect(notifier.counts().pending).toBe(0);
    change(8, 1);
    await other.hears(1);
    expect(gone.heard).toHaveLength(1);
  });

  test('who stays is told on, whatever its place; who is new hears of the zones there are', async () => {
    const [stays, fresh] = [await FakeSecondary.open(KEY), await FakeSecondary.open()];
    const { notifier, change } = notifierOf(stays);
    change(7, 1, 2);
    await stays.hears(2);
    const [first] = stays.heard;
    const zones = [1, 2, 3].map((i) => ({ origin: zoneOf(i), network: 'net', serial: 7 }));
    fresh.answersFromNow();
    notifier.configure({ ...NOBODY, keys: [KEY], notify: [fresh.target, stays.target] }, zones);
    expect(notifier.counts().pending).toBe(2 + 3);
    // Even an answer to what was sent before counts.
    stays.answer(first, signedAnswerTo(first));
    await counted(notifier, { acknowledged: 4, pending: 1 });
    expect(new Set(fresh.heard.map(nameIn)).size).toBe(3);
    notifier.again(1, zoneOf(9), 7);
    await eventually(
      async () => stays.heard.map(nameIn),
      (names) => names.includes('\x02z9\x04test'),
    );
  });
});

test('a thousand refusals are one line in the log, and later another', async () => {
  const secondary = await FakeSecondary.open();
  const { notifier, log, change } = notifierOf(secondary);
  secondary.onHeard = (heard) => secondary.answer(heard, answerTo(heard, { flags: 0xa405 }));
  change(7, ...Array.from({ length: 1000 }, (_, i) => i));
  await counted(notifier, { pending: 0 });
  expect(log.filter((line) => line.includes('refused with REFUSED')).length).toBeLessThan(20);
  await eventually(
    async () => log.join('\n'),
    (text) =>
      /NOTIFY of z\d+\.test\. to .* was refused with REFUSED .*\n.*NOTIFY of \d+ more to .* was refused with REFUSED/.test(
        text,
      ),
  );
});

describe('a NOTIFY leaves', () => {
  test('from the listened address that the kernel would take', async () => {
    const secondary = await FakeSecondary.open();
    const { change } = notifierTo([secondary.target], ['127.0.0.9', '127.0.0.1', '::1']);
    change(7, 1);
    await secondary.hears(1);
    expect(secondary.heard[0].from.address).toBe('127.0.0.1');
  });

  test.each([
    ['127.0.0.1', '127.0.0.3'],
    ['127.0.0.2', '127.0.0.4'],
    ['::1', '::1'],
  ])('to %s from the address that its `from` names', async (address, from) => {
    const secondary = await FakeSecondary.open(null, address);
    const { notifier, change } = notifierTo([{ ...secondary.target, from }], ['127.0.0.1', '::1']);
    secondary.answersFromNow();
    change(7, 1);
    await counted(notifier, { acknowledged: 1, pending: 0 });
    expect(secondary.heard[0].from.address).toBe(from);
  });

  test('from loopback where the first address listened on is another', async () => {
    const secondary = await FakeSecondary.open(null, '127.0.0.2');
    const { notifier, change } = notifierTo([secondary.target], ['127.0.0.8']);
    secondary.answersFromNow();
    change(7, 1);
    await counted(notifier, { acknowledged: 1 });
    expect(secondary.heard[0].from.address).toBe('127.0.0.8');
  });

  test.each(['0.0.0.0', '::'])('by the kernel where it listens on all addresses (%s)', async (wildcard) => {
    const secondary = await FakeSecondary.open(null, wildcard === '::' ? '::1' : '127.0.0.1');
    const { notifier, change } = notifierTo([secondary.target], [wildcard]);
    secondary.answersFromNow();
    change(7, 1);
    await counted(notifier, { acknowledged: 1 });
  });

  test('to the same secondary twice, where it is configured twice', async () => {
    const secondary = await FakeSecondary.open();
    const { notifier, change } = notifierTo([secondary.target, secondary.target], ['127.0.0.1']);
    secondary.answersFromNow();
    change(7, 1);
    await counted(notifier, { acknowledged: 2, pending: 0 });
  });

  test('to IPv4 written as IPv6', async () => {
    const secondary = await FakeSecondary.open();
    const to = { ...secondary.target.to, address: '::ffff:127.0.0.1' };
    const { notifier, change } = notifierTo([{ ...secondary.target, to }], ['127.0.0.1', '::1']);
    secondary.answersFromNow();
    change(7, 1);
    await counted(notifier, { acknowledged: 1 });
  });
});

describe('what the kernel refuses to send', () => {
  // An address of documentation: it is on no machine, so that nothing can be sent from it.
  const NOT_OURS = '192.0.2.77';

  test('is a warning with the reason at the first try, a fault, and counted in the end', async () => {
    const secondary = await FakeSecondary.open();
    const { notifier, log, change } = notifierTo([{ ...secondary.target, from: NOT_OURS }]);
    change(7, 1);
    await eventually(
      async () => log.join('\n'),
      (text) =>
        /^warn NOTIFY of z1\.test\. to 127\.0\.0\.1:\d+ could not be sent: .*EADDRNOTAVAIL.*192\.0\.2\.77/.test(text),
    );
    expect(notifier.faults()).toMatchObject([expect.stringMatching(/could not be sent/)]);
    expect(notifier.counts()).toMatchObject({ acknowledged: 0, pending: 1 });
    expect(secondary.heard).toEqual([]);
  });

  test('holds up no other secondary', async () => {
    const [refused, well] = [await FakeSecondary.open(), await FakeSecondary.open()];
    const { notifier, change } = notifierTo([{ ...refused.target, from: NOT_OURS }, well.target]);
    well.answersFromNow();
    change(7, 1, 2, 3);
    await counted(notifier, { acknowledged: 3 });
  });
});

/** Refusals as servers send them. `tsig`: an unsigned TSIG record with this error (RFC 8945 §5.2). */
const refusal = (heard: Heard, rcode: number, { octets = 999, questions = 1, flags = 0xa400 } = {}): Uint8Array => {
  const answer = Buffer.from(answerTo(heard, { flags: flags | rcode }).subarray(0, octets));
  answer.writeUInt16BE(questions, 4);
  return answer;
};

function unsignedTsig(heard: Heard, error: number): Uint8Array {
  const plain = answerTo(heard, { flags: 0xa409 });
  const tsig = findTsig(new Uint8Array(heard.octets));
  if (tsig === null || tsig === 'malformed') throw new Error('not signed');
  const room = new Uint8Array(plain.length + TSIG_ROOM);
  room.set(plain);
  return room.subarray(0, appendUnsigned(room, plain.length, tsig, error));
}

/** Signed with another secret of the same key's name. */
function wronglySigned(heard: Heard): Uint8Array {
  const plain = answerTo(heard, { flags: 0xa405 });
  const room = new Uint8Array(plain.length + TSIG_ROOM);
  room.set(plain);
  const other = { ...KEY, secret: Uint8Array.of(1, 2, 3) };
  return room.subarray(0, new TsigSigner(other, new Uint8Array(32)).sign(room, plain.length, Date.now() / 1000));
}

describe.each([
  ['with a key', KEY],
  ['without a key', null],
])('a refusal, %s,', (_, key) => {
  test.each<[string, (heard: Heard) => Uint8Array, RegExp]>([
    ['NOTAUTH, as BIND and Knot answer', (heard) => refusal(heard, 9), /refused with NOTAUTH/],
    ['REFUSED', (heard) => refusal(heard, 5), /refused with REFUSED/],
    ['NOTIMP', (heard) => refusal(heard, 4), /refused with NOTIMP/],
    ['NOTIMP without opcode', (heard) => refusal(heard, 4, { flags: 0x8400 }), /refused with NOTIMP/],
    ['FORMERR, a header alone', (heard) => refusal(heard, 1, { octets: 12, questions: 0 }), /refused with FORMERR/],
    ['FORMERR, a header that claims a question', (heard) => refusal(heard, 1, { octets: 12 }), /refused with FORMERR/],
    ['FORMERR, half a question', (heard) => refusal(heard, 1, { octets: 16 }), /refused with FORMERR/],
    ['SERVFAIL', (heard) => refusal(heard, 2), /refused with SERVFAIL/],
    ['a code nobody knows', (heard) => refusal(heard, 14), /refused with RCODE14/],
  ])('ends its tries and is said: %s', async (__, answer, text) => {
    const secondary = await FakeSecondary.open(key);
    const { notifier, log, change } = notifierOf(secondary);
    secondary.onHeard = (heard) => secondary.answer(heard, answer(heard));
    change(7, 1);
    await counted(notifier, { refused: 1, acknowledged: 0, unanswered: 0, pending: 0 });
    expect(log.at(-1)).toMatch(text);
    expect(log.at(-1)?.endsWith(', unsigned')).toBe(key !== null);
    expect(notifier.faults()).toMatchObject([expect.stringMatching(text)]);
    // The next serial is sent all the same, and its success ends the trouble.
    secondary.answersFromNow(key === null ? answerTo : signedAnswerTo);
    change(8, 1);
    await counted(notifier, { acknowledged: 1, pending: 0 });
    expect(notifier.faults()).toEqual([]);
  });
});

describe('a refusal of a signed NOTIFY', () => {
  test.each<[string, (heard: Heard) => Uint8Array, RegExp]>([
    ['BADKEY', (heard) => unsignedTsig(heard, 17), /NOTAUTH \(BADKEY: it has no such key\), unsigned$/],
    ['BADSIG', (heard) => unsignedTsig(heard, 16), /NOTAUTH \(BADSIG: another secret\), unsigned$/],
    ['signed with another secret', wronglySigned, /REFUSED \(.*\), unsigned$/],
  ])('%s', async (_, answer, text) => {
    const secondary = await FakeSecondary.open(KEY);
    const { notifier, log, change } = notifierOf(secondary);
    secondary.onHeard = (heard) => secondary.answer(heard, answer(heard));
    change(7, 1);
    await counted(notifier, { refused: 1, pending: 0 });
    expect(log.at(-1)).toMatch(text);
  });

  test('is not tried again at once where the secondary is seen to be behind; another serial is', async () => {
    const secondary = await FakeSecondary.open(KEY);
    const { notifier, change } = notifierOf(secondary);
    secondary.onHeard = (heard) => secondary.answer(heard, refusal(heard, 9));
    change(7, 1);
    await counted(notifier, { refused: 1, pending: 0 });
    notifier.again(0, zoneOf(1), 7);
    expect(notifier.counts().pending).toBe(0);
    notifier.again(0, zoneOf(1), 8);
    expect(notifier.counts().pending).toBe(1);
    await counted(notifier, { refused: 2, pending: 0 });
  });

  test.each<[string, (heard: Heard) => Uint8Array]>([
    ['of another zone', (heard) => Buffer.from(refusal(heard, 9)).fill(0x78, 13, 14)],
    ['with another identifier', (heard) => answerTo(heard, { id: 1, flags: 0xa409 })],
    ['that is a query', (heard) => refusal(heard, 9, { flags: 0x2400 })],
  ])('is none %s', async (_, answer) => {
    const secondary = await FakeSecondary.open(KEY);
    const { notifier, change } = notifierOf(secondary);
    secondary.onHeard = (heard) => secondary.answer(heard, answer(heard));
    change(7, 1);
    await secondary.hears(2);
    expect(notifier.counts()).toMatchObject({ refused: 0, pending: 1 });
    secondary.answersFromNow(signedAnswerTo);
    await counted(notifier, { acknowledged: 1, pending: 0 });
  });

  test.each([
    ['another port', '127.0.0.1'],
    ['another address', '127.0.0.2'],
  ])('from %s is none', async (_, from) => {
    const secondary = await FakeSecondary.open(KEY);
    const { notifier, change } = notifierOf(secondary);
    const socket = createSocket('udp4');
    cleanup.push(() => socket.close());
    socket.bind(0, from);
    await once(socket, 'listening');
    secondary.onHeard = (heard) => socket.send(refusal(heard, 9), heard.from.port, heard.from.address);
    change(7, 1);
    await secondary.hears(2);
    expect(notifier.counts()).toMatchObject({ refused: 0, pending: 1 });
  });
});

test('a zone that is gone is not sent any more and no fault stays of it', async () => {
  const secondary = await FakeSecondary.open();
  const { notifier, change } = notifierOf(secondary);
  secondary.onHeard = (heard) => secondary.answer(heard, refusal(heard, 5));
  change(7, 1);
  await counted(notifier, { refused: 1 });
  expect(notifier.faults()).toHaveLength(1);
  secondary.onHeard = () => undefined;
  change(8, 1, 2);
  notifier.forget(zoneOf(1));
  expect(notifier.counts().pending).toBe(1);
  expect(notifier.faults()).toEqual([]);
  change(0, 3); // the zone went while its NOTIFY waited
  await counted(notifier, { pending: 0 });
});

test('zones that are refused alike are one fault', async () => {
  const secondary = await FakeSecondary.open();
  const { notifier, change } = notifierOf(secondary);
  secondary.onHeard = (heard) => secondary.answer(heard, refusal(heard, 5));
  change(7, ...Array.from({ length: 300 }, (_, i) => i));
  await counted(notifier, { refused: 300, pending: 0 });
  expect(notifier.faults()).toMatchObject([expect.stringMatching(/^NOTIFY of z\d+\.test\. \(and of 299 more\) to /)]);
});

test('a throw while one zone is sent is contained, and the others are sent', async () => {
  const secondary = await FakeSecondary.open();
  secondary.answersFromNow();
  const guard = new Guard({ report: () => undefined, now: () => 0 });
  const notifier = new Notifier({
    transfer: { keys: [], allow: [], notify: [secondary.target], notifyNs: false, catalog: null, watchSeconds: 0 },
    listen: [],
    soa: (zone) => {
      if (zone === zoneOf(1)) throw new Error('a bug');
      return soaOf(7);
    },
    image: () => null,
    lookup: async () => [],
    log: () => undefined,
    guard,
  });
  cleanup.push(() => notifier.stop());
  notifier.apply([1, 2, 3].map((i) => ({ origin: zoneOf(i), network: null, serial: 7 })));
  await counted(notifier, { acknowledged: 2, pending: 1 });
  expect(guard.faults()).toMatchObject([{ part: 'NOTIFY', message: 'a bug' }]);
});

test('once nothing waits for an answer, nobody listens for one any more', async () => {
  const secondary = await FakeSecondary.open();
  secondary.answersFromNow();
  const { notifier, change } = notifierTo([secondary.target], ['127.0.0.1']);
  change(7, 1);
  await counted(notifier, { acknowledged: 1, pending: 0 });
  const [{ from }] = secondary.heard;
  const stranger = createSocket('udp4');
  cleanup.push(() => stranger.close());
  stranger.connect(from.port, from.address);
  await once(stranger, 'connect');
  const refused = once(stranger, 'error');
  stranger.send(Buffer.alloc(12));
  expect(await refused).toMatchObject([{ code: 'ECONNREFUSED' }]);
  change(8, 1);
  await counted(notifier, { acknowledged: 2, pending: 0 });
});
