/** Looks at the files and folders that a sound configuration names. */
import { accessSync, constants, statSync } from 'node:fs';
import { errorText } from '../system/error-text.ts';
import { pingForbidden } from '../system/icmp-socket.ts';
import type { ConfigFault } from './fault.ts';
import { listNetworks } from './network-files.ts';
import { faultAt, pathText, valueAt } from './schema-fault.ts';
import type { CheckConfig } from './section-checks.ts';
import type { Config } from './types.ts';
import { vantageTlsFiles } from './vantage-files.ts';
import type { Path, YamlSource } from './yaml-source.ts';

/**
 * What is not there is worth a word at start, but no reason to refuse: a hook may fetch the object, a folder may be
 * mounted later. What is there and of the wrong kind will not mend itself.
 */
export function pathFaults(source: YamlSource, config: Config): readonly ConfigFault[] {
  const checkPath = (
    keys: Path,
    path: string | null,
    kind: Kind,
    effect: string | null,
    wrongKind: 'warning' | 'error' = 'error',
  ): ConfigFault[] => {
    if (path === null || path.includes('{dnet}')) return [];
    const found = kindOf(path);
    if (found === kind || (found === null && effect === null)) return [];
    const missing = found === null;
    const message = missing
      ? `${pathText(keys)}: no ${kind} at ${path}; ${effect}`
      : `${pathText(keys)}: ${path} is a ${found}, expected a ${kind}`;
    return [faultAt(source, keys, { severity: missing ? 'warning' : wrongKind, code: 'unreadable-file', message })];
  };
  const given = (key: string, path: string | null, kind: Kind): ConfigFault[] => checkPath([key], path, kind, null);
  return [
    // Without these two there is no round, but a saved live set can be served: `check` and /healthz have the error.
    ...checkPath(
      ['testobject', 'local'],
      config.testobject.local,
      'file',
      'no fetch can be compared with it',
      'warning',
    ),
    ...checkPath(
      ['testobject', 'verify'],
      config.testobject.ca,
      'file',
      'no certificate can be checked with it',
      'warning',
    ),
    ...checkFiles(source, config).flatMap(({ path, file }) =>
      checkPath(path, file, 'file', 'no edge can be judged without it', 'warning'),
    ),
    ...checkPrograms(source, config).flatMap(({ path, file }) => {
      const found = checkPath(path, file, 'file', 'no edge can be judged by it');
      return found.length > 0 || kindOf(file) !== 'file' ? found : executable(source, path, file);
    }),
    ...icmpFaults(source, config),
    ...vantageTlsFiles(config.vantage).flatMap(({ path, file, effect }) =>
      checkPath(path, file, 'file', effect, 'warning'),
    ),
    ...checkPath(['edgelist_dir'], config.edgelistDir, 'folder', 'there are no networks'),
    ...checkPath(['zonetemplate_dir'], config.zonetemplateDir, 'folder', 'there are no zones'),
    ...checkPath(['extra_edgelist_dir'], config.extraEdgelistDir, 'folder', 'no network gets more edges from there'),
    ...given('canary_files', config.canaryFiles, 'file'),
    ...given('named_dir', config.namedDir, 'folder'),
    ...given('healthdata_store', config.healthdataStore, 'folder'),
    ...given('statefile', config.statefile, 'file'),
    ...given('state_dir', config.stateDir, 'folder'),
    ...given('live_list', config.liveList, 'file'),
    ...given('lockfile', config.lockfile, 'file'),
    // The log goes to standard error then, and is tried again at a reload.
    ...checkPath(['logpath'], config.logpath, 'file', null, 'warning'),
    ...given('prometheus_logs', config.prometheusLogs, 'folder'),
    ...given('static_zone_dir', config.staticZoneDir, 'folder'),
    ...config.zoneFiles.includeDirs.flatMap((folder) =>
      checkPath(['include_dirs'], folder, 'folder', 'nothing is included from there'),
    ),
    ...networkWarnings(source, config),
  ];
}

/** By the rights of who looks: root may run what a user that is switched to later may not. */
function executable(source: YamlSource, keys: Path, program: string): readonly ConfigFault[] {
  try {
    accessSync(program, constants.X_OK);
    return [];
  } catch (error) {
    const message = `${pathText(keys)}: ${program} is not executable: ${errorText(error)}`;
    return [faultAt(source, keys, { severity: 'error', code: 'unreadable-file', message })];
  }
}

