/** The keys of a goavail.toml and their types, as its source has them. */
import { z } from 'zod';
import type { ConfigCode, ConfigFault } from './fault.ts';
import { flag, list, number, section } from './fields.ts';
import { key, withFacts } from './key-docs.ts';
import { faultAt, type Source, valueAt } from './schema-fault.ts';
import type { Path } from './yaml-source.ts';

const DAY = 86_400;
const PORTS = { min: 1, max: 65_535 };

/** Texts may be empty: a table that is not in use often is. What is in use is looked at again (goavail-file.ts). */
const anyText = (expected: string) => withFacts(z.string({ error: `expected ${expected}` }), { expected });
const addresses = key(
  list(anyText('an IP address'), 'a list of IP addresses').optional(),
  'The addresses that are checked and published.',
  { otherwise: 'needed' },
);
const hostnames = key(
  list(anyText('a host name'), 'a list of host names').optional(),
  'The names that have these addresses, relative to the zone or whole.',
  { otherwise: 'needed' },
);

const membersKeys = {
  peers: key(
    list(anyText('a peer such as "192.0.2.20:8080"'), 'a list of peers, each an address and port').optional(),
    'The other nodes, each by its address and port.',
    { otherwise: 'none' },
  ),
  local_addr: key(
    anyText('our own address and port, such as "192.0.2.10:8080"').optional(),
    'Where this node is asked; its name among the peers.',
    { otherwise: 'it is not asked' },
  ),
  min_peers_agree: key(
    number('a number of peers', { min: 0, max: 1000 }).optional(),
    'How many peers must see what this node sees before it makes a change.',
    { otherwise: '0' },
  ),
  crypto_key: key(anyText('a key of 16, 24 or 32 octets').optional(), 'The key that all nodes share.', {
    otherwise: 'peers are not asked',
    isSecret: true,
  }),
  members_port: key(number('a port', { min: 0, max: 65_535 }).optional(), 'Has no effect, as it had none in goavail.', {
    otherwise: 'nothing',
  }),
};
const cloudflareKeys = {
  dns_domain: key(anyText('a domain name').optional(), 'The zone at Cloudflare.', {
    otherwise: 'needed with `-p cloudflare`',
  }),
  dns_proxied: key(flag().optional(), 'Whether Cloudflare stands between clients and the addresses.', {
    otherwise: 'false',
  }),
  hostnames,
  ip_addresses: addresses,
};
const route53Keys = {
  aws_domain: key(anyText('a domain name').optional(), 'The hosted zone at Route 53.', {
    otherwise: 'needed with `-p route53`',
  }),
  hostnames,
  ip_addresses: addresses,
  ttl: key(number('seconds', { min: 0, max: 2 ** 31 - 1 }).optional(), 'How long resolvers may keep the sets.', {
    otherwise: 'needed with `-p route53`',
  }),
  aws_zoneid: key(anyText("the hosted zone's id").optional(), 'The id of the hosted zone.', {
    otherwise: 'needed with `-p route53`',
  }),
  aws_region: key(anyText('a region such as eu-west-1').optional(), 'The region of AWS.', {
    otherwise: 'needed with `-p route53`',
  }),
};
const topKeys = {
  failure_threshold: key(
    number('a number of results in a row', { min: 0, max: 1000 }).optional(),
    'Results in a row after which an address is down, or up again.',
    { otherwise: '1, with a warning' },
  ),
  interval: key(number('seconds between two checks', { min: 1, max: DAY }), 'Time between two checks of an address.', {
    example: '5',
  }),
  port: key(number('a port', PORTS).optional(), 'The port that `-t tcp` connects to.', {
    otherwise: 'needed with `-t tcp`',
  }),
  slack_addr: key(anyText('the path of a Slack webhook').optional(), 'The path of a Slack webhook, without its host.', {
    otherwise: 'Slack is told nothing',
    isSecret: true,
  }),
};
const TABLES = { Members: membersKeys, Cloudflare: cloudflareKeys, Route53: route53Keys } as const;
type Table = keyof typeof TABLES;

/** The original's README shows the keys of the tables flat, its code wants tables: both are read. */
export const goavailSchema = section(
  {
    ...topKeys,
    ...membersKeys,
    ...cloudflareKeys,
    ...route53Keys,
    Members: key(section(membersKeys).optional(), 'The keys of the cluster as a table.', {
      otherwise: 'they are given flat',
      value: 'a table',
    }),
    Cloudflare: key(section(cloudflareKeys).optional(), 'The keys of Cloudflare as a table.', {
      otherwise: 'they are given flat',
      value: 'a table',
    }),
    Route53: key(section(route53Keys).optional(), 'The keys of Route 53 as a table.', {
      otherwise: 'they are given flat',
      value: 'a table',
    }),
  },
  'keys such as interval and failure_threshold, and the tables Members, Cloudflare and Route53',
);

/** The file's values under the keys as they are written here: they match whatever their case, as in the original. */
export function inKnownCase(value: unknown): unknown {
  const top = renamed(value, [...Object.keys(goavailSchema.shape)]);
  for (const [table, keys] of Object.entries(TABLES)) {
    if (top !== null && Object.hasOwn(top, table)) top[table] = renamed(top[table], Object.keys(keys)) ?? top[table];
  }
  return top ?? value;
}

function renamed(value: unknown, known: readonly string[]): { [key: string]: unknown } | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return null;
  const names = new Map(known.map((key) => [key.toLowerCase(), key]));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [names.get(key.toLowerCase()) ?? key, one]));
}

/** The values of a goavail.toml, flat or in their tables, and what is wrong with them. */
export class GoavailKeys {
  readonly faults: ConfigFault[] = [];
  readonly file: string;
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
    this.file = source.file;
  }

  /** Where a key of a table is given: in the table, or flat. Null: nowhere. */
  pathOf(table: Table, key: string): Path | null {
    const inTable = [table, key];
    if (valueAt(this.source.value, inTable) !== undefined) return inTable;
    return valueAt(this.source.value, [key]) === undefined ? null : [key];
  }

  get(path: Path | null): unknown {
    return path === null ? undefined : valueAt(this.source.value, path);
  }

  text(path: Path | null): string {
    const value = this.get(path);
    return typeof value === 'string' ? value.trim() : '';
  }

  texts(path: Path | null): readonly string[] {
    const value = this.get(path);
    return Array.isArray(value) ? value.map((one: unknown) => (typeof one === 'string' ? one.trim() : '')) : [];
  }

  number(path: Path | null): number {
    const value = this.get(path);
    return typeof value === 'number' ? value : 0;
  }

  note(severity: 'error' | 'warning', code: ConfigCode, path: Path, message: string, what?: 'key'): void {
    this.faults.push(faultAt(this.source, path, { severity, code, message }, what));
  }

  /** Warns of keys that are given both flat and in their table. */
  noteDoubles(): void {
    for (const [table, keys] of Object.entries(TABLES)) {
      for (const key of Object.keys(keys)) {
        if (this.get([table, key]) === undefined || this.get([key]) === undefined) continue;
        // Two tables have these: flat, they are for the other one.
        if ((key === 'hostnames' || key === 'ip_addresses') && !this.inAllProviders(key)) continue;
        const message = `${key}: given here and in [${table}]; the one in the table counts`;
        this.note('warning', 'duplicate-key', [key], message, 'key');
      }
    }
  }

  private inAllProviders(key: string): boolean {
    return this.get(['Cloudflare', key]) !== undefined && this.get(['Route53', key]) !== undefined;
  }
}
