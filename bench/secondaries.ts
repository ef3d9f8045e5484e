/**
 * `npm run bench:secondaries`: time from a decision to the changed answer at each kind of secondary, set up as
 * docs/secondaries.md says, for one zone and for a thousand; and the rate of a large AXFR beside NSD and BIND as primaries.
 *
 * Options: `--kinds bind,nsd,knot,powerdns`, `--zones 1,1000`, `--flips 6`, `--records 1000000` (0: no AXFR), `--rounds 3`.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { Primary } from '../test/secondaries/primary.ts';
import { Secondary, type SecondaryKind } from '../test/secondaries/secondary.ts';
import { SECONDARY_ADDRESS, snippet } from '../test/secondaries/snippets.ts';
import { Peer } from '../test/support/peers.ts';
import { freePort } from '../test/support/ports.ts';
import { type AxfrRun, axfr } from './support/axfr-rate.ts';
import { cpuMicroseconds } from './support/dns-process.ts';
import { seenTimes } from './support/flip-seen.ts';

const KINDS: readonly SecondaryKind[] = ['bind', 'nsd', 'knot', 'powerdns'];

const { values } = parseArgs({
  options: {
    kinds: { type: 'string', default: KINDS.join(',') },
    zones: { type: 'string', default: '1,1000' },
    flips: { type: 'string', default: '6' },
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
  },
});

function transferOf(port: number): Record<string, unknown> {
  const text = snippet('yaml')
    .replace(`to: ${SECONDARY_ADDRESS}`, `to: "127.0.0.1:${port}"`)
    .replace(SECONDARY_ADDRESS, '127.0.0.1');
  return (parse(text) as { transfer: Record<string, unknown> }).transfer;
}

const round = (ms: number): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)));
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1];

/** Each flip's times at the secondary, after the first changed answer of Edgewise itself. */
async function flips(kind: SecondaryKind, count: number): Promise<void> {
  const port = await freePort();
  const names = Array.from({ length: count }, (_, i) => `zone${i}.test`);
  const primary = await Primary.start(100 + KINDS.indexOf(kind), {
    zones: Object.fromEntries(names.map((name) => [name, 'mail IN A 192.0.2.25\n'])),
    transfer: transferOf(port),
  });
  const secondary = new Secondary(
    kind,
    port,
    primary.dnsPort,
    names.map((name) => ({ name, keyed: true })),
  );
  const cpu: number[] = [];
  const rows: { first: number; middle: number; last: number; late: number }[] = [];
  try {
    await secondary.start();
    const began = performance.now();
    const all = await seenTimes(port, names, primary.edges.slice(0, 2));
    console.log(`${kind}: ${all.size} of ${count} zones transferred within ${round(performance.now() - began)} ms`);
    for (let i = 0; i < Number(values.flips); i++) {
      const wanted = primary.edges.filter((_, edge) => edge !== i % 2);
      const cpuBefore = cpuMs(primary.server.child.pid);
      const here = seenTimes(primary.dnsPort, names.slice(0, 1), wanted);
      const there = seenTimes(port, names, wanted);
      await primary.flip(i % 2);
      const [start] = [...(await here).values()];
      const times = [...(await there).values()].map((ms) => ms - start).sort((a, b) => a - b);
      cpu.push(cpuMs(primary.server.child.pid) - cpuBefore);
      const row = { first: times[0], middle: median(times), last: times[times.length - 1], late: count - times.length };
      rows.push(row);
      if (count > 1) console.log(`  ${kind}: ${round(row.first)}, ${round(row.middle)}, ${round(row.last)} ms`);
    }
  } finally {
    await secondary.remove();
    await primary.stop();
  }
  const of = (pick: (row: (typeof rows)[number]) => number): string => round(median(rows.map(pick)));
  const lasts = rows.map(({ last }) => round(last)).join(' ');
  const late = rows.reduce((sum, row) => sum + row.late, 0);
  console.log(
    `flip ${kind}, ${count} zones: first ${of((row) => row.first)}, median ${of((row) => row.middle)}, last ${of((row) => row.last)} ms;` +
      ` Edgewise's processor time ${round(median(cpu))} ms (each flip's last: ${lasts})${late > 0 ? `; ${late} answers never came` : ''}`,
  );
}

/** Processor time of Edgewise so far, all threads. */
function cpuMs(pid = 0): number {
  return cpuMicroseconds(pid) / 1000;
}

/** Resident memory of a process now and at its highest, in MB. */
function memoryOf(pid: number | undefined): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
  return `${mb('VmRSS')} MB, at its highest ${mb('VmHWM')} MB`;
}

/** The same zone from each primary to the same reader, in turn. */
async function axfrRates(records: number): Promise<void> {
  const host = (i: number): string => `h${i} 300 IN A 192.0.${(i >> 8) & 255}.${i & 255}`;
  const hosts = Array.from({ length: records }, (_, i) => host(i)).join('\n');
  const text = `$ORIGIN big.test.\n@ 300 IN SOA ns1 host 1 3600 600 86400 300\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n${hosts}\n`;
  const zones = [{ origin: 'big.test', text }];
  const [bind, nsd] = [await Peer.start('bind', { zones }), await Peer.start('nsd', { zones })];
  const primary = await Primary.start(110, {
    zones: { 'big.test': `${hosts}\n` },
    transfer: { allow: [{ from: '127.0.0.1' }] },
  });
  const { pid } = primary.server.child;
  const ports = { edgewise: primary.dnsPort, nsd: nsd.port, bind: bind.port };
  const runs: Record<string, AxfrRun[]> = { edgewise: [], nsd: [], bind: [] };
  try {
    console.log(`edgewise before the transfers: ${memoryOf(pid)}`);
    for (let i = 0; i < Number(values.rounds); i++) {
      for (const [name, port] of Object.entries(ports)) runs[name].push(await axfr(port, 'big.test', records));
    }
    console.log(`edgewise after them: ${memoryOf(pid)}`);
    await Promise.all(Array.from({ length: 4 }, () => axfr(primary.dnsPort, 'big.test', records)));
    console.log(`edgewise after four at once: ${memoryOf(pid)}`);
  } finally {
    await Promise.all([primary.stop(), bind.stop(), nsd.stop()]);
  }
  const rateOf = (name: string): number => records / median(runs[name].map(({ seconds }) => seconds));
  for (const [name, list] of Object.entries(runs)) {
    const seconds = list.map((run) => run.seconds.toFixed(2)).join(' ');
    const ratio = rateOf(name) / rateOf('nsd');
    console.log(
      `axfr ${name}: ${(rateOf(name) / 1e6).toFixed(2)} million records/s, ${ratio.toFixed(2)} × NSD (${seconds} s; ${(list[0].octets / 1e6).toFixed(1)} MB)`,
    );
  }
}

for (const count of values.zones.split(',').map(Number)) {
  for (const kind of KINDS) if (values.kinds.split(',').includes(kind)) await flips(kind, count);
}
if (Number(values.records) > 0) await axfrRates(Number(values.records));
