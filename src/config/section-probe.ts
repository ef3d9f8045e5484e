/** What is fetched from the edges, how the result is judged and how often: the original's top-level keys. */
import { z } from 'zod';
import { flag, hostName, number, objectPath, oneOrMany, optional, path, section, text } from './fields.ts';
import { LIVE_MAX } from './limits.ts';

const DAY = 86_400;

export const testobject = section(
  {
    host: hostName(),
    port: optional(
      // The original pasted the port into a URL, so a quoted number worked too.
      z.preprocess(
        (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
        number('a port', { min: 1, max: 65535 }),
      ),
      80,
    ),
    proto: z.enum(['http', 'https'], { error: 'expected http or https' }),
    uri: objectPath(),
    local: path('the file that the test object must equal'),
    verify: optional(
      z.union([z.boolean(), z.string().min(1)], {
        error: "expected true, false, or the file of the authorities (PEM) that sign the edges' certificates",
      }),
      true,
    ),
  },
  'the section testobject: host, port, proto, uri, local, verify',
);

/** Keys at the top of the file. */
export const probeKeys = {
  testobject,
  goodenough: number('seconds', { min: 0, max: 3600, integer: false, above: true }),
  timeout: optional(number('seconds', { min: 0, max: 3600, integer: false, above: true }), 10),
  testing: optional(flag(), false),
  workers: optional(number('a number of parallel fetches', { min: 1, max: 10_000 }), 10),
  retry: optional(number('a number of tries', { min: 1, max: 100 }), 3),
  run_frequency: optional(number('seconds', { min: 1, max: DAY, integer: false }), 60),
  settle: optional(number('seconds', { min: 0, max: 60, integer: false }), 1),
  probe: optional(
    section({ max_object_bytes: optional(number('a number of bytes', { min: 1, max: 2 ** 40 }), null) }),
    null,
  ),
};

export const selectKeys = {
  edge_count: optional(number('a number of edges', { min: 1, max: LIVE_MAX }), 4),
  dnet_edge_count: optional(
    z.record(z.string(), number('a number of edges', { min: 1, max: LIVE_MAX }), {
      error: 'expected a map from networks to their number of live edges',
    }),
    {},
  ),
  dnschange_maxfreq: optional(number('a number of changes in ten minutes', { min: 1, max: 100_000 }), 10),
  // Anything the original's language counts as false turned it off.
  canary_killer: z.preprocess(
    (value) => (value === undefined || value === null || value === false || value === '' ? 0 : value),
    number('a number of failing canaries, 0 for never', { min: 0, max: 1_000_000 }),
  ),
};

const commandList = optional(oneOrMany(text('a command line'), 'a list of command lines'), []);

export const commands = optional(
  section({ run_before: commandList, run_after: commandList, run_after_changes: commandList }),
  null,
);

/** Files and folders, relative to the configuration's own. */
export const fileKeys = {
  edgelist_dir: path('the folder of the edge lists'),
  extra_edgelist_dir: optional(path('a folder'), null),
  healthdata_store: path('the folder of the health records'),
  zonetemplate_dir: path('the folder that holds <network>/<zone>.zone'),
  named_dir: optional(path('a folder'), null),
  logpath: optional(path('a file'), null),
  log_level: optional(
    z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR'], { error: 'expected DEBUG, INFO, WARNING or ERROR' }),
    'INFO' as const,
  ),
  lockfile: path('a file'),
  statefile: path('a file, {dnet} for the network'),
  state_dir: optional(path('a folder'), null),
  live_list: optional(path('a file, {dnet} for the network'), null),
  canary_files: optional(path('a file, {dnet} for the network'), null),
  prometheus_logs: optional(path('a folder'), null),
};

/** Keys that some version of the original had; they load, and a warning says that they do nothing. */
export const historicKeys = {
  command_reap_timeout: z.unknown().optional(),
  rotationhistory_store: z.unknown().optional(),
  soa_template: z.unknown().optional(),
};
