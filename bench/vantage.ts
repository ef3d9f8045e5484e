/**
 * `npm run bench:vantage`: from an edge's death to answers without it on all of three vantages that agree through a real
 * etcd of three members; and that an edge which one vantage alone sees dead changes nothing.
 * Options: `--deaths 10`, `--alarms 3`, `--interval 5`.
 */
import { parseArgs } from 'node:util';
import { Vantages } from '../test/chaos/vantages.ts';
import { decodeMessage } from '../test/support/dns-message.ts';
import { encodeQuery } from '../test/support/dns-query.ts';
import { askOnce } from '../test/support/peers.ts';

const { values } = parseArgs({
  options: {
    deaths: { type: 'string', default: '10' },
    alarms: { type: 'string', default: '3' },
    interval: { type: 'string', default: '5' },
  },
});
const INTERVAL = Number(values.interval);
const ASK_MS = 20;
const ALARM_TURNS = 3;
const QUERY = encodeQuery({ name: 'z.test', type: 'A' });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves with the seconds since `died` when the node's answers are without the edge. */
async function gone(port: number, edge: string, died: number): Promise<number> {
  for (;;) {
    const reply = await askOnce(port, QUERY, 500);
    const addresses = reply === null ? [edge] : decodeMessage(reply).answer.map(({ text }) => text);
    if (!addresses.includes(edge)) return (performance.now() - died) / 1000;
    await pause(ASK_MS);
  }
}

function figures(name: string, seconds: readonly number[]): string {
  const sorted = [...seconds].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return `${name.padEnd(24)} p50 ${middle.toFixed(2)} s  max ${Math.max(...sorted).toFixed(2)} s  of ${sorted.length}`;
}

let isWell = false;
// Each edge dies once at most: one that comes and goes must pass for longer before it takes a place.
const all = await Vantages.start({ block: 98, interval: INTERVAL, lease: INTERVAL, edges: Number(values.deaths) + 2 });
try {
  const first: number[] = [];
  const last: number[] = [];
  for (let i = 0; i < Number(values.deaths); i++) {
    await all.ready();
    await pause(INTERVAL * 1000 * Math.random()); // not in step with any interval
    const died = performance.now();
    const victim = all.flip();
    const seconds = await Promise.all(all.all.map(({ dnsPort }) => gone(dnsPort, victim, died)));
    first.push(Math.min(...seconds));
    last.push(Math.max(...seconds));
    await all.agreed(all.live);
  }
  console.log(
    `interval ${INTERVAL} s, three vantages, etcd of three members; from a death to answers without the edge:`,
  );
  console.log(figures('on the first vantage', first));
  console.log(figures('on all three', last));
  const serial = await all.agreed(all.live);
  for (let i = 0; i < Number(values.alarms); i++) {
    const liar = all.all[i % all.all.length];
    const [victim] = all.live;
    all.die(victim, [liar]);
    await all.probed(victim, ALARM_TURNS, all.all);
    all.revive(victim);
    await all.turns(1);
  }
  const after = await all.agreed(all.live);
  console.log(
    `${values.alarms} false alarms of one vantage each: ${after === serial ? 'nothing changed' : `serial ${serial}, then ${after}`}`,
  );
  const violations = all.violations();
  console.log(`the checker says: ${violations.map(({ rule, text }) => `${rule}: ${text}`).join('\n') || 'nothing'}`);
  isWell = violations.length === 0 && after === serial;
} finally {
  await all.stop();
}
process.exit(isWell ? 0 : 1);
