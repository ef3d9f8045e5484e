/** goavail.toml → the text of the edgemanage.yaml that does the same, with comments that say what comes from where. */
import { stringify } from 'yaml';
import { type Endpoint, endpointText, parseEndpoint } from '../system/address.ts';
import { type Goavail, type GoavailCluster, type GoavailProvider, memberName } from './goavail-file.ts';
import { LIVE_MAX } from './limits.ts';
import { PEERS_MAX } from './section-vantage.ts';

/** Resolvers may keep an answer this long where goavail's file says nothing: Cloudflare's "automatic". */
const CLOUDFLARE_TTL = 300;

/**
 * A whole configuration. `network`: the name that the addresses get together. The files that it needs are in its first
 * comment, as lines for a shell.
 */
export function edgemanageYaml(goavail: Goavail, network: string): string {
  const { provider, use, threshold, intervalSeconds, port } = goavail;
  const check = use.type === 'tcp' ? `{kind: tcp, port: ${port}}` : '{kind: icmp, count: 1}';
  const asked = use.type === 'tcp' ? 'a TCP connection to port (-t tcp)' : 'an ICMP echo (-t ip)';
  return `# Made by \`edgewise convert\` from goavail's ${commentText(goavail.file)}
# (-t ${use.type} -p ${provider.kind}). Look at it with \`edgewise check -c FILE\`; docs/goavail.md has more.
#
${filesToMake(goavail, network)}
---
# Edgemanage's own fetch. Its keys are needed, but nothing is fetched: the network has checks of its own.
testobject:
  host: ${yamlText(provider.domain)}
  proto: http
  uri: /
  local: object

# interval
run_frequency: ${intervalSeconds}

# Each address in ip_addresses is asked for ${asked}, with 10 s at most.
checks:
  ${network}: [${check}]

# failure_threshold: the state changes with this result in a row, both ways. (goavail itself needed one more.)
judges:
  ${network}: {rise_fall: {rise: ${threshold}, fall: ${threshold}}}

# goavail kept every address that passed, so all may be live, and none is better than another.${tooMany(provider)}
edge_count: ${Math.min(LIVE_MAX, provider.addresses.length)}
# It took out one that failed, whether or not another could take its place. Where none passes, the last set is kept;
# goavail could take out the last address, too.
safety:
  ${network}: {fill: none}
goodenough: 9.9
retry: 1
workers: ${Math.min(10_000, Math.max(10, provider.addresses.length))}
# It had no limit on changes. Edgewise's default of 10 in ten minutes is the safer choice; take this line out for it.
dnschange_maxfreq: 100000

# What the zones get that Edgewise itself answers, one a host name: delegate them to it. Put your servers' names here.
dns:
  ns_records: [ns1.${provider.domain}.]
  soa_nameserver: ns1.${provider.domain}.
  soa_mailbox: hostmaster.${provider.domain}.
  ttl: ${provider.kind === 'route53' ? `${provider.ttl} # Route53.ttl` : CLOUDFLARE_TTL}

edgelist_dir: edges
zonetemplate_dir: zones
healthdata_store: health
statefile: state/{dnet}.state
lockfile: state/lock

# --- What goavail did besides -----------------------------------------------------------------------------------------
${[publishing(provider, network), notices(goavail), vantage(goavail.cluster)].join('\n#\n')}
`;
}

function filesToMake({ provider }: Goavail, network: string): string {
  const zones = provider.names.map((name) => `zones/${network}/${name}.zone`);
  return [
    '# Files that it needs beside it; a shell makes them with these lines:',
    `#   mkdir -p edges health state zones/${network}`,
    '#   echo unused > object',
    `#   printf '%s\\n' ${provider.addresses.join(' ')} > edges/${network}`,
    `#   touch ${zones.join(' ')}`,
  ].join('\n');
}

