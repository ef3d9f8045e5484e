import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SIZE_BOUNDS } from '../../../../src/server/stats.ts';
import {
  answers,
  askTcp,
  isTruncated,
  lastAddress,
  query,
  type Running,
  rcode,
  startThreads,
  TYPE,
  UdpClient,
  zoneUpdate,
} from '../listen-fixture.ts';

/** Both UDP front ends run through the same rows; what only one of them can do stands at the end. */
describe.each([
  { frontEnd: 'recvmmsg', portable: '' },
  { frontEnd: 'node:dgram', portable: '1' },
])('UDP through $frontEnd', ({ frontEnd, portable }) => {
  const listen = [
    { address: '127.0.0.1', port: 0 },
    { address: '::1', port: 0 },
  ];
  let running: Running;
  beforeAll(async () => {
    process.env['EDGEWISE_PORTABLE_UDP'] = portable;
    running = await startThreads({ listen });
  });
  afterAll(async () => {
    await running.threads.stop();
    delete process.env['EDGEWISE_PORTABLE_UDP'];
  });

  test('the front end is the one under test', () => {
    const lines = running.logs.filter((line) => line.includes('one packet at a time'));
    expect(lines).toHaveLength(frontEnd === 'recvmmsg' ? 0 : 1);
  });

  test.each([
    { name: 'IPv4', endpoint: 0, from: '127.0.0.1' },
    { name: 'IPv4, from another address', endpoint: 0, from: '127.0.0.9' },
    { name: 'IPv6', endpoint: 1, from: '::1' },
  ])('answers over $name from the address and port that were asked', async ({ endpoint, from }) => {
    const to = running.threads.endpoints[endpoint];
    const client = await UdpClient.open(from);
    client.send(query('www.front.test', TYPE.a, 0xbeef), to);
    const answer = await client.next();
    client.close();
    expect([answer.from, answer.port]).toEqual([to.address, to.port]);
    expect(answer.octets.readUInt16BE(0)).toBe(0xbeef);
    expect(lastAddress(answer.octets)).toBe('192.0.2.80');
  });

  test('TCP answers on the same port', async () => {
    for (const endpoint of running.threads.endpoints) {
      const octets = await askTcp(query('big.front.test', TYPE.txt, 7), endpoint);
      expect([octets.readUInt16BE(0), answers(octets), isTruncated(octets)]).toEqual([7, 10, false]);
    }
  });

  test('the size of each answer is counted by transport, to the octet', async () => {
    const [v4, v6] = running.threads.endpoints;
    const before = running.threads.sums().sizes;
    const client = await UdpClient.open();
    const client6 = await UdpClient.open('::1');
    const sent: { readonly [transport: string]: readonly Buffer[] } = {
      udp4: [
        await client.ask(query('www.front.test', TYPE.a, 1), v4),
        await client.ask(query('www.front.test', TYPE.a, 2), v4),
        await client.ask(query('big.front.test', TYPE.txt, 3, 1232), v4),
      ],
      udp6: [await client6.ask(query('nowhere.test', TYPE.a, 4), v6)],
      tcp: [await askTcp(query('big.front.test', TYPE.txt, 5), v4), await askTcp(query('www.front.test', 1, 6), v6)],
      tls: [],
    };
    client.close();
    client6.close();
    for (const [i, { transport, counts, octets }] of running.threads.sums().sizes.entries()) {
      const lengths = sent[transport].map(({ length }) => length);
      const added = counts.map((count, bucket) => count - before[i].counts[bucket]);
      expect(octets - before[i].octets, transport).toBe(lengths.reduce((sum, length) => sum + length, 0));
      const expected = counts.map(() => 0);
      for (const length of lengths) expected[[...SIZE_BOUNDS, Infinity].findIndex((bound) => length <= bound)]++;
      expect(added, transport).toEqual(expected);
    }
  });

  test.each([
    { name: 'no EDNS', edns: 0, most: 512 },
    { name: 'EDNS 4096, more than we send', edns: 4096, most: 1232 },
    { name: 'EDNS 600', edns: 600, most: 600 },
  ])('what does not fit is truncated: $name', async ({ edns, most }) => {
    const client = await UdpClient.open();
    const octets = await client.ask(query('big.front.test', TYPE.txt, 1, edns), running.threads.endpoints[0]);
    client.close();
    expect(isTruncated(octets)).toBe(true);
    expect(octets.length).toBeLessThanOrEqual(most);
  });

  test('a burst of a thousand: each gets its own answer', async () => {
    const to = running.threads.endpoints[0];
    const client = await UdpClient.open();
    const seen = new Map<number, string>();
    // Ten waves, so that the client's own receive buffer holds a wave.
    for (let wave = 0; wave < 10; wave++) {
      const ids = Array.from({ length: 100 }, (_, i) => wave * 100 + i);
      for (const id of ids) client.send(query(`n${id}.wild.front.test`, TYPE.a, id), to);
      for (const _ of ids) {
        const { octets } = await client.next();
        seen.set(octets.readUInt16BE(0), octets.toString('latin1', 13, octets.indexOf(4, 13)));
      }
    }
    client.close();
    expect(seen.size).toBe(1000);
    for (const [id, label] of seen) expect(label).toBe(`n${id}`);
  });

  test('packets without an answer between others cost nobody theirs', async () => {
    const to = running.threads.endpoints[0];
    const client = await UdpClient.open();
    const response = query('www.front.test', TYPE.a, 9);
    response[2] = 0x80;
    for (let id = 0; id < 60; id++) {
      client.send(
        id % 3 === 0 ? response : id % 3 === 1 ? Buffer.alloc(id % 12) : query('www.front.test', TYPE.a, id),
        to,
      );
    }
    const ids: number[] = [];
    for (let i = 0; i < 20; i++) ids.push((await client.next()).octets.readUInt16BE(0));
    client.close();
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 3 * i + 2));
  });

  test('a packet over 4096 octets is dropped and counted, the next one answered', async () => {
    const to = running.threads.endpoints[0];
    const before = running.threads.sums().events.dropped;
    const client = await UdpClient.open();
    client.send(Buffer.concat([query('www.front.test', TYPE.a, 1), Buffer.alloc(5000)]), to);
    const octets = await client.ask(query('www.front.test', TYPE.a, 2), to);
    client.close();
    expect(octets.readUInt16BE(0)).toBe(2);
    expect(running.threads.sums().events.dropped).toBe(before + 1);
  });

  test('a client that is gone (ICMP port unreachable) disturbs nobody', async () => {
    const to = running.threads.endpoints[0];
    for (let i = 0; i < 20; i++) {
      const client = await UdpClient.open();
      const sent = new Promise((resolve) => {
        client.socket.send(query('www.front.test', TYPE.a, 1), to.port, to.address, resolve);
      });
      await sent;
      client.close();
    }
    const client = await UdpClient.open();
    const octets = await client.ask(query('www.front.test', TYPE.a, 2), to);
    client.close();
    expect(rcode(octets)).toBe(0);
  });

  test('a flip of the live set is in the next answer', async () => {
    const client = await UdpClient.open();
    for (const last of [11, 12, 13]) {
      running.slots.write(0, { serial: 100 + last, v4: [Uint8Array.of(192, 0, 2, last)], v6: [] });
      const octets = await client.ask(query('front.test', TYPE.a, last), running.threads.endpoints[0]);
      expect(lastAddress(octets)).toBe(`192.0.2.${last}`);
    }
    client.close();
  });

  test('zones come, change and go', async () => {
    const { threads } = running;
    const client = await UdpClient.open();
    const ask = () => client.ask(query('www.second.test', TYPE.a, 1), threads.endpoints[0]);
    expect(rcode(await ask())).toBe(5);
    threads.send([zoneUpdate('second.test', 1, 81)]);
    await threads.settled();
    expect(lastAddress(await ask())).toBe('192.0.2.81');
    threads.send([zoneUpdate('second.test', 1, 82)]);
    await threads.settled();
    expect(lastAddress(await ask())).toBe('192.0.2.82');
    expect(lastAddress(await askTcp(query('www.second.test', TYPE.a, 1), threads.endpoints[0]))).toBe('192.0.2.82');
    threads.send([{ kind: 'gone', zone: 1 }]);
    await threads.settled();
    expect(rcode(await ask())).toBe(5);
    client.close();
  });

  test('queries are counted by transport, type, rcode and network', async () => {
    const { threads } = running;
    const before = threads.sums();
    const [v4, v6] = [await UdpClient.open('127.0.0.1'), await UdpClient.open('::1')];
    await v4.ask(query('www.front.test', TYPE.aaaa, 1), threads.endpoints[0]);
    await v6.ask(query('nope.front.test', TYPE.aaaa, 1, 1232), threads.endpoints[1]);
    await askTcp(query('www.front.test', TYPE.aaaa, 1), threads.endpoints[0]);
    v4.close();
    v6.close();
    const after = threads.sums();
    const grown = (rows: typeof after.queries, old: typeof before.queries, transport: string): number => {
      const count = (list: typeof rows) => list.find((row) => row.transport === transport && row.type === TYPE.aaaa);
      return (count(rows)?.count ?? 0) - (count(old)?.count ?? 0);
    };
    expect(['udp4', 'udp6', 'tcp'].map((transport) => grown(after.queries, before.queries, transport))).toEqual([
      1, 1, 1,
    ]);
    expect(after.networks[1] - before.networks[1]).toBe(3);
    expect(after.events.edns - before.events.edns).toBe(1);
    const nxdomain = (sums: typeof after) =>
      sums.answers.find((row) => row.transport === 'udp6' && row.rcode === 3)?.count ?? 0;
    expect(nxdomain(after) - nxdomain(before)).toBe(1);
  });
});

