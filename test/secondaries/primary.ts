import { EdgewiseServer } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

export type PrimaryOptions = {
  /** Zone → include text. */
  readonly zones: Readonly<Record<string, string>>;
  /** The `transfer` section. */
  readonly transfer: Readonly<Record<string, unknown>>;
  /** More keys of its `server` section. */
  readonly listen?: Readonly<Record<string, unknown>>;
  /** More keys of edgemanage.yaml. */
  readonly keys?: Readonly<Record<string, unknown>>;
};

/** Edgewise as a primary: one network with three edges, all well, two of them live. `address`: of the edges. */
export class Primary {
  readonly site: Installation;
  readonly edges: readonly string[];
  readonly dnsPort: number;
  server: EdgewiseServer;
  private readonly fleet: MockFleet;
  private out: number | null = null;

  private constructor(
    site: Installation,
    edges: readonly string[],
    dnsPort: number,
    server: EdgewiseServer,
    fleet: MockFleet,
  ) {
    this.site = site;
    this.edges = edges;
    this.dnsPort = dnsPort;
    this.server = server;
    this.fleet = fleet;
  }

  /** `block`: the second octet of the edges' loopback addresses, so that files running at once do not meet. */
  static async start(block: number, { zones, transfer, listen = {}, keys = {} }: PrimaryOptions): Promise<Primary> {
    const edges = [1, 2, 3].map((i) => `127.${block}.0.${i}`);
    const fleet = await MockFleet.start(edges, OBJECT);
    const dnsPort = await freePort();
    const site = await Installation.make({
      edges,
      port: fleet.port,
      // The third is live only when another one is not.
      speeds: Object.fromEntries(edges.map((edge, i) => [edge, i === 2 ? 2.5 : 0.1])),
      zones,
      keys: {
        edge_count: 2,
        run_frequency: 3600,
        dnschange_maxfreq: 10_000,
        named_dir: null,
        logpath: null,
        server: { listen: [`127.0.0.1:${dnsPort}`], ...listen },
        http: { listen: `127.0.0.1:${await freePort()}` },
        transfer,
        ...keys,
      },
    });
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    return new Primary(site, edges, dnsPort, server, fleet);
  }

  /** Takes one edge out of the live set and lets the others in. Returns what is answered from then on. */
  async flip(out: number): Promise<readonly string[]> {
    const before = this.out;
    this.out = out;
    if (before !== null && before !== out) await this.mode(before, '-m', 'available');
    await this.mode(out, '-m', 'unavailable', '-C', 'test');
    return this.edges.filter((_, i) => i !== out);
  }

  private async mode(edge: number, ...mode: readonly string[]): Promise<void> {
    const { status, stderr } = await this.site.run('edge_conf', [this.edges[edge], '--no-syslog', ...mode]);
    if (status !== 0) throw new Error(`edge_conf: ${stderr}`);
  }

  async zone(name: string, text: string): Promise<void> {
    await this.site.write(`zones/${NETWORK}/${name}.zone`, text);
  }

  async restart(): Promise<void> {
    await this.server.stop();
    this.server = await EdgewiseServer.start(this.site.path('edgemanage.yaml'));
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.fleet.close();
    await this.site.remove();
  }
}
