/** edgemanage.yaml → `Config`: the original's keys unchanged, ours beside them, all faults in one go. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { TsigKey } from '../dns/tsig-key.ts';
import { hasErrors } from '../system/fault.ts';
import { FILE_MAX, type FileRead, readFileNow } from '../system/read-file.ts';
import { parseBindKeys } from './bind-keys.ts';
import { crossFaults } from './cross-checks.ts';
import type { ConfigFault } from './fault.ts';
import { section } from './fields.ts';
import { ZONE_LIMITS } from './limits.ts';
import { pathFaults } from './path-checks.ts';
import { besideConfig, commonFolder } from './paths.ts';
import { readTextFile } from './read-text.ts';
import { faultAt, schemaFaults, soundFaults, valueAt } from './schema-fault.ts';
import { checkPlans, checks } from './section-checks.ts';
import { dns } from './section-dns.ts';
import { httpConfig, httpKeys, tokenFileFaults } from './section-http.ts';
import { judgeConfigs, judges } from './section-judges.ts';
import { notices, settleNotices } from './section-notices.ts';
import { commands, fileKeys, historicKeys, probeKeys, selectKeys } from './section-probe.ts';
import { publish, publishConfigs } from './section-publish.ts';
import { safety, safetyConfigs } from './section-safety.ts';
import { serverConfig, serverKeys } from './section-server.ts';
import { transferConfig, transferKeys } from './section-transfer.ts';
import { vantage, vantageConfig } from './section-vantage.ts';
import { zoneKeys } from './section-zones.ts';
import type { Config } from './types.ts';
import { vantageSecretFaults } from './vantage-files.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** Fetched in constant memory, so this bounds only an edge that sends without end. */
const MAX_OBJECT_BYTES = 16 * 2 ** 20;

const LOG_LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;

/** Every key of the file; its output still has the names and units of the file. */
export const configSchema = section(
  {
    ...probeKeys,
    ...selectKeys,
    ...fileKeys,
    ...serverKeys,
    ...httpKeys,
    ...zoneKeys,
    ...transferKeys,
    ...historicKeys,
    checks,
    judges,
    safety,
    publish,
    dns,
    commands,
    notices,
    vantage,
  },
  'a map of keys such as testobject, dns and edgelist_dir',
);

/** `config` is null when any fault is an error. Warnings come with a usable configuration. */
export type LoadedConfig = { readonly config: Config | null; readonly faults: readonly ConfigFault[] };

/**
 * Reads `file` and the key files it names, and looks at the files and folders: one that is not there is a warning (it
 * may come later), a folder in a file's place or a file in a folder's is an error. Never throws.
 */
export function loadConfig(file: string): LoadedConfig {
  const path = resolve(file);
  const read = readTextFile(path);
  if (!read.ok) return { config: null, faults: [read.fault] };
  return parseConfig(path, read.text, (keyFile) => readFileNow(keyFile, FILE_MAX.secret));
}

/** `loadConfig` of a text that is the contents of the absolute path `file`. */
export function parseConfig(file: string, text: string, readKeyFile: (path: string) => FileRead): LoadedConfig {
  const source = readYaml(file, text);
  const checked = configSchema.safeParse(withoutExtensions(source.value));
  const found = checked.success ? [] : schemaFaults(source, checked.error.issues);
  const fileKeys = keysOfFiles(source, readKeyFile, found);
  found.push(...crossFaults(source, fileKeys));
  const faults = [...source.faults, ...soundFaults(source, found)];
  faults.sort(inReadingOrder(file));
  if (!checked.success || hasErrors(faults)) return { config: null, faults };
  const told = settleNotices(checked.data.notices, (path) => besideConfig(file, path));
  const httpOff = valueAt(source.value, ['http']) === false;
  const config = build(file, checked.data, httpOff, fileKeys, told.targets);
  const secrets = [...told.faults, ...vantageSecretFaults(config.vantage), ...tokenFileFaults(config.http)];
  faults.push(...secrets.map(({ path, what, ...fault }) => faultAt(source, path, fault, what ?? 'value')));
  faults.push(...pathFaults(source, config));
  return { config: hasErrors(faults) ? null : config, faults };
}

/**
 * Without the keys at the top whose names begin with `x-`: they are for an operator's own notes and for anchors
 * (`&name`) that other keys refer to.
 */
function withoutExtensions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}

/** Down the configuration file first, then through the files that it names. */
function inReadingOrder(file: string): (a: ConfigFault, b: ConfigFault) => number {
  const place = ({ at }: ConfigFault): readonly [number, number, number] =>
    at === null ? [0, 0, 0] : [at.file === file ? 0 : 1, at.line, at.col];
  return (a, b) => {
    const [left, right] = [place(a), place(b)];
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
  };
}

