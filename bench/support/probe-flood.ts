/** Floods of a DNS server that run beside the prober: what disturbs it most on a machine that does both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EdgewiseServer } from '../../test/support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../../test/support/installation.ts';
import { MockEdge } from '../../test/support/mock-edge.ts';
import { freePort } from '../../test/support/ports.ts';
import { startFlood } from './dns-flood-child.ts';

/** `stop` resolves with a line about what it was. */
export type Flood = { readonly stop: () => Promise<string> };

const ZONE = 'flood.test';

/** An `edgewise serve` with one edge of its own, under `rate` packets a second of junk and spoofed queries. */
export async function floodServe(rate: number): Promise<Flood> {
  const edge = await MockEdge.start({ address: '127.2.0.1', port: 0, body: OBJECT });
  const dnsPort = await freePort();
  const installation = await Installation.make({
    edges: [edge.address],
    port: edge.port,
    zones: { [ZONE]: 'mail IN A 192.0.2.25\n' },
    keys: {
      run_frequency: 30,
      server: { listen: [`127.0.0.1:${dnsPort}`], rate_limit: { per_second: 50, slip: 2 } },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  const server = await EdgewiseServer.start(installation.path('edgemanage.yaml'), ['-A', NETWORK]);
  const flood = await startFlood(dnsPort, ZONE, rate);
  const started = performance.now();
  return {
    stop: async () => {
      const { sent } = await flood.stop();
      const perSecond = Math.round(sent / ((performance.now() - started) / 1000));
      await server.stop();
      await edge.close();
      await installation.remove();
      return `flood: ${perSecond} packets/s at an edgewise serve`;
    },
  };
}

/** Keeps a DNS server (`HOST:PORT`) as busy as it can be. */
export async function floodWithDnsperf(target: string): Promise<Flood> {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-bench-'));
  writeFileSync(join(folder, 'queries'), 'bench.test A\n');
  const [host = '', port = ''] = target.split(':');
  const args = ['-s', host, '-p', port, '-d', join(folder, 'queries'), '-l', '600', '-q', '200'];
  const dnsperf = spawn('dnsperf', args, { stdio: 'ignore' });
  await once(dnsperf, 'spawn');
  if (dnsperf.pid !== undefined) setPriority(dnsperf.pid, 10);
  return {
    stop: async () => {
      const exited = once(dnsperf, 'exit');
      dnsperf.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true });
      return `flood: dnsperf at ${target}`;
    },
  };
}
