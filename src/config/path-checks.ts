/** Looks at the files and folders that a sound configuration names. All warnings: `loadConfig` says when they matter. */
import { statSync } from 'node:fs';
import type { ConfigFault } from './fault.ts';
import { listNetworks } from './network-files.ts';
import { faultAt, valueAt } from './schema-fault.ts';
import type { Config } from './types.ts';
import type { Path, YamlSource } from './yaml-source.ts';

/** Worth a word at start, but no reason to refuse: a hook may fetch the object, a folder may be mounted later. */
export function pathWarnings(source: YamlSource, config: Config): readonly ConfigFault[] {
  const look = (keys: readonly string[], path: string, kind: 'file' | 'folder', effect: string): ConfigFault[] => {
    if (exists(path, kind)) return [];
    const message = `${keys.join('.')}: no ${kind} at ${path}; ${effect}`;
    return [faultAt(source, keys, { severity: 'warning', code: 'unreadable-file', message })];
  };
  return [
    ...look(['testobject', 'local'], config.testobject.local, 'file', 'no fetch can be compared with it'),
    ...look(['edgelist_dir'], config.edgelistDir, 'folder', 'there are no networks'),
    ...look(['zonetemplate_dir'], config.zonetemplateDir, 'folder', 'there are no zones'),
    ...networkWarnings(source, config),
  ];
}

/** A slip in a network's name would make a rule or a number apply to nobody. */
function networkWarnings(source: YamlSource, config: Config): readonly ConfigFault[] {
  const { networks, faults } = listNetworks(config);
  if (faults.length > 0) return [];
  return networkReferences(source)
    .filter(({ name }) => !networks.includes(name))
    .map(({ name, path, what }) => {
      const message = `no network "${name}": there is no such file in edgelist_dir`;
      return faultAt(source, path, { severity: 'warning', code: 'unknown-reference', message }, what);
    });
}

type Reference = { readonly name: string; readonly path: Path; readonly what: 'key' | 'value' };

function networkReferences(source: YamlSource): readonly Reference[] {
  const counts = valueAt(source.value, ['dnet_edge_count']);
  const keys = typeof counts === 'object' && counts !== null ? Object.keys(counts) : [];
  const scopes = (['allow', 'notify'] as const).flatMap((section) => {
    const rules = valueAt(source.value, ['transfer', section]);
    return (Array.isArray(rules) ? rules : []).flatMap((_: unknown, i) => {
      const path: Path = ['transfer', section, i, 'networks'];
      const given = valueAt(source.value, path);
      if (!Array.isArray(given)) return typeof given === 'string' ? [{ name: given, path }] : [];
      return given.map((name: unknown, j) => ({ name: String(name), path: [...path, j] }));
    });
  });
  return [
    ...keys.map((name) => ({ name, path: ['dnet_edge_count', name], what: 'key' as const })),
    ...scopes.map((scope) => ({ ...scope, what: 'value' as const })),
  ];
}

/** False also where a folder above forbids to look; whoever opens the file says so, with the reason. */
function exists(path: string, kind: 'file' | 'folder'): boolean {
  try {
    const found = statSync(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch {
    return false;
  }
}
