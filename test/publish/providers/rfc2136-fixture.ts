import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SetKey } from '../../../src/publish/providers/provider.ts';
import { canonicalAddress } from '../../../src/system/address.ts';
import { dig } from '../../secondaries/secondary.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { eventually } from '../../support/edgewise.ts';
import { askOnce, Peer } from '../../support/peers.ts';
import { PowerDns } from '../../support/powerdns.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { BreakableProvider } from './breakable-provider.ts';
import type { Harness, SeenSet } from './conformance.ts';
import { SECRET, snippet } from './provider-snippets.ts';
import { provider, updateKey, ZONE } from './rfc2136-provider.ts';

export { ZONE };
export const ZONE_TEXT = `$ORIGIN ${ZONE}.
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
@ TXT "stays as it is"
@ MX 10 mail
mail A 192.0.2.25
alias CNAME mail
*.aliases CNAME mail
cut NS ns.cut
ns.cut A 192.0.2.77
under DNAME elsewhere.invalid.
`;

const ZONE_FILE = /\/var\/lib\/\w+\/example\.test\.zone/;

export type PrimaryKind = 'bind' | 'knot' | 'powerdns';
export type RunningPrimary = { readonly port: number; readonly log: () => string; readonly stop: () => Promise<void> };

/** Configured as docs/providers.md has it. */
export async function startPrimary(kind: PrimaryKind): Promise<RunningPrimary> {
  if (kind === 'powerdns') {
    const server = await PowerDns.start({
      config: snippet('pdns.conf update').replace('192.0.2.1/32', '127.0.0.1/32'),
      zones: [{ name: ZONE, text: ZONE_TEXT }],
      commands: snippet('pdnsutil update'),
    });
    return { port: server.port, log: () => server.log, stop: () => server.stop() };
  }
  const peer = kind === 'bind' ? 'bind' : 'knot';
  const folder = mkdtempSync(join(tmpdir(), `edgewise-update-${kind}-`));
  const file = join(folder, 'example.test.zone');
  writeFileSync(file, ZONE_TEXT);
  const block = snippet(kind === 'bind' ? 'named.conf' : 'knot.conf');
  const running = await Peer.start(peer, {
    zones: [],
    folder,
    extra: block.replace(ZONE_FILE, file).replace('acl: edgewise', 'acl: [edgewise, loopback]'),
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = await eventually(
    () => askOnce(running.port, encodeQuery({ name: ZONE, type: 'SOA' }), 200),
    (reply) => reply !== null && decodeMessage(reply).aa,
  ).catch(() => null);
  if (ready !== null) return { port: running.port, log: () => running.log, stop };
  await stop();
  throw new Error(`${kind} does not answer:\n${running.log}`);
}

/** What dig says of a set; null: there is none. Wildcards must not answer in a set's place. */
export async function seenSet(port: number, { name, type }: SetKey): Promise<SeenSet | null> {
  const lines = (await axfr(port)).map((line) => line.split(' '));
  const rows = lines.filter(([owner, , , of]) => owner.toLowerCase() === `${name.toLowerCase()}.` && of === type);
  const ttls = [...new Set(rows.map(([, ttl]) => Number(ttl)))];
  const addresses = rows.map((row) => canonicalAddress(row[4]) ?? row[4]).sort();
  return rows.length === 0 ? null : { ttl: ttls.length === 1 ? ttls[0] : null, addresses };
}

/** The zone as it is transferred, a record a line: owner, TTL, class, type, data. */
export async function axfr(port: number): Promise<readonly string[]> {
  const lines = await dig(port, '+tcp', '+onesoa', ZONE, 'AXFR');
  return lines.map((line) => line.replace(/\s+/g, ' '));
}

/** Everything of the zone but SOA and the conformance suite's sets. */
export async function otherLines(port: number): Promise<readonly string[]> {
  return (await axfr(port)).filter((line) => {
    const [owner, , , type] = line.split(' ');
    const isOurs = /^(?:(?:www|cloud|a\.b|\*|\*\.wild|below\.wild)\.)?example\.test\.$/i.test(owner);
    return type !== 'SOA' && !(isOurs && (type === 'A' || type === 'AAAA'));
  });
}

/** `nsupdate`, with the key; rejects where the server refuses. */
export async function nsupdate(port: number, lines: readonly string[]): Promise<void> {
  const input = [`server 127.0.0.1 ${port}`, `zone ${ZONE}`, ...lines, 'send', 'quit', ''].join('\n');
  const running = run('nsupdate', ['-v', '-y', `hmac-sha256:upd.example.net:${SECRET}`]);
  running.child.stdin?.end(input);
  await running;
}

/** A primary behind a proxy that can break, and its provider. */
export async function rfc2136Harness(kind: PrimaryKind): Promise<Harness> {
  const primary = await startPrimary(kind);
  const { port } = primary;
  const proxy = await TcpProxy.start({ address: '127.0.0.1', port });
  const right = provider(proxy.port);
  const wrong = provider(proxy.port, { key: updateKey(OTHER_SECRET) });
  const access = new BreakableProvider(right, wrong, proxy);
  return {
    get provider() {
      return access.provider;
    },
    stranger: provider(proxy.port, { zone: 'unknown.test' }),
    zone: ZONE,
    seen: (key) => seenSet(port, key),
    set: ({ name, type }, ttl, addresses) =>
      nsupdate(port, [
        `update delete ${name}. ${type}`,
        ...addresses.map((address) => `update add ${name}. ${ttl} ${type} ${address}`),
      ]),
    others: () => otherLines(port),
    breakDown: (how) => access.breakDown(how),
    minTtl: 60,
    tellsConflicts: true,
    secrets: [SECRET, OTHER_SECRET],
    stop: async () => {
      await proxy.stop();
      await primary.stop();
    },
  };
}

const OTHER_SECRET = randomBytes(32).toString('base64');
const run = promisify(execFile);