/** Once, at the first check by ICMP. The system may allow it later, so nothing is refused. */
function icmpFaults(source: YamlSource, config: Config): readonly ConfigFault[] {
  const references = [...config.safety].flatMap(([network, { reference }]) =>
    reference.map(({ check }, i) => ({ path: ['safety', network, 'reference', i], check })),
  );
  const first = [...checksAt(source, config), ...references].find(({ check }) => check.kind === 'icmp');
  const problem = first === undefined ? null : pingForbidden();
  if (first === undefined || problem === null) return [];
  const path = [...first.path, 'kind'];
  const message = `${pathText(path)}: ${problem.message}; until then checks by icmp say nothing`;
  return [faultAt(source, path, { severity: 'warning', code: 'forbidden', message })];
}

type CheckFile = { readonly path: Path; readonly file: string };

/** Files that the checks of networks read, with the place. */
function checkFiles(source: YamlSource, config: Config): readonly CheckFile[] {
  return checksAt(source, config).flatMap(({ path, check }) => {
    const verify = 'verify' in check && typeof check.verify === 'string' ? check.verify : null;
    const body = check.kind === 'http' ? (check.body?.file ?? null) : null;
    return [
      ...(verify === null ? [] : [{ path: [...path, 'verify'], file: verify }]),
      ...(body === null ? [] : [{ path: [...path, 'body', 'file'], file: body }]),
    ];
  });
}

function checkPrograms(source: YamlSource, config: Config): readonly CheckFile[] {
  return checksAt(source, config).flatMap(({ path, check }) =>
    check.kind === 'command' ? [{ path: [...path, 'program'], file: check.program }] : [],
  );
}

function checksAt(source: YamlSource, { checks, safety }: Config): readonly { path: Path; check: CheckConfig }[] {
  const references = [...safety].flatMap(([network, { reference }]) =>
    reference.map(({ check }, i) => ({ path: ['safety', network, 'reference', i], check })),
  );
  const edges = [...checks].flatMap(([network, { of }]) => {
    const list = Array.isArray(valueAt(source.value, ['checks', network])) ? [] : ['of'];
    return of.map((check, i) => ({ path: ['checks', network, ...list, i], check }));
  });
  return [...edges, ...references];
}

/** A slip in a network's name would make a rule or a number apply to nobody. */
function networkWarnings(source: YamlSource, config: Config): readonly ConfigFault[] {
  const { networks, faults } = listNetworks(config);
  if (faults.length > 0) return [];
  const unknownFallbacks = [...config.safety].flatMap(([name, { fallback }]) => {
    if (fallback === null || networks.includes(fallback)) return [];
    const message = `safety.${name}.below: no network "${fallback}": there is no such file in edgelist_dir`;
    const fault = { severity: 'error', code: 'unknown-reference', message } as const;
    return [faultAt(source, ['safety', name, 'below'], fault)];
  });
  const warnings = networkReferences(source)
    .filter(({ name }) => !networks.includes(name))
    .map(({ name, path, what }) => {
      const message = `no network "${name}": there is no such file in edgelist_dir`;
      return faultAt(source, path, { severity: 'warning', code: 'unknown-reference', message }, what);
    });
  return [...unknownFallbacks, ...warnings];
}

type Reference = { readonly name: string; readonly path: Path; readonly what: 'key' | 'value' };

function networkReferences(source: YamlSource): readonly Reference[] {
  const keys = (['dnet_edge_count', 'checks', 'judges', 'safety'] as const).flatMap((key) => {
    const networks = valueAt(source.value, [key]);
    const names = typeof networks === 'object' && networks !== null ? Object.keys(networks) : [];
    return names.map((name) => ({ name, path: [key, name], what: 'key' as const }));
  });
  const scopes = [['transfer', 'allow'], ['transfer', 'notify'], ['notices']].flatMap((section) => {
    const rules = valueAt(source.value, section);
    return (Array.isArray(rules) ? rules : []).flatMap((_: unknown, i) => {
      const path: Path = [...section, i, 'networks'];
      const given = valueAt(source.value, path);
      if (!Array.isArray(given)) return typeof given === 'string' ? [{ name: given, path }] : [];
      return given.map((name: unknown, j) => ({ name: String(name), path: [...path, j] }));
    });
  });
  const targets = valueAt(source.value, ['publish']);
  const published = (Array.isArray(targets) ? targets : []).flatMap((_: unknown, i) => {
    const path: Path = ['publish', i, 'network'];
    const name = valueAt(source.value, path);
    return typeof name === 'string' ? [{ name, path }] : [];
  });
  return [...keys, ...[...scopes, ...published].map((scope) => ({ ...scope, what: 'value' as const }))];
}

type Kind = 'file' | 'folder';

/**
 * Whatever is no folder can be read or written like a file (a pipe, a device). Null also where a folder above forbids
 * to look; whoever opens the file says so, with the reason.
 */
function kindOf(path: string): Kind | null {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return null;
  }
}
