import type { PowerdnsSpec } from '../../../src/publish/providers/powerdns.ts';
import { powerdnsProvider } from '../../../src/publish/providers/powerdns.ts';
import type { Provider } from '../../../src/publish/providers/provider.ts';
import { Secret } from '../../../src/system/secret.ts';
import { freePort } from '../../support/ports.ts';
import { PowerDns } from '../../support/powerdns.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { BreakableProvider } from './breakable-provider.ts';
import type { Harness } from './conformance.ts';
import { SECRET, snippet } from './provider-snippets.ts';
import { otherLines, seenSet, ZONE_TEXT } from './rfc2136-fixture.ts';
import { ZONE } from './rfc2136-provider.ts';

export const WRONG_KEY = 'not-the-key-of-this-server';

/** A server with the API as docs/providers.md configures it; `api`: the API's port. */
export async function startPowerDnsApi(): Promise<{ readonly server: PowerDns; readonly api: number }> {
  const api = await freePort();
  const config = snippet('pdns.conf api').replace('192.0.2.53', '127.0.0.1').replace('192.0.2.1/32', '127.0.0.1/32');
  const server = await PowerDns.start({
    config: `${config}webserver-port=${api}`,
    zones: [{ name: ZONE, text: ZONE_TEXT }],
    commands: snippet('pdnsutil api'),
  });
  return { server, api };
}

export function apiProvider(port: number, spec: Partial<PowerdnsSpec> = {}): Provider {
  const url = `http://127.0.0.1:${port}`;
  return powerdnsProvider({ zone: ZONE, url, server: 'localhost', apiKey: new Secret(SECRET), ...spec });
}

export async function powerdnsHarness(): Promise<Harness> {
  const { server, api } = await startPowerDnsApi();
  const { port } = server;
  const proxy = await TcpProxy.start({ address: '127.0.0.1', port: api });
  const right = apiProvider(proxy.port);
  const wrong = apiProvider(proxy.port, { apiKey: new Secret(WRONG_KEY) });
  const access = new BreakableProvider(right, wrong, proxy);
  return {
    get provider() {
      return access.provider;
    },
    stranger: apiProvider(proxy.port, { zone: 'unknown.test' }),
    zone: ZONE,
    seen: (key) => seenSet(port, key),
    set: async ({ name, type }, ttl, addresses) => {
      const relative = name.toLowerCase() === ZONE ? '@' : name.slice(0, -ZONE.length - 1);
      const set = [ZONE, relative, type];
      if (addresses.length === 0) await server.util('delete-rrset', ...set);
      else await server.util('replace-rrset', ...set, String(ttl), ...addresses);
    },
    others: () => otherLines(port),
    breakDown: (how) => access.breakDown(how),
    minTtl: 60,
    tellsConflicts: true,
    secrets: [SECRET, WRONG_KEY],
    stop: async () => {
      await right.close();
      await wrong.close();
      await proxy.stop();
      await server.stop();
    },
  };
}
