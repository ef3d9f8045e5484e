import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

/** The least that loads, as edgemanage's users write it. Line 1 is `testobject:`, line 11 `goodenough`, the last line 16. */
export const BASE = `testobject:
  host: www.example.com
  proto: http
  uri: /object
  local: object
dns:
  ns_records:
    - ns1.example.net.
  soa_nameserver: ns1.example.net.
  soa_mailbox: hostmaster.example.net.
goodenough: 0.7
edgelist_dir: edges
healthdata_store: health
zonetemplate_dir: zones
statefile: state/{dnet}.state
lockfile: lock
`;

/** Loads a text as if it stood at `file`, without warnings about what this machine has not: files, ICMP. */
export function parse(text: string, keyFiles: { readonly [path: string]: string } = {}, file = '/nowhere/e.yaml') {
  const { config, faults } = parseConfig(file, text, (path) => {
    const found = keyFiles[path];
    if (found === undefined) return { ok: false, code: 'ENOENT', message: 'no such file' };
    return { ok: true, octets: Buffer.from(found), stats: statSync('/') };
  });
  return {
    config,
    faults: faults.filter(({ code, message }) => code !== 'forbidden' && !/: no (?:file|folder) at /.test(message)),
  };
}

/** A folder with these files, removed after the test. */
export function folderOf(files: { readonly [path: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
