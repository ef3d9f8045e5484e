import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Edges } from '../chaos/edges.ts';
import { dig } from '../secondaries/secondary.ts';
import { eventually } from '../support/edgewise.ts';
import { Peer } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { Reader } from './follow.ts';

/** docs/migrate-edgemanage.md, from an installation of edgemanage with a BIND and a secondary, and back. */

const EDGES = ['127.79.2.11', '127.79.2.12', '127.79.2.13'];
const LIVE = EDGES.slice(0, 2);
const HOUR = 3600;
const NOW = Math.floor(Date.now() / 1000);
/** When edgemanage wrote the zone. */
const WRITTEN = NOW - 2 * HOUR;

/** As edgemanage writes it. */
const ZONE = `@ 300 IN SOA ns1.example.net. hostmaster.example.net. ${WRITTEN} 43200 10800 1209600 300
@ 300 IN NS ns1.example.net.
@ 300 IN NS ns2.example.net.
${['@', 'www'].flatMap((name) => LIVE.map((edge) => `${name} 300 IN A ${edge}\n`)).join('')}`;
const INCLUDED = '@ 3600 IN MX 10 mail\nmail 3600 IN A 198.51.100.25\n';

let edges: Edges;
let bind: Peer | null = null;
let secondary: Peer;
let reader: Reader;
let ports: { readonly dns: number; readonly shadow: number };

beforeAll(async () => {
  edges = await Edges.start(EDGES, 'all is well\n');
  bind = await Peer.start('bind', { zones: [{ origin: 'example.com', text: `${ZONE}${INCLUDED}` }] });
  const dns = bind.port;
  secondary = await Peer.start('bind', {
    zones: [{ origin: 'example.com', primary: { address: '127.0.0.1', port: dns } }],
  });
  ports = { dns, shadow: await freePort() };
  const [http, shadowHttp] = [await freePort(), await freePort()];
  const own: Reader = new Reader((text) =>
    text
      .replaceAll('/var/lib/edgemanage', `${own.folder}/old`)
      .replaceAll('/var/lib/edgewise-shadow', `${own.folder}/shadow`)
      .replaceAll('/tmp/$zone', `${own.folder}/$zone`)
      .replaceAll('"127.0.0.1:5300"', `"127.0.0.1:${ports.shadow}"`)
      .replaceAll('-p 5300', `-p ${ports.shadow}`)
      .replaceAll('127.0.0.1:8054', `127.0.0.1:${shadowHttp}`)
      .replaceAll('127.0.0.1:8053', `127.0.0.1:${http}`)
      .replaceAll('192.0.2.53:53', `127.0.0.1:${dns}`)
      .replaceAll('@192.0.2.53', `@127.0.0.1 -p ${dns}`)
      .replaceAll('notify: [{to: 127.0.0.1}]', `notify: [{to: "127.0.0.1:${secondary.port}"}]`),
  );
  reader = own;
  installEdgemanage(http);
});
afterAll(async () => {
  await reader.close();
  await Promise.all([bind?.stop(), secondary.stop()]);
  edges.close();
});

function installEdgemanage(http: number): void {
  const at = (path: string): string => `${reader.folder}/${path}`;
  reader.write(
    'edgemanage.yaml',
    `---
testobject: {host: www.example.com, port: ${edges.port}, proto: http, uri: /o, local: ${at('object')}, verify: true}
dns:
  ns_records: [ns1.example.net., ns2.example.net.]
  soa_nameserver: ns1.example.net.
  soa_mailbox: hostmaster.example.net.
  rotate_zones: [www]
goodenough: 5
workers: 10
edge_count: 2
dnet_edge_count: {}
dnschange_maxfreq: 10
canary_killer: 6
run_frequency: 60
edgelist_dir: ${at('edges')}
healthdata_store: ${at('old/health')}
zonetemplate_dir: ${at('zones')}
named_dir: ${at('named')}
statefile: ${at('old/{dnet}.state')}
lockfile: ${at('old/lock')}
logpath: ${at('old/log')}
live_list: ${at('old/{dnet}.live')}
commands: {run_before: null, run_after: null, run_after_changes: null}
http: {listen: "127.0.0.1:${http}"}
`,
  );
  reader.write('object', 'all is well\n');
  reader.write('edges/mynet', `${EDGES.join('\n')}\n`);
  reader.write('zones/mynet/example.com.zone', INCLUDED);
  reader.write('named/example.com.zone', `${ZONE}${INCLUDED}`);
  reader.write(
    'old/mynet.state',
    JSON.stringify({
      last_live: LIVE,
      last_run: NOW - 60,
      rotation_list: [WRITTEN],
      verification_failures: [],
      zone_mtimes: {},
      active_canaries: {},
    }),
  );
  for (const edge of EDGES) {
    reader.write(
      `old/health/${edge}.edgestore`,
      JSON.stringify({
        fetch_times: { [NOW - 120]: 0.01, [NOW - 60]: 0.01 },
        rotation_history: [],
        health: 'pass_threshold',
        state: LIVE.includes(edge) ? 'in' : 'out',
        mode: 'available',
        comment: '',
        state_entry_time: WRITTEN,
      }),
    );
  }
}

test('look, shadow, cut-over, way back', async () => {
  const serial = async (port: number): Promise<number> =>
    Number((await dig(port, '+short', 'example.com', 'SOA'))[0]?.split(' ')[2] ?? 0);
  const before = readFileSync(`${reader.folder}/old/mynet.state`, 'utf8');
  expect(
    await eventually(
      () => serial(secondary.port),
      (seen) => seen > 0,
    ),
  ).toBe(WRITTEN);

  await reader.follow('docs/migrate-edgemanage.md', async (commands) => {
    if (commands.includes('edgewise serve -c shadow')) {
      // Looking has touched nothing.
      expect(readFileSync(`${reader.folder}/old/mynet.state`, 'utf8')).toBe(before);
    }
    if (commands.startsWith('edgewise explain')) {
      // The shadow is ready before its first round is over and recorded.
      await eventually(
        () => reader.sh('edgewise explain -A mynet -c shadow.yaml'),
        ({ status }) => status === 0,
      );
    }
    if (commands.includes('disable --now named')) {
      await bind?.stop();
      bind = null;
    }
    if (commands.includes('edgewise status')) {
      // The secondary follows without being touched.
      await eventually(
        () => serial(secondary.port),
        (seen) => seen > WRITTEN,
      );
      await eventually(
        () => reader.sh('edgewise status'),
        ({ status }) => status === 0,
      );
    }
  });

  const output = (part: string): string => reader.seen.find(({ commands }) => commands.includes(part))?.output ?? '';
  expect(output('edgewise check ')).toContain('1 network, 3 edges, 1 zone read');
  expect(output('edge_manage -A mynet -n')).toMatch(/live set unchanged: 127\.79\.2\.11 and 127\.79\.2\.12/);
  expect(output('records()')).toContain('example.com: the same');
  expect(await dig(secondary.port, '+short', 'example.com', 'A')).toHaveLength(2);
  expect(Number(/^ns1\.example\.net\. \S+ (\d+)/m.exec(output('edgewise status'))?.[1])).toBeGreaterThan(WRITTEN);
  // What edgemanage and BIND read is as they know it, and newer.
  expect(JSON.parse(readFileSync(`${reader.folder}/old/mynet.state`, 'utf8'))).toMatchObject({
    last_live: { length: 2 },
  });
  expect(readFileSync(`${reader.folder}/named/example.com.zone`, 'utf8')).toMatch(/SOA/);
});
