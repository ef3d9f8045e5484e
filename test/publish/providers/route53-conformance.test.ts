import { route53Provider } from '../../../src/publish/providers/route53.ts';
import type { ListedSet, Weighted } from '../../../src/publish/providers/route53-sets.ts';
import { useAwsEnvironment } from '../../support/aws-environment.ts';
import { MockRoute53, SECRET_KEY } from '../../support/mock-route53.ts';
import { conformance, type Harness } from './conformance.ts';

useAwsEnvironment();

async function harness(weighted: Weighted | null): Promise<Harness<ListedSet>> {
  const mock = await new MockRoute53().start();
  mock.pageMax = 3;
  mock.put({
    name: 'example.test',
    type: 'SOA',
    values: ['ns1.example.test. hostmaster.example.test. 1 7200 900 1209600 86400'],
  });
  mock.put({ name: 'example.test', type: 'NS', values: ['ns1.example.test.'] });
  mock.put({ name: 'example.test', type: 'MX', values: ['10 mail.example.test.'] });
  mock.put({ name: 'www.example.test', type: 'TXT', values: ['"left alone"'] });
  mock.put({ name: 'alias.example.test', type: 'CNAME', values: ['elsewhere.test.'] });
  mock.put({ name: 'zzz.example.test', type: 'A', values: ['192.0.2.200'] });
  const access = { api: mock.url, region: 'us-east-1', profile: null, weighted };
  const tools = { pollMs: 2 };
  const provider = route53Provider({ ...access, zone: 'example.test', zoneId: null }, tools);
  const stranger = route53Provider({ ...access, zone: 'unknown.test', zoneId: null }, tools);
  const idOf = (name: string): string | null => {
    return weighted === null ? null : (weighted.setIdentifier ?? name.split('.', 1)[0] ?? null);
  };
  const weight = weighted?.weight ?? null;
  const suite = /^(?:www|cloud|a\.b|\*|\*\.wild|below\.wild)\.example\.test\.$|^example\.test\.$/;
  return {
    provider,
    stranger,
    zone: 'example.test',
    seen: async ({ name, type }) => {
      const set = mock.get(name, type, idOf(name));
      return set === null ? null : { ttl: set.ttl, addresses: [...set.values].sort() };
    },
    set: async ({ name, type }, ttl, values) => {
      mock.put({ name, type, ttl, values, identifier: idOf(name.toLowerCase()), weight });
    },
    others: async () =>
      [...mock.zoneSets().values()]
        .filter(({ name, type }) => type !== 'SOA' && !(suite.test(name) && /^A/.test(type)))
        .map((set) => JSON.stringify(set))
        .sort(),
    breakDown: async (how) => {
      if (how === 'refuse') {
        await mock.stop();
        return async () => void (await mock.start());
      }
      if (how === 'credentials') {
        mock.secretKey = 'another';
        return async () => {
          mock.secretKey = SECRET_KEY;
        };
      }
      mock.standing = how;
      return async () => {
        mock.standing = null;
      };
    },
    minTtl: 1,
    tellsConflicts: true,
    secrets: [SECRET_KEY],
    stop: async () => {
      await provider.close();
      await mock.stop();
    },
  };
}

conformance('route53', () => harness(null));
conformance('route53, weighted sets', () => harness({ setIdentifier: null, weight: 0 }));
