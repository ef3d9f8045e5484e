/**
 * Time from a decision to the changed answer at each kind of secondary, set up as docs/secondaries.md says, and the rate
 * of a large AXFR beside BIND and NSD as primaries. `npm run bench:secondaries -- [records] [flips] [zones]`
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { parse } from 'yaml';
import { Primary } from '../test/secondaries/primary.ts';
import { Secondary, type SecondaryKind } from '../test/secondaries/secondary.ts';
import { PRIMARY_ADDRESS, SECONDARY_ADDRESS, snippet } from '../test/secondaries/snippets.ts';
import { decodeMessage } from '../test/support/dns-message.ts';
import { encodeQuery } from '../test/support/dns-query.ts';
import { askOnce, Peer } from '../test/support/peers.ts';
import { freePort } from '../test/support/ports.ts';

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const FLIPS = Number(process.argv[3] ?? 5);
const MANY = Number(process.argv[4] ?? 1000);
const KINDS: readonly SecondaryKind[] = ['bind', 'nsd', 'knot', 'powerdns'];
const TRY_MS = 100;
const LATE_MS = 60_000;

function transferOf(port: number): Record<string, unknown> {
  const text = snippet('yaml')
    .replace(`to: ${SECONDARY_ADDRESS}`, `to: "127.0.0.1:${port}"`)
    .replace(SECONDARY_ADDRESS, '127.0.0.1');
  return (parse(text) as { transfer: Record<string, unknown> }).transfer;
}

/** Resolves when the server at `port` gives the zone these addresses. */
async function answered(port: number, zone: string, wanted: readonly string[]): Promise<void> {
  const goal = [...wanted].sort().join();
  const end = performance.now() + LATE_MS;
  while (performance.now() < end) {
    const reply = await askOnce(port, encodeQuery({ name: zone, type: 'A' }), TRY_MS);
    const seen = reply === null ? [] : decodeMessage(reply).answer.map(({ text }) => text);
    if (seen.sort().join() === goal) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`${zone} at port ${port} did not become ${goal}`);
}

/** Milliseconds between the first changed answer here and the last of `zones` there. */
async function flipTimes(kind: SecondaryKind, count: number): Promise<readonly number[]> {
  const port = await freePort();
  const names = Array.from({ length: count }, (_, i) => `zone${i}.test`);
  const primary = await Primary.start(100 + KINDS.indexOf(kind), {
    zones: Object.fromEntries(names.map((name) => [name, 'mail IN A 192.0.2.25\n'])),
    transfer: transferOf(port),
  });
  const zones = names.map((name) => ({ name, keyed: true }));
  const secondary = new Secondary(kind, port, primary.dnsPort, zones);
  const times: number[] = [];
  try {
    await secondary.start();
    for (const name of names) await answered(port, name, primary.edges.slice(0, 2));
    for (let i = 0; i < FLIPS; i++) {
      const flipped = primary.flip(i % 2);
      const wanted = primary.edges.filter((_, edge) => edge !== i % 2);
      await answered(primary.dnsPort, names[0], wanted);
      const start = performance.now();
      for (const name of names) await answered(port, name, wanted);
      times.push(performance.now() - start);
      await flipped;
    }
  } finally {
    await secondary.remove();
    await primary.stop();
  }
  return times.sort((a, b) => a - b);
}

/** Seconds and octets of one AXFR, read as fast as it comes. */
async function axfr(port: number, zone: string): Promise<{ readonly seconds: number; readonly octets: number }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const query = encodeQuery({ name: zone, type: 'AXFR' });
  const start = performance.now();
  socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 255), query]));
  let octets = 0;
  let last = start;
  // The end is the pause after the last record: a server may keep the connection open.
  socket.setTimeout(1500, () => socket.destroy());
  socket.on('data', (chunk) => {
    octets += chunk.length;
    last = performance.now();
  });
  await once(socket, 'close');
  return { seconds: (last - start) / 1000, octets };
}

const host = (i: number): string => `h${i} 300 IN A 192.0.${(i >> 8) & 255}.${i & 255}`;

async function axfrRates(): Promise<void> {
  const hosts = Array.from({ length: RECORDS }, (_, i) => host(i)).join('\n');
  const report = async (name: string, port: number): Promise<void> => {
    const runs = [await axfr(port, 'big.test'), await axfr(port, 'big.test'), await axfr(port, 'big.test')];
    const best = runs.reduce((a, b) => (b.seconds < a.seconds ? b : a));
    const rate = Math.round(RECORDS / best.seconds);
    console.log(`axfr ${name}: ${best.seconds.toFixed(2)} s, ${rate} records/s, ${(best.octets / 1e6).toFixed(1)} MB`);
  };
  const primary = await Primary.start(110, {
    zones: { 'big.test': `${hosts}\n` },
    transfer: { allow: [{ from: '127.0.0.1' }] },
  });
  await report('edgewise', primary.dnsPort);
  await primary.stop();
  const text = `$ORIGIN big.test.\n@ 300 IN SOA ns1 host 1 3600 600 86400 300\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n${hosts}\n`;
  for (const kind of ['bind', 'nsd'] as const) {
    const peer = await Peer.start(kind, { zones: [{ origin: 'big.test', text }] });
    await report(kind, peer.port);
    await peer.stop();
  }
}

console.log(`Edgewise at ${PRIMARY_ADDRESS} of the page is on loopback; ${FLIPS} flips, ${RECORDS} records`);
for (const count of [1, MANY]) {
  for (const kind of KINDS) {
    const times = await flipTimes(kind, count);
    const shown = times.map((ms) => Math.round(ms)).join(' ');
    console.log(`flip ${kind}, ${count} zones: median ${Math.round(times[times.length >> 1])} ms (${shown})`);
  }
}
await axfrRates();
