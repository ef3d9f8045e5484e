/**
 * The cast of `npm start`: what each edge on loopback does. Four edges are wanted and only three are always fast, so
 * when the mortal one dies the slow one must stand in, and it leaves again when the mortal one is back.
 */
export type DemoEdge = {
  readonly address: string;
  readonly kind: 'healthy' | 'slow' | 'tampered' | 'mortal' | 'canary';
  readonly note: string;
};

export const DEMO_EDGES: readonly DemoEdge[] = [
  { address: '127.0.0.11', kind: 'healthy', note: 'healthy' },
  { address: '127.0.0.12', kind: 'healthy', note: 'healthy' },
  { address: '127.0.0.13', kind: 'mortal', note: 'dies and comes back every minute or so' },
  { address: '127.0.0.14', kind: 'healthy', note: 'healthy' },
  { address: '127.0.0.15', kind: 'slow', note: 'slow: answers after 0.9 s (goodenough is 0.5 s)' },
  { address: '127.0.0.16', kind: 'tampered', note: 'serves the wrong object: its checksum fails' },
  { address: '127.0.0.20', kind: 'canary', note: 'canary of club.test: serves that zone only' },
];

export const DEMO_NETWORK = 'demo';
export const DEMO_CANARY_ZONE = 'club.test';
export const DEMO_ZONES: Readonly<Record<string, string>> = {
  'shop.test': `; Plain BIND records. The apex (and www) come from the live set, SOA and NS from edgemanage.yaml.
        3600 IN MX    10 mail
        3600 IN TXT   "v=spf1 mx -all"
mail    3600 IN A     192.0.2.25
api     3600 IN CNAME www
`,
  [DEMO_CANARY_ZONE]: `        3600 IN MX    10 mail.shop.test.
*.pages  300 IN CNAME ${DEMO_CANARY_ZONE}.
`,
};

export const DEMO_OBJECT = 'Edgewise demo object: every healthy edge serves exactly this.\n';

/** edgemanage.yaml of the demo. */
export function demoConfig(ports: { readonly dns: number; readonly http: number; readonly edges: number }): string {
  return `# Written by \`edgewise demo\`; a real one is explained in conf/edgemanage.yaml.
testobject:
  host: demo.test
  port: ${ports.edges}
  proto: http
  uri: /edgewise-object.txt
  local: object.txt
  verify: false
dns:
  ns_records: [ns1.demo.test., ns2.demo.test.]
  soa_nameserver: ns1.demo.test.
  soa_mailbox: hostmaster.demo.test.
  rotate_zones: [www]
  ttl: 30
goodenough: 0.5
workers: 10
retry: 3
edge_count: 4
dnet_edge_count: {}
dnschange_maxfreq: 20
canary_killer: 3
run_frequency: 5
edgelist_dir: edges
healthdata_store: health
zonetemplate_dir: zones
named_dir: named
statefile: state/{dnet}.state
live_list: state/{dnet}.live
canary_files: canaries/{dnet}
lockfile: state/edgewise.lock
logpath: state/edgewise.log
commands: {}
server:
  listen: ["127.0.0.1:${ports.dns}"]
http:
  listen: "127.0.0.1:${ports.http}"
transfer:
  allow: [{from: 127.0.0.0/8}]
static_zones:
  - {name: demo.test, file: static/demo.test.zone}
`;
}

/** The nameservers' own zone, a static one. */
export const DEMO_STATIC_ZONE = `$TTL 3600
@    IN SOA  ns1 hostmaster 1 7200 900 1209600 300
     IN NS   ns1
     IN NS   ns2
ns1  IN A    127.0.0.1
ns2  IN A    127.0.0.1
`;
