import { createServer } from 'node:http';
import { Installation, OBJECT } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

export type ReloadSite = { readonly site: Installation; readonly remove: () => Promise<void> };

/** One zone and one edge at `address` that passes, asked once an hour: nothing happens but what a test does. */
export async function makeReloadSite(
  address: string,
  server: Readonly<Record<string, unknown>> = {},
): Promise<ReloadSite> {
  const port = await freePort(address);
  const edge = createServer((_, response) => response.end(OBJECT));
  await new Promise<void>((resolve) => edge.listen(port, address, resolve));
  const site = await Installation.make({
    edges: [address],
    port,
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      logpath: null,
      run_frequency: 3600,
      server: { listen: [`127.0.0.1:${await freePort()}`], ...server },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  const remove = async (): Promise<void> => {
    edge.close();
    await site.remove();
  };
  return { site, remove };
}