function tooMany({ addresses }: GoavailProvider): string {
  if (addresses.length <= LIVE_MAX) return '';
  return `\n# There are ${addresses.length} of them; at most ${LIVE_MAX} can be live here.`;
}

function publishing(provider: GoavailProvider, network: string): string {
  const names = provider.names.map((name) => yamlText(`${name}.`)).join(', ');
  const head = `provider: ${provider.kind}, network: ${network}`;
  const own =
    provider.kind === 'cloudflare'
      ? `token_file: cloudflare.token, zone: ${yamlText(provider.domain)}, names: [${names}], proxied: ${provider.proxied}`
      : `zone_id: ${yamlText(provider.zoneId)}, zone: ${yamlText(provider.domain)}, names: [${names}], ttl: ${provider.ttl}, weighted: {weight: 0}`;
  const from = provider.kind === 'cloudflare' ? 'CF_API_KEY and CF_API_EMAIL' : "AWS' own sources of credentials";
  return `# Keeping the records at the provider ([${provider.kind === 'cloudflare' ? 'Cloudflare' : 'Route53'}]; goavail had its secrets from ${from}).
# Unlike goavail, this keeps whole sets: addresses that are not in the edge list go from these names (docs/providers.md).
# publish:
#   - {${head}, ${own}}`;
}

function notices({ slack }: Goavail): string {
  if (slack === null) return '# Notices: goavail.toml has no slack_addr.';
  return `# Notices. The path in slack_addr is a secret and is not copied here:
# notices:
#   - {to: slack, url_file: slack.url}`;
}

function vantage(cluster: GoavailCluster | null): string {
  if (cluster === null) return '# Vantage points: goavail.toml has no peers, or no local_addr.';
  const listen = parseEndpoint(cluster.localAddress, 80);
  const own = memberName(cluster.localAddress);
  const others = [...new Set(cluster.peers.map(memberName))].filter((name) => name !== own);
  const why = unfit(listen, others, cluster.minPeersAgree);
  if (listen === null || why !== null) {
    return `# Vantage points: [Members] cannot be converted, since ${why ?? ''}; docs/vantage.md has what can be written here.`;
  }
  const key =
    cluster.key === null
      ? `goavail.toml has no crypto_key, without which no peer is asked here. Make one by
# \`openssl rand -hex 32\` and put it into the file peers.key of every node`
      : `The key is a secret and is not copied here: put crypto_key, with "raw:" before
# it, into the file peers.key of every node`;
  return `# Vantage points ([Members]). ${key}, readable by Edgewise alone
# (mode 0600). All nodes change over together: goavail's own agents cannot be asked.
vantage:
  engine: peers
  name: ${yamlText(vantageName(own))}
  listen: ${yamlText(endpointText(listen))}
  key_file: peers.key
  peers:
${others.map((name) => `    - {name: ${yamlText(vantageName(name))}, url: "http://${name}"}`).join('\n')}
  min_peers_agree: ${cluster.minPeersAgree}`;
}

/** Why the section cannot be written; null: it can. */
function unfit(listen: Endpoint | null, others: readonly string[], needed: number): string | null {
  if (listen === null) return 'local_addr is a name, and an address to listen on is needed';
  if (others.length === 0) return 'peers has this node alone';
  if (others.length > PEERS_MAX) return `there are ${others.length} peers, and at most ${PEERS_MAX} are asked`;
  return needed > others.length ? `min_peers_agree is more than the ${others.length} other peers` : null;
}

/** What a vantage may be called: made of an address and port, in the same way on all nodes. */
function vantageName(member: string): string {
  return member
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9_]+/, '')
    .slice(0, 64);
}

/** A text as YAML in one line, in quotes where it needs them. */
function yamlText(text: string): string {
  return stringify(text, { lineWidth: 0, defaultStringType: 'PLAIN', version: '1.1' }).trim();
}

/** One line, whatever the file's name is. */
function commentText(text: string): string {
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}