describe.each([
  { frontEnd: 'recvmmsg', portable: '' },
  { frontEnd: 'node:dgram', portable: '1' },
])('rate limit through $frontEnd', ({ portable }) => {
  const rateLimit = { perSecond: 5, slip: 2, ipv4Prefix: 32, ipv6Prefix: 56, whitelist: [], size: 1000 };
  let running: Running;
  beforeAll(async () => {
    process.env['EDGEWISE_PORTABLE_UDP'] = portable;
    running = await startThreads({ rateLimit });
  });
  afterAll(async () => {
    await running.threads.stop();
    delete process.env['EDGEWISE_PORTABLE_UDP'];
  });

  test('a flood is cut down, slips come truncated and empty with their OPT, TCP and other clients are not limited', async () => {
    const { threads } = running;
    const to = threads.endpoints[0];
    const client = await UdpClient.open('127.0.0.7');
    const received: Buffer[] = [];
    client.socket.on('message', (octets) => received.push(octets));
    const count = 200;
    for (let id = 0; id < count; id++) client.send(query('www.front.test', TYPE.a, id, 1232), to);
    // The thread answers in order: once another client has its answer, all of these were dealt with.
    const other = await UdpClient.open('127.0.0.8');
    expect(lastAddress(await other.ask(query('www.front.test', TYPE.a, 1), to))).toBe('192.0.2.80');
    expect(lastAddress(await askTcp(query('www.front.test', TYPE.a, 1), to))).toBe('192.0.2.80');
    const { rate_limited, rate_slipped } = threads.sums().events;
    const whole = count - rate_limited - rate_slipped;
    expect(whole).toBeGreaterThanOrEqual(5);
    expect(whole).toBeLessThan(count / 2); // five at once and five a second, however long the machine takes
    expect(Math.abs(rate_limited - rate_slipped)).toBeLessThanOrEqual(1);
    while (received.length < whole + rate_slipped) await client.next();
    const slipped = received.filter(isTruncated);
    expect(slipped).toHaveLength(rate_slipped);
    for (const octets of slipped) {
      expect([answers(octets), octets.readUInt16BE(8), octets.readUInt16BE(10)]).toEqual([0, 0, 1]);
      expect(octets.subarray(12, 32).equals(query('www.front.test', TYPE.a, 0).subarray(12, 32))).toBe(true);
      expect(octets.subarray(-11, -8)).toEqual(Buffer.of(0, 0, 41));
    }
    client.close();
    other.close();
  });

  test('settings change it while it runs', async () => {
    const { threads } = running;
    const client = await UdpClient.open('127.0.0.10');
    const { SERVER } = await import('../listen-fixture.ts');
    threads.configure({ ...SERVER, rateLimit: null }, { keys: [], allow: [], rows: [] });
    await threads.settled();
    for (let id = 0; id < 50; id++) {
      expect(isTruncated(await client.ask(query('www.front.test', TYPE.a, id), threads.endpoints[0]))).toBe(false);
    }
    threads.configure(
      { ...SERVER, rateLimit: { ...rateLimit, perSecond: 1, slip: 1, size: 50 } },
      { keys: [], allow: [], rows: [] },
    );
    await threads.settled();
    for (let id = 0; id < 50; id++) client.send(query('www.front.test', TYPE.a, id), threads.endpoints[0]);
    let truncated = 0;
    for (let id = 0; id < 50; id++) truncated += isTruncated((await client.next()).octets) ? 1 : 0;
    expect(truncated).toBeGreaterThan(25); // but for one a second
    client.close();
  });
});