function keysOfFiles(source: YamlSource, readKeyFile: (path: string) => FileRead, faults: ConfigFault[]): TsigKey[] {
  const given = valueAt(source.value, ['transfer', 'key_files']);
  const files = Array.isArray(given) ? given : [given];
  return files.flatMap((name: unknown, i) => {
    if (typeof name !== 'string' || name === '') return [];
    const path = besideConfig(source.file, name);
    const found = readKeyFile(path);
    if (!found.ok) {
      const at = ['transfer', 'key_files', ...(Array.isArray(given) ? [i] : [])];
      const message = `${path}: ${found.message}`;
      faults.push(faultAt(source, at, { severity: 'error', code: 'unreadable-file', message }));
      return [];
    }
    const read = parseBindKeys(path, found.octets.toString('utf8'));
    faults.push(...read.faults);
    return read.keys;
  });
}

/** `verify` is a flag, or as in edgemanage the path of the authorities' certificates. */
function testObject(
  { verify, local, ...rest }: z.output<typeof configSchema>['testobject'],
  at: (path: string) => string,
): Config['testobject'] {
  const ca = typeof verify === 'string' ? at(verify) : null;
  return { ...rest, local: at(local), verify: verify !== false, ca };
}

function build(
  file: string,
  keys: z.output<typeof configSchema>,
  httpOff: boolean,
  fileTsigKeys: readonly TsigKey[],
  noticeTargets: Config['notices'],
): Config {
  const at = (path: string): string => besideConfig(file, path);
  const maybe = (path: string | null): string | null => (path === null ? null : at(path));
  const statefile = at(keys.statefile);
  const server = serverConfig(file, keys.server);
  return {
    file,
    testobject: testObject(keys.testobject, at),
    checks: checkPlans(keys.checks, at),
    judges: judgeConfigs(keys.judges),
    publish: publishConfigs(keys.publish, at),
    safety: safetyConfigs(keys.safety, at, keys.testing ? keys.timeout : 10),
    dns: {
      nsRecords: keys.dns.ns_records,
      soaNameserver: keys.dns.soa_nameserver,
      soaMailbox: keys.dns.soa_mailbox,
      rotateZones: keys.dns.rotate_zones,
      ttl: keys.dns.ttl,
    },
    goodenough: keys.goodenough,
    timeout: keys.testing ? keys.timeout : 10,
    testing: keys.testing,
    workers: keys.workers,
    retry: keys.retry,
    edgeCount: keys.edge_count,
    dnetEdgeCount: new Map(Object.entries(keys.dnet_edge_count)),
    dnschangeMaxfreq: keys.dnschange_maxfreq,
    canaryKiller: keys.canary_killer,
    runFrequency: keys.run_frequency,
    settle: keys.settle,
    edgelistDir: at(keys.edgelist_dir),
    extraEdgelistDir: maybe(keys.extra_edgelist_dir),
    healthdataStore: at(keys.healthdata_store),
    zonetemplateDir: at(keys.zonetemplate_dir),
    namedDir: maybe(keys.named_dir),
    logpath: maybe(keys.logpath),
    logLevel: LOG_LEVELS[keys.log_level],
    lockfile: at(keys.lockfile),
    statefile,
    stateDir: keys.state_dir === null ? commonFolder(statefile) : at(keys.state_dir),
    liveList: maybe(keys.live_list),
    canaryFiles: maybe(keys.canary_files),
    prometheusLogs: maybe(keys.prometheus_logs),
    commands: {
      runBefore: keys.commands?.run_before ?? [],
      runAfter: keys.commands?.run_after ?? [],
      runAfterChanges: keys.commands?.run_after_changes ?? [],
    },
    maxObjectBytes: keys.probe?.max_object_bytes ?? MAX_OBJECT_BYTES,
    server,
    http: httpConfig(keys.http, httpOff, server, at),
    staticZones: keys.static_zones.map(({ name, file: zoneFile }) => ({ name, file: at(zoneFile) })),
    staticZoneDir: maybe(keys.static_zone_dir),
    zoneFiles: {
      includeDirs: keys.include_dirs.map(at),
      limits: {
        records: keys.zone_limits?.records ?? ZONE_LIMITS.records,
        generated: keys.zone_limits?.generated ?? ZONE_LIMITS.generated,
        octets: keys.zone_limits?.octets ?? ZONE_LIMITS.octets,
      },
    },
    transfer: transferConfig(keys.transfer, fileTsigKeys),
    notices: noticeTargets,
    vantage: vantageConfig(keys.vantage, at),
  };
}
