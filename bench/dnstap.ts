/**
 * `npm run bench:dnstap`: what dnstap costs a thread that answers UDP, in processor time per query of our own code. Queries of
 * the benches' mixed zone come in batches of 64 from system calls that are none, so that nothing but the answering loop is
 * measured; the kernel's part, nine tenths of a query's time, is the same with and without. All variants run in one process, a
 * slice of each in turn, in another order each round; printed are medians, and medians of the ratios to `off` in the same round.
 *
 * Options: `--rounds 200`, `--base DIR` (a built tree of another version, whose loop takes part as `base`).
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { lowerName, nameFromText } from '../src/dns/name.ts';
import { LiveSlots } from '../src/live/slots.ts';
import type { DnstapSampler } from '../src/server/dnstap/sampler.ts';
import type { SamplerSettings } from '../src/server/dnstap/shared.ts';
import type { Syscalls } from '../src/system/syscalls.ts';
import { compileZone } from '../src/zones/compile/compile.ts';
import { readZone } from '../src/zones/scan/read-zone.ts';
import { encodeQuery } from '../test/support/dns-query.ts';
import { benchSettings } from './support/dns-settings.ts';
import { APEX_ADDRESSES, APEX_TTL, mixes, ORIGIN, zoneText } from './support/dns-zone.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, base: { type: 'string' } } });

const BATCH = 64;
const BATCHES = 500; // of one slice
const BASE = 0x10000;

type Loop = {
  /** Answers so many batches. */
  readonly run: (batches: number) => void;
  /** Empties what was queued. */
  readonly drain: () => void;
};

/** The loop of one built tree, as its `udp/worker.ts` puts it together. */
async function makeLoop(tree: string, dnstap: Omit<SamplerSettings, 'memory'> | null): Promise<Loop> {
  const load = async <T>(file: string): Promise<T> =>
    (await import(pathToFileURL(`${tree}/dist/server/${file}.js`).href)) as T;
  const { Stats } = await load<typeof import('../src/server/stats.ts')>('stats');
  const { Responder } = await load<typeof import('../src/server/answer/respond.ts')>('answer/respond');
  const { PacketAnswerer } = await load<typeof import('../src/server/transport/udp/packet-answerer.ts')>(
    'transport/udp/packet-answerer',
  );
  const { serveNative } = await load<typeof import('../src/server/transport/udp/native.ts')>('transport/udp/native');
  const stats = Stats.attach(Stats.create(1, 2), 2, 0);
  const { slots, update } = zone();
  const responder = new Responder({ slots, stats, server: benchSettings(0) });
  responder.apply([update]);
  const nonPlain = { packet: () => 0, stream: () => Promise.resolve(), configure() {} };
  const report = (error: unknown): never => {
    throw error;
  };
  const answerer = new PacketAnswerer({ responder, nonPlain, stats, limiter: null, report });
  let sampler: DnstapSampler | null = null;
  let drain = (): void => undefined;
  if (dnstap !== null) {
    const { DnstapSampler } = await load<typeof import('../src/server/dnstap/sampler.ts')>('dnstap/sampler');
    const { createMemory, OPEN } = await load<typeof import('../src/server/dnstap/shared.ts')>('dnstap/shared');
    const { createRing, RingReader } = await load<typeof import('../src/server/dnstap/ring.ts')>('dnstap/ring');
    // Room for all messages of a slice: emptying it is another thread's work.
    const memory = { ...createMemory(1), rings: [createRing(1 << 25)] };
    new Int32Array(memory.state)[OPEN] = 1;
    sampler = new DnstapSampler({ settings: { ...dnstap, memory }, row: 0, zones: responder.zones });
    const ring = new RingReader(memory.rings[0]);
    drain = () => {
      while (ring.take(1 << 16) !== null);
    };
  }
  const kernel = new Kernel(queries());
  const messageCount = new Int32Array(new SharedArrayBuffer(4));
  const endpoint = { address: '127.0.0.1', port: 53 };
  return {
    run(batches) {
      kernel.left = batches;
      messageCount[0] = 0;
      kernel.over = () => {
        messageCount[0] = 1;
      };
      let looks = 0;
      const shared = { answerer, stats, tap: { sampler }, messageCount };
      serveNative(kernel.sys(), [{ endpoint, fd: 5, tls: false }], shared, () => looks++ === 0);
    },
    drain: () => drain(),
  };
}

/** `recvmmsg` that has a full batch each time, and `sendmmsg` that takes everything. */
class Kernel {
  left = 0;
  over: () => void = () => undefined;
  private readonly queries: readonly Uint8Array[];
  private next = 0;