describe('wildcard endpoints (recvmmsg only: node:dgram cannot choose a source address)', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startThreads({
      listen: [
        { address: '0.0.0.0', port: 0 },
        { address: '::', port: 0 },
      ],
    });
  });
  afterAll(() => running.threads.stop());

  test.each([
    { asked: '127.0.0.1', endpoint: 0 },
    { asked: '127.0.0.5', endpoint: 0 },
    { asked: '127.200.3.4', endpoint: 0 },
    { asked: '::1', endpoint: 1 },
  ])('$asked answers from $asked (RFC 2181 §4)', async ({ asked, endpoint }) => {
    const { port } = running.threads.endpoints[endpoint];
    const client = await UdpClient.open(asked.includes(':') ? '::1' : '127.0.0.1');
    for (let id = 0; id < 3; id++) {
      client.send(query('www.front.test', TYPE.a, id), { address: asked, port });
      const answer = await client.next();
      expect([answer.from, answer.port, answer.octets.readUInt16BE(0)]).toEqual([asked, port, id]);
    }
    client.close();
  });

  test('addresses in turn in one burst, each from its own, dropped packets between', async () => {
    const { port } = running.threads.endpoints[0];
    const client = await UdpClient.open();
    for (let i = 0; i < 90; i++) {
      const octets = i % 3 === 0 ? Buffer.alloc(3) : query('www.front.test', TYPE.a, i);
      client.send(octets, { address: `127.0.1.${i}`, port });
    }
    for (let i = 0; i < 60; i++) {
      const { from, octets } = await client.next();
      expect(from).toBe(`127.0.1.${octets.readUInt16BE(0)}`);
    }
    client.close();
  });
});

test('several workers share one port', async () => {
  const { threads } = await startThreads({ udpWorkers: 3 });
  const to = threads.endpoints[0];
  const clients = await Promise.all(Array.from({ length: 30 }, () => UdpClient.open()));
  for (const client of clients) {
    const octets = await client.ask(query('www.front.test', TYPE.a, 1), to);
    expect(lastAddress(octets)).toBe('192.0.2.80');
    client.close();
  }
  await threads.stop();
});
