import { afterEach, describe, expect, test } from 'vitest';
import { TYPE } from '../../../src/dns/message.ts';
import { appendUnsigned, serverTime, TSIG_ERROR } from '../../../src/dns/tsig.ts';
import { findTsig, TSIG_ROOM } from '../../../src/dns/tsig-record.ts';
import type { Correction, SetKey } from '../../../src/publish/providers/provider.ts';
import { problemOf } from './conformance.ts';
import { type AnswerParts, answerTo, FakePrimary, frame, plainAnswer, type Script, signed } from './fake-primary.ts';
import { provider, updateKey } from './rfc2136-provider.ts';

const WWW: SetKey = { name: 'www.example.test', type: 'A' };
const STEP: Correction = { ...WWW, was: null, to: { ...WWW, ttl: 60, addresses: ['192.0.2.1'] }, text: '' };
const KEY = updateKey();
/** Long enough for a busy machine. */
const far = (): AbortSignal => AbortSignal.timeout(60_000);

let primary: FakePrimary | null = null;
afterEach(async () => {
  await primary?.stop();
  primary = null;
});

/** Every message is answered by what `of` makes of it; the zone's SOA is right first, unless `of` is asked for it too. */
const start = async (script: Script): Promise<ReturnType<typeof provider>> => {
  primary = await FakePrimary.start(script);
  return provider(primary.port);
};
const good: Script = (request, _, socket) => socket.write(frame(signed(plainAnswer(request), request, KEY)));
/** Answers only the question for `www` A otherwise. */
const wwwAnswer =
  (parts: AnswerParts): Script =>
  (request, _, socket) => {
    const isWww = request[12] === 3 && request[16] === 7 && request[31] === 1;
    const answer = isWww ? answerTo(request, parts) : plainAnswer(request);
    socket.write(frame(signed(answer, request, KEY)));
  };

test('a good server is understood', async () => {
  const one = await start(good);
  expect(await one.read([WWW], far())).toEqual([]);
  await one.apply([STEP], far());
});

describe('answers that are none', () => {
  const flipped = (request: Uint8Array, at: number, to: number): Uint8Array => {
    const octets = signed(plainAnswer(request), request, KEY).slice();
    octets[at] = to;
    return octets;
  };
  const send =
    (make: (request: Uint8Array) => Uint8Array): Script =>
    (request, _, socket) =>
      socket.write(frame(make(request)));
  test.each<[string, Script, RegExp]>([
    ['another identifier', send((request) => flipped(request, 0, request[0] ^ 0x55)), /identifier/],
    ['no response', send((request) => request), /no response/],
    ['another opcode', send((request) => flipped(request, 2, 0xa4 ^ (request[2] & 0x78))), /another kind/],
    ['another question', send((request) => flipped(request, 13, 0x7a)), /another question/],
    [
      'another class',
      send((request) => flipped(request, 29 + (request[12] === 3 ? 4 : 0), 3)),
      /another question|not signed/,
    ],
    ['an empty message', (_, __, socket) => socket.write(Buffer.from([0, 0])), /identifier/],
    ['a short message', (request, _, socket) => socket.write(frame(request.slice(0, 11))), /too short/],
    [
      '64 KiB of zeros',
      (request, _, socket) =>
        socket.write(frame(Uint8Array.from({ length: 65_535 }, (_2, i) => (i < 2 ? request[i] : 0)))),
      /no response/,
    ],
    ['no signature', send(plainAnswer), /not signed with the key upd\.example\.net\./],
    [
      'another secret',
      send((request) => signed(plainAnswer(request), request, updateKey('c2VjcmV0IG9mIGEgdGVzdA=='))),
      /its signature is wrong/,
    ],
    [
      'another key',
      send((request) => signed(plainAnswer(request), request, { ...KEY, name: '\u0001x\0' as typeof KEY.name })),
      /another key/,
    ],
    [
      'an old signature',
      send((request) => signed(plainAnswer(request), request, KEY, Date.now() / 1000 - 1000)),
      /out of time/,
    ],
    [
      'a signature for another request',
      send((request) => signed(plainAnswer(request), signed(plainAnswer(request), request, KEY), KEY)),
      /its signature is wrong/,
    ],
    ['a changed octet', send((request) => flipped(request, 3, 5)), /its signature is wrong/],
    [
      'a record behind the signature',
      send((request) => Buffer.concat([signed(plainAnswer(request), request, KEY), Buffer.alloc(11)])),
      /cannot be read/,
    ],
  ])('%s', async (_, script, why) => {
    for (const act of ['read', 'apply'] as const) {
      const one = await start(script);
      const fault = await problemOf(act === 'read' ? one.read([WWW], far()) : one.apply([STEP], far()));
      expect(`${fault.problem}: ${fault.message}`).toMatch(/^malformed: /);
      expect(fault.message).toMatch(why);
      await primary?.stop();
    }
  });

  test.each<[string, Script]>([
    ['nothing, and the end', (_, __, socket) => socket.end()],
    ['a reset', (_, __, socket) => socket.resetAndDestroy()],
    ['half a message, and the end', (request, _, socket) => socket.end(frame(plainAnswer(request)).subarray(0, 20))],
    [
      'half a message, and a reset',
      (request, _, socket) => socket.write(frame(plainAnswer(request)).subarray(0, 20), () => socket.resetAndDestroy()),
    ],
    ['one octet, and the end', (_, __, socket) => socket.end(Buffer.from([0]))],
  ])('%s: unreachable', async (_, script) => {
    const one = await start(script);
    expect((await problemOf(one.read([WWW], far()))).problem).toBe('unreachable');
    expect((await problemOf(one.apply([STEP], far()))).problem).toBe('unreachable');
  });

  test('octet after octet without end ends with the signal', async () => {
    const late = new AbortController();
    const one = await start((request, index, socket) => {
      if (index > 0) return;
      const octets = frame(signed(plainAnswer(request), request, KEY));
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else socket.write(octets.subarray(at, ++at));
        if (at === 10) late.abort(new Error('enough'));
      }, 5);
    });
    await expect(one.read([WWW], late.signal)).rejects.toThrow('enough');
  });

  test('what nobody asked for is not waited for', async () => {
    const one = await start((request, _, socket) => {
      const whole = frame(signed(plainAnswer(request), request, KEY));
      socket.write(Buffer.concat([whole, whole]));
    });
    expect((await problemOf(one.read([WWW], far()))).message).toMatch(/identifier/);
  });
});