  constructor(queries: readonly Uint8Array[]) {
    this.queries = queries;
  }

  sys(): Syscalls {
    let words = new Uint32Array();
    let octets = new Uint8Array();
    const never = (): never => {
      throw new Error('not called');
    };
    const calls = {
      addressOf: (buffer: ArrayBuffer): number => {
        words = new Uint32Array(buffer);
        octets = new Uint8Array(buffer);
        return BASE;
      },
      recvmmsg: (_: number, headers: number): number => {
        for (let i = 0; i < BATCH; i++) {
          const query = this.queries[this.next++ % this.queries.length];
          const head = (headers - BASE) / 4 + i * 16;
          const name = words[head] - BASE;
          const iov = (words[head + 4] - BASE) / 4;
          octets[name + 2] = 20;
          words[name / 4 + 1] = 0x0100007f;
          octets.set(query, words[iov] - BASE);
          words[head + 12] = 0;
          words[head + 14] = query.length;
        }
        if (--this.left === 0) this.over();
        return BATCH;
      },
      sendmmsg: (_fd: number, _headers: number, count: number): number => count,
      errno: () => '',
    };
    return new Proxy(calls, { get: (target, key) => Reflect.get(target, key) ?? never }) as unknown as Syscalls;
  }
}

function zone() {
  const origin = nameFromText(ORIGIN, Uint8Array.of(0));
  if (typeof origin === 'string') throw new Error(origin);
  const text = new TextEncoder().encode(zoneText());
  const include = (): never => {
    throw new Error('no includes');
  };
  const parts = { origin, file: ORIGIN, text, defaultTtl: null, initialOwner: null, includeRoot: null, include };
  const { store } = readZone(parts);
  const slots = LiveSlots.create(1);
  slots.write(0, {
    serial: 1,
    v4: APEX_ADDRESSES.map((address) => Uint8Array.from(address.split('.'), Number)),
    v6: [],
  });
  const image = compileZone({ origin, store, serial: null, live: { names: [origin], ttl: APEX_TTL } });
  const update = { kind: 'zone', zone: 0, origin: lowerName(origin), image, slot: 0, network: 1 } as const;
  return { slots, update };
}

function queries(): readonly Uint8Array[] {
  const mixed = mixes().find(({ name }) => name === 'mixed');
  if (mixed === undefined) throw new Error('no mix');
  return mixed.queries.slice(0, 4096).map((line) => {
    const [name, type] = line.split(' ');
    return encodeQuery({ name, type });
  });
}

const settings = { queries: true, responses: true, identity: 'ns1.example.net', version: 'edgewise 0.1.0' };
const here = new URL('..', import.meta.url).pathname;
const MANY = Number.POSITIVE_INFINITY;
const variants: (readonly [name: string, loop: Loop])[] = [
  ...(values.base === undefined ? [] : [['base', await makeLoop(values.base, null)] as const]),
  ['off', await makeLoop(here, null)],
  ['off again', await makeLoop(here, null)],
  ['1 in 1000', await makeLoop(here, { ...settings, sampleRate: 1000, maxPerSecond: MANY })],
  ['1 in 100', await makeLoop(here, { ...settings, sampleRate: 100, maxPerSecond: MANY })],
  ['all, at most 10,000 messages a second', await makeLoop(here, { ...settings, sampleRate: 1, maxPerSecond: 10_000 })],
  ['all, without a limit', await makeLoop(here, { ...settings, sampleRate: 1, maxPerSecond: MANY })],
];

const times = new Map(variants.map(([name]) => [name, [] as number[]]));
for (let round = -20; round < Number(values.rounds); round++) {
  const shift = Math.abs(round) % variants.length;
  for (const [name, loop] of [...variants.slice(shift), ...variants.slice(0, shift)]) {
    const before = process.cpuUsage();
    loop.run(BATCHES);
    const { user, system } = process.cpuUsage(before);
    loop.drain();
    if (round >= 0) times.get(name)?.push(((user + system) * 1000) / (BATCHES * BATCH));
  }
}
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const off = times.get('off') ?? [];
console.log(`| variant | ns/query, median | ÷ off in the same round, median | least ns/query |\n|---|---|---|---|`);
for (const [name, list] of times) {
  const ratio = median(list.map((ns, i) => ns / off[i]));
  console.log(`| ${name} | ${median(list).toFixed(0)} | ${ratio.toFixed(3)} | ${Math.min(...list).toFixed(0)} |`);
}
