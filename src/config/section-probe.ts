/** What is fetched from the edges, how the result is judged and how often: the original's top-level keys. */
import { z } from 'zod';
import { flag, hostName, number, objectPath, oneOrMany, optional, path, section, text } from './fields.ts';
import { edgemanageKey, key } from './key-docs.ts';
import { LIVE_MAX } from './limits.ts';

const DAY = 86_400;

export const testobject = section(
  {
    host: edgemanageKey(
      hostName(),
      'Host header, TLS server name and the name that a certificate must be for. The connection goes to the address of the edge.',
      { example: 'www.example.com' },
    ),
    port: edgemanageKey(
      optional(
        // The original pasted the port into a URL, so a quoted number worked too.
        z.preprocess(
          (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
          number('a port', { min: 1, max: 65535 }),
        ),
        80,
      ),
      'The port of the edges. For https, too, it is 80 unless you say 443.',
    ),
    proto: edgemanageKey(z.enum(['http', 'https'], { error: 'expected http or https' }), 'How the object is fetched.', {
      example: 'https',
    }),
    uri: edgemanageKey(objectPath(), 'Path of the test object, not a URL.', { example: '/health.txt' }),
    local: edgemanageKey(
      path('the file that the test object must equal'),
      'The file that the fetched body must equal, octet for octet. It is read anew for every round, once it has been quiet for two seconds; while it is missing, empty or larger than `probe.max_object_bytes` there is no round.',
      { example: 'health.txt' },
    ),
    verify: edgemanageKey(
      optional(
        z.union([z.boolean(), z.string().min(1)], {
          error: "expected true, false, or the file of the authorities (PEM) that sign the edges' certificates",
        }),
        true,
      ),
      'Whether the certificates of the edges are checked: against the authorities that Node.js brings and those of the system, or against those of a PEM file.',
      { value: 'true, false, or the file of the authorities (PEM) that sign the certificates of the edges' },
    ),
  },
  'the section testobject: host, port, proto, uri, local, verify',
);

/** Keys at the top of the file. */
export const probeKeys = {
  testobject: edgemanageKey(testobject, 'What is fetched from every edge of a network that has no `checks`.'),
  goodenough: edgemanageKey(
    number('seconds', { min: 0, max: 3600, integer: false, above: true }),
    'A fetch that took less than this is fast. It must be less than the timeout (10 s).',
    { example: '0.7' },
  ),
  timeout: edgemanageKey(
    optional(number('seconds', { min: 0, max: 3600, integer: false, above: true }), 10),
    'The time that a fetch may take, used only while `testing` is true; it is 10 s otherwise.',
  ),
  testing: edgemanageKey(
    optional(flag(), false),
    'For test set-ups: the Host header is the name of the edge itself, and `timeout` counts.',
  ),
  workers: edgemanageKey(
    optional(number('a number of parallel fetches', { min: 1, max: 10_000 }), 10),
    'Fetches in parallel of edges that passed last time. Live edges wait for no place (64 at most), and edges that failed or took longer than a second last time have places of their own.',
  ),
  retry: edgemanageKey(
    optional(number('a number of tries', { min: 1, max: 100 }), 3),
    'Tries on connection errors (refused, reset). A timeout or a wrong answer is not tried again.',
  ),
  run_frequency: edgemanageKey(
    optional(number('seconds', { min: 1, max: DAY, integer: false }), 60),
    'Time from one probing round to the next. `edgewise serve` asks each edge at a moment of its own, spread evenly over this time.',
  ),
  settle: key(
    optional(number('seconds', { min: 0, max: 60, integer: false }), 1),
    '`edgewise serve` decides so long after a live edge began to fail, or after another sample that may change the answer: edges that die together leave in one change.',
  ),
  probe: key(
    optional(
      section({
        max_object_bytes: key(
          optional(number('a number of bytes', { min: 1, max: 2 ** 40 }), null),
          'A body longer than this fails. Bodies are never held in memory.',
          { default: '16777216' },
        ),
      }),
      null,
    ),
    'Bounds of the fetches.',
    { otherwise: 'the defaults of its keys' },
  ),
};

export const selectKeys = {
  edge_count: edgemanageKey(
    optional(number('a number of edges', { min: 1, max: LIVE_MAX }), 4),
    'Live edges of a network. One more is live where A or AAAA would have no answer otherwise.',
  ),
  dnet_edge_count: edgemanageKey(
    optional(
      z.record(z.string(), number('a number of edges', { min: 1, max: LIVE_MAX }), {
        error: 'expected a map from networks to their number of live edges',
      }),
      {},
    ),
    '`edge_count` for single networks.',
    { default: '{}', value: 'a map from networks to a number of edges, 1 to 64', example: '{net-a: 2}' },
  ),
  dnschange_maxfreq: edgemanageKey(
    optional(number('a number of changes in ten minutes', { min: 1, max: 100_000 }), 10),
    'Changes of what is answered that are allowed in ten minutes; further ones are held until the oldest is ten minutes old. What an operator changes, and what replaces failed edges, is never held.',
  ),
  // Anything the original's language counts as false turned it off.
  canary_killer: edgemanageKey(
    z.preprocess(
      (value) => (value === undefined || value === null || value === false || value === '' ? 0 : value),
      number('a number of failing canaries, 0 for never', { min: 0, max: 1_000_000 }),
    ),
    'When so many canaries fail in one round, none is used in it. 0, false or no value: never.',
    { default: '0', value: 'a number of failing canaries, 0 to 1000000, or false' },
  ),
};

const commandList = optional(oneOrMany(text('a command line'), 'a list of command lines'), []);

export const commands = edgemanageKey(
  optional(
    section({
      run_before: edgemanageKey(commandList, 'Started before each round.', {
        otherwise: 'none',
        example: '/usr/local/bin/before-round',
      }),
      run_after: edgemanageKey(commandList, 'Started after each round.', {
        otherwise: 'none',
        example: '/usr/local/bin/after-round',
      }),
      run_after_changes: edgemanageKey(commandList, 'Started after the live set or a zone changed.', {
        otherwise: 'none',
        example: '/usr/sbin/rndc reload',
      }),
    }),
    null,
  ),
  'Programs that are started around a round, without a shell, words separated by single blanks. Nobody waits for them; one that runs for five minutes is ended.',
  { otherwise: 'none' },
);

/** Files and folders, relative to the configuration's own. */
export const fileKeys = {
  edgelist_dir: edgemanageKey(
    path('the folder of the edge lists'),
    'The folder with a file for each network, named for it: a host name or address a line.',
    { example: 'edges' },
  ),
  extra_edgelist_dir: edgemanageKey(
    optional(path('a folder'), null),
    'A folder with more edges for a network, in a file of the same name, where there is one.',
    { otherwise: 'none' },
  ),
  healthdata_store: edgemanageKey(
    path('the folder of the health records'),
    'The folder of `<edge>.edgestore`: the fetch times, mode and comment of each edge.',
    { example: '/var/lib/edgewise/health' },
  ),
  zonetemplate_dir: edgemanageKey(
    path('the folder that holds <network>/<zone>.zone'),
    'The folder of `<network>/<zone>.zone`: what a zone holds besides SOA, NS and the live addresses.',
    { example: 'zones' },
  ),
  named_dir: edgemanageKey(
    optional(path('a folder'), null),
    'Complete zone files are written here at each change, for a BIND beside Edgewise.',
    { otherwise: 'none are written', example: '/var/cache/bind/edgewise' },
  ),
  logpath: edgemanageKey(
    optional(path('a file'), null),
    'The log of single runs in the form of edgemanage, and of `serve` as JSON lines.',
    { otherwise: 'standard error' },
  ),
  log_level: edgemanageKey(
    optional(
      z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR'], { error: 'expected DEBUG, INFO, WARNING or ERROR' }),
      'INFO' as const,
    ),
    'The least severe lines that are logged.',
  ),
  lockfile: edgemanageKey(path('a file'), 'Keeps two programs from working on a network at the same time.', {
    example: '/var/lib/edgewise/lock',
  }),
  statefile: edgemanageKey(
    path('a file, {dnet} for the network'),
    'Rotations, last live set and verification failures of each network.',
    { example: '/var/lib/edgewise/{dnet}.state' },
  ),
  state_dir: key(
    optional(path('a folder'), null),
    'Serials, journals and the other state that edgemanage did not have.',
    { otherwise: 'the folder of `statefile`' },
  ),
  live_list: edgemanageKey(
    optional(path('a file, {dnet} for the network'), null),
    'The names of the live edges, one a line, written when they change.',
    { otherwise: 'none is written', example: '/var/lib/edgewise/{dnet}.live' },
  ),
  canary_files: edgemanageKey(
    optional(path('a file, {dnet} for the network'), null),
    'A YAML map from zones to the address of their canary.',
    { otherwise: 'no canaries', example: 'canaries/{dnet}' },
  ),
  prometheus_logs: edgemanageKey(
    optional(path('a folder'), null),
    'The folder of `edgemanage.prom`, metrics as a text file. `/metrics` over HTTP has more.',
    { otherwise: 'none is written' },
  ),
};

/** Keys that some version of the original had; they load, and a warning says that they do nothing. */
export const historicKeys = {
  command_reap_timeout: edgemanageKey(z.unknown().optional(), 'Has no effect; it loads with a warning.', {
    value: 'anything',
    otherwise: 'nothing',
  }),
  rotationhistory_store: edgemanageKey(z.unknown().optional(), 'Has no effect; it loads with a warning.', {
    value: 'anything',
    otherwise: 'nothing',
  }),
  soa_template: edgemanageKey(z.unknown().optional(), 'Has no effect; it loads with a warning.', {
    value: 'anything',
    otherwise: 'nothing',
  }),
};