describe('refusals', () => {
  const unsignedError =
    (error: number): Script =>
    (request, _, socket) => {
      const tsig = findTsig(request);
      if (tsig === null || tsig === 'malformed') throw new Error('not signed');
      const answer = answerTo(request, { rcode: 9 });
      const buffer = new Uint8Array(answer.length + TSIG_ROOM);
      buffer.set(answer);
      socket.write(frame(buffer.slice(0, appendUnsigned(buffer, answer.length, tsig, error))));
    };
  const rcode =
    (code: number, isSigned: boolean): Script =>
    (request, _, socket) => {
      const answer = answerTo(request, { rcode: code });
      socket.write(frame(isSigned ? signed(answer, request, KEY) : answer));
    };
  const late: Script = (request, _, socket) => {
    const tsig = findTsig(request);
    if (tsig === null || tsig === 'malformed') throw new Error('not signed');
    const theirs = serverTime(tsig.time + 4000);
    socket.write(frame(signed(answerTo(request, { rcode: 9 }), request, KEY, tsig.time, TSIG_ERROR.badTime, theirs)));
  };
  test.each<[string, Script, string, string]>([
    ['BADKEY', unsignedError(17), 'credentials: does not know the key upd.example.net. with hmac-sha256 (BADKEY)', ''],
    ['BADSIG', unsignedError(16), 'credentials: has another secret for the key upd.example.net. (BADSIG)', ''],
    ['BADTIME', late, 'credentials: finds our signature out of time (BADTIME): the clocks differ by ', ''],
    ['BADTRUNC', unsignedError(22), 'credentials: demands a longer signature', ''],
    [
      'another TSIG error',
      unsignedError(99),
      'credentials: refuses our signature with the key upd.example.net. (TSIG error 99)',
      '',
    ],
    ['NOTAUTH without a word', rcode(9, false), 'credentials: refuses our signature', ''],
    [
      'NOTAUTH, signed',
      rcode(9, true),
      'zone: has no zone example.test (NOTAUTH)',
      'zone: is not the primary of example.test',
    ],
    [
      'REFUSED',
      rcode(5, true),
      'zone: does not answer for example.test (REFUSED)',
      'credentials: refuses updates of example.test with the key upd.example.net. (REFUSED)',
    ],
    ['REFUSED, unsigned', rcode(5, false), 'zone: does not answer for', 'credentials: refuses updates'],
    [
      'SERVFAIL',
      rcode(2, true),
      'trouble: cannot answer for example.test (SERVFAIL)',
      'trouble: failed to update example.test (SERVFAIL)',
    ],
    ['NOTIMP', rcode(4, false), 'refused: does not accept a question', 'refused: takes no dynamic updates (NOTIMP)'],
    [
      'FORMERR',
      rcode(1, false),
      'refused: does not accept a question',
      'refused: does not accept an update of example.test (FORMERR)',
    ],
    [
      'NOTZONE',
      rcode(10, true),
      'refused: does not accept a question',
      'name: says that a name is not in the zone example.test (NOTZONE)',
    ],
    ['NXRRSET', rcode(8, true), 'refused: ', 'conflict: a set of example.test'],
    ['YXRRSET', rcode(7, true), 'refused: ', 'conflict: '],
    ['YXDOMAIN', rcode(6, true), 'refused: ', 'conflict: '],
    ['NXDOMAIN', rcode(3, true), 'zone: has no zone example.test', 'conflict: '],
    ['NXRRSET, unsigned', rcode(8, false), 'malformed: ', 'malformed: '],
    ['NXDOMAIN, unsigned', rcode(3, false), 'malformed: ', 'malformed: '],
  ])('%s', async (_, script, ofRead, ofApply) => {
    const one = await start(script);
    const where = `127.0.0.1:${primary?.port} `;
    const said = async (pending: Promise<unknown>): Promise<string> => {
      const fault = await problemOf(pending);
      return `${fault.problem}: ${fault.message.replace(where, '')}`;
    };
    expect((await said(one.read([WWW], far()))).slice(0, ofRead.length)).toBe(ofRead);
    const expected = ofApply === '' ? ofRead : ofApply;
    expect((await said(one.apply([STEP], far()))).slice(0, expected.length)).toBe(expected);
  });
});

