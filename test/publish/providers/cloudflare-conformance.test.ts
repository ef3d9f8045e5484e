import { cloudflareProvider } from '../../../src/publish/providers/cloudflare.ts';
import type { CloudflareOwn } from '../../../src/publish/providers/cloudflare-batch.ts';
import { canonicalAddresses } from '../../../src/publish/providers/sets.ts';
import { Secret } from '../../../src/system/secret.ts';
import { MockCloudflare } from '../../support/mock-cloudflare.ts';
import { conformance, type Harness } from './conformance.ts';

const TOKEN = 'secret-token-of-forty-characters-or-more-0';
const ZONE = 'example.test';

conformance('cloudflare', async (): Promise<Harness<CloudflareOwn>> => {
  const mock = await MockCloudflare.start();
  const access = { mayEdit: true, mayReadZone: true, zones: null };
  mock.tokens.set(TOKEN, access);
  // Cloudflare keeps SOA and NS of the apex to itself; this NS is a delegation.
  const zone = mock.addZone(ZONE);
  mock.addRecord(zone, { type: 'TXT', name: ZONE, content: 'unrelated' });
  mock.addRecord(zone, { type: 'MX', name: ZONE, content: 'mail.example.test' });
  mock.addRecord(zone, { type: 'NS', name: `sub.${ZONE}`, content: 'ns.example.test' });
  mock.addRecord(zone, { type: 'CNAME', name: `alias.${ZONE}`, content: 'elsewhere.test' });
  const spec = {
    zone: ZONE,
    zoneId: null,
    ttl: 60,
    proxied: null,
    auth: { kind: 'token', token: new Secret(TOKEN) },
    api: mock.api,
  } as const;
  const provider = cloudflareProvider(spec);
  const isOf = (key: { readonly name: string; readonly type: string }, name: string, type: string): boolean =>
    name === key.name.toLowerCase() && type === key.type;
  return {
    provider,
    stranger: cloudflareProvider({ ...spec, zone: 'unknown.test' }),
    zone: ZONE,
    seen: async (key) => {
      const records = zone.records.filter(({ name, type }) => isOf(key, name, type));
      const ttls = new Set(records.map(({ ttl }) => ttl));
      const [ttl] = ttls;
      if (ttl === undefined) return null;
      return {
        ttl: ttls.size === 1 ? ttl : null,
        addresses: canonicalAddresses(records.map(({ content }) => content)),
      };
    },
    set: async (key, ttl, addresses) => {
      zone.records = zone.records.filter(({ name, type }) => !isOf(key, name, type));
      for (const content of addresses) {
        mock.addRecord(zone, { type: key.type, name: key.name.toLowerCase(), content, ttl });
      }
    },
    others: async () =>
      zone.records
        .filter(({ type }) => type !== 'A' && type !== 'AAAA')
        .map(({ id, name, type, ttl, content }) => `${id} ${name} ${ttl} ${type} ${content}`)
        .sort(),
    breakDown: async (how) => {
      if (how === 'refuse') return mock.refuse();
      if (how === 'credentials') mock.tokens.delete(TOKEN);
      else
        mock.always = how === 'hang' ? { kind: 'hang' } : { kind: 'answer', status: 200, body: '<html>garbage</html>' };
      return async () => {
        mock.always = null;
        mock.tokens.set(TOKEN, access);
      };
    },
    minTtl: 60,
    tellsConflicts: false,
    secrets: [TOKEN],
    stop: async () => {
      await provider.close();
      await mock.stop();
    },
  };
});
