/** What the keys of several kinds of checks have in common, and how a kind says what is wrong between its keys. */
import { z } from 'zod';
import type { ConfigFault } from '../fault.ts';
import { hostName, number, optional, parsed } from '../fields.ts';
import { key } from '../key-docs.ts';
import type { Path } from '../yaml-source.ts';

/** Of what is sent, expected, or given as an argument. */
export const OCTETS_MAX = 1024;

/** Keys that every kind has. `timeout`: seconds, null for the network's. */
export const common = {
  name: key(
    optional(
      parsed<string>('a name of up to 64 letters, digits and . _ : -', (value) =>
        /^[A-Za-z0-9._:-]{1,64}$/.test(value) ? value : null,
      ),
      null,
    ),
    'What the check is called in logs and state, unique in its network.',
    { otherwise: 'the kind, then `kind:port` or `kind-2`' },
  ),
  timeout: key(
    optional(number('seconds', { min: 0, max: 3600, integer: false, above: true }), null),
    'How long it may take for one address, tries included; at most the timeout of the network.',
    { otherwise: 'the timeout of the network (10)' },
  ),
};

export const port = number('a port', { min: 1, max: 65_535 });

/** How a check speaks TLS. `host`: SNI and the name in the certificate. `verify`: a flag, or a file of authorities. */
export const tlsKeys = {
  host: key(
    optional(hostName(), null),
    'TLS server name, and the name that the certificate must be for; of HTTP the Host field, too.',
    { otherwise: '`testobject.host`' },
  ),
  verify: key(
    optional(
      z.union([z.boolean(), z.string().min(1)], {
        error: "expected true, false, or the file of the authorities (PEM) that sign the edges' certificates",
      }),
      null,
    ),
    'Whether certificates are checked, or the PEM file of the authorities to believe.',
    { otherwise: '`testobject.verify`', value: 'true, false, or a PEM file' },
  ),
};

/** A few octets, which a listener greets with or answers; written as text, sent as UTF-8. */
export function octets(what: string) {
  const error = `expected ${what}, 1 to ${OCTETS_MAX} octets of text`;
  const fits = (value: string): boolean => value !== '' && Buffer.byteLength(value) <= OCTETS_MAX;
  return optional(z.string({ error }).refine(fits, { error }), null);
}

export type Found = Pick<ConfigFault, 'severity' | 'code' | 'message'> & { readonly path: Path; readonly what?: 'key' };

/** Reads the plain values of the file. */
export type Get = (...path: Path) => unknown;

/**
 * What is wrong between the keys of the check at `at`, each of which is fine alone. `head`: the check as messages name
 * it. `timeout`: the network's, seconds.
 */
export type CheckFaults = (get: Get, at: Path, head: string, timeout: number) => readonly Found[];

export function fault(path: Path, code: Found['code'], message: string): Found {
  return { severity: 'error', code, path, message };
}

/** Keys of the check that are given although `condition` does not hold. */
export function withoutEffect(
  get: Get,
  at: Path,
  head: string,
  keys: readonly string[],
  condition: string,
): readonly Found[] {
  return keys
    .filter((key) => (get(...at, key) ?? null) !== null)
    .map((key) => {
      const message = `${head}.${key}: has no effect unless ${condition}`;
      return { severity: 'warning', code: 'ignored', path: [...at, key], what: 'key', message };
    });
}