describe('what a set looks like', () => {
  const a = (last: number, ttl = 60) => ({ name: 'www.example.test', type: TYPE.a, ttl, rdata: [192, 0, 2, last] });
  const target = [4, 0x6d, 0x61, 0x69, 0x6c, 0];
  test.each<[string, AnswerParts, unknown]>([
    ['two records', { answer: [a(2), a(1)] }, { ttl: 60, addresses: ['192.0.2.1', '192.0.2.2'] }],
    ['two TTLs', { answer: [a(2), a(1, 61)] }, { ttl: null, addresses: ['192.0.2.1', '192.0.2.2'] }],
    ['a TTL of 2^31', { answer: [a(1, 2 ** 31)] }, { ttl: 2 ** 31 }],
    [
      'records of others beside',
      { answer: [a(1), { ...a(9), name: 'mail.example.test' }] },
      { addresses: ['192.0.2.1'] },
    ],
    ['another spelling', { answer: [{ ...a(1), name: 'wWw.eXample.tesT' }] }, { addresses: ['192.0.2.1'] }],
  ])('%s', async (_, parts, expected) => {
    const one = await start(wwwAnswer(parts));
    expect(await one.read([WWW], far())).toMatchObject([expected]);
  });

  test.each<[string, AnswerParts, string]>([
    ['a CNAME', { answer: [{ name: 'www.example.test', type: TYPE.cname, rdata: target }] }, 'name'],
    ['a DNAME above', { answer: [{ name: 'example.test', type: TYPE.dname, rdata: target }] }, 'name'],
    ['a delegation', { flags: 0x80, authority: [{ name: 'www.example.test', type: TYPE.ns, rdata: target }] }, 'name'],
    ['a zone of its own', { authority: [{ name: 'www.example.test', type: TYPE.soa, rdata: target }] }, 'name'],
    ['no authority', { flags: 0x80, answer: [a(1)] }, 'zone'],
    ['a delegation from above', { flags: 0x80, authority: [{ name: 'test', type: TYPE.ns, rdata: target }] }, 'zone'],
    ['truncated', { flags: 0x86, answer: [a(1)] }, 'malformed'],
    ['five octets as an address', { answer: [{ ...a(1), rdata: [1, 2, 3, 4, 5] }] }, 'malformed'],
    ['no octet as an address', { answer: [{ ...a(1), rdata: [] }] }, 'malformed'],
  ])('%s: no set', async (_, parts, problem) => {
    const one = await start(wwwAnswer(parts));
    expect((await problemOf(one.read([WWW], far()))).problem).toBe(problem);
  });
});

describe('the connection', () => {
  const names = Array.from({ length: 100 }, (_, i): SetKey => ({ name: `n${i}.example.test`, type: 'A' }));

  test('a hundred names go over one, whatever the order of the answers', async () => {
    const waiting: (() => void)[] = [];
    const one = await start((request, index, socket) => {
      waiting.unshift(() => good(request, index, socket));
      setImmediate(() => waiting.shift()?.());
    });
    expect(await one.read(names, far())).toEqual([]);
    expect(primary?.connections).toBe(1);
  });

  test('a server that answers one question a connection is asked on', async () => {
    const one = await start((request, index, socket) => {
      good(request, index, socket);
      socket.end();
    });
    expect(await one.read(names.slice(0, 5), far())).toEqual([]);
    expect(primary?.connections).toBeGreaterThan(1);
  });

  test('a lost answer to an update is not asked for again', async () => {
    const one = await start((_, __, socket) => socket.end());
    expect((await problemOf(one.apply([STEP], far()))).problem).toBe('unreachable');
    expect(primary?.requests).toHaveLength(1);
  });

  test('an IPv6 endpoint, from an address of ours', async () => {
    primary = await FakePrimary.start(good, '::1');
    const one = provider(primary.port, { to: { address: '::1', port: primary.port }, from: '::1' });
    expect(await one.read([WWW], far())).toEqual([]);
    const foreign = provider(primary.port, { to: { address: '::1', port: primary.port }, from: '127.0.0.1' });
    const fault = await problemOf(foreign.read([WWW], far()));
    expect(fault.problem).toBe('unreachable');
    expect(fault.message).toContain('[::1]:');
  });

  test('unsigned, nothing is signed and nothing needs to be', async () => {
    primary = await FakePrimary.start((request, _, socket) => socket.write(frame(plainAnswer(request))));
    const one = provider(primary.port, { key: null });
    expect(await one.read([WWW], far())).toEqual([]);
    await one.apply([STEP], far());
    expect(primary.requests.map((request) => findTsig(request))).toEqual(primary.requests.map(() => null));
  });
});
