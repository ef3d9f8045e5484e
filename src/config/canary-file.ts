/** A network's canary file: a YAML map from zones to the address of the server that each is tried out on. */
import { isIP } from 'node:net';
import { isAlias, isMap, isNode, isScalar } from 'yaml';
import { addressKey } from '../system/address.ts';
import type { Span } from '../system/fault.ts';
import { unfitAddress } from '../system/unfit-address.ts';
import type { ConfigFault } from './fault.ts';
import { readName } from './fields.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export type CanaryFile = {
  readonly canaries: ReadonlyMap<string, string>;
  /** The place of each address, the first time. */
  readonly places: ReadonlyMap<string, Span>;
  /** The place of each zone. */
  readonly zones: ReadonlyMap<string, Span>;
  readonly faults: readonly ConfigFault[];
};

/**
 * Zone (as written, without final dot) → address. An entry that is no zone or no address is left out with a warning, as
 * the original dropped it: a slip in one canary must not hold back the network. Only a file that is no map is an error.
 */
export function parseCanaries(file: string, text: string): CanaryFile {
  const source = readYaml(file, text);
  const faults: ConfigFault[] = [...source.faults];
  const canaries = new Map<string, string>();
  const places = new Map<string, Span>();
  const zones = new Map<string, Span>();
  /** One spelling per address: a machine that is written in two ways is one canary. */
  const spellings = new Map<string, string>();
  const { contents } = source.doc;
  if (isMap(contents)) {
    for (const { key, value } of contents.items) {
      const zone = textOf(source, key);
      const address = textOf(source, value);
      const name = zone?.replace(/\.$/, '') ?? '';
      if (name === '' || readName(name) === null) {
        faults.push(warning(source, key, 'canary-zone', `expected a zone's name, got ${JSON.stringify(zone)}`));
      } else if (address === null || isIP(address) === 0 || address.includes('%')) {
        const message = `the canary of ${name} must be an address, got ${JSON.stringify(address)}; it is left out`;
        faults.push(warning(source, address === null ? key : value, 'canary-address', message));
        canaries.delete(name);
      } else if (unfitAddress(address) !== null) {
        const message = `the canary of ${name} cannot be ${address}: it is ${unfitAddress(address)}; it is left out`;
        faults.push(warning(source, value, 'canary-address', message));
        canaries.delete(name);
      } else {
        const spelled = spellings.get(addressKey(address) ?? address) ?? address;
        spellings.set(addressKey(address) ?? address, spelled);
        canaries.set(name, spelled);
        zones.set(name, spanOf(source, key));
        if (!places.has(spelled)) places.set(spelled, spanOf(source, value));
      }
    }
  } else if (source.value !== null && source.faults.length === 0) {
    const message = 'expected a map from zones to addresses, such as "example.com: 192.0.2.9"';
    faults.push({ severity: 'error', code: 'wrong-type', at: source.spanAt(0), message });
  }
  return { canaries, places, zones, faults };
}

/**
 * A scalar as written: an address such as 2001:10:20:30:40:50:1:2 is a number to YAML 1.1. Null: absent, or no scalar.
 */
function textOf(source: YamlSource, node: unknown): string | null {
  const scalar = isAlias(node) ? node.resolve(source.doc) : node;
  if (!isScalar(scalar) || scalar.value === null) return null;
  return typeof scalar.value === 'string' ? scalar.value.trim() : (scalar.source ?? String(scalar.value));
}

function warning(
  source: YamlSource,
  node: unknown,
  code: 'canary-zone' | 'canary-address',
  message: string,
): ConfigFault {
  return { severity: 'warning', code, at: spanOf(source, node), message };
}

function spanOf(source: YamlSource, node: unknown): Span {
  return source.spanAt(isNode(node) ? (node.range?.[0] ?? 0) : 0);
}
