/**
 * Every event that `serve`, `edge_manage` and `goavail monitor` log: its name, which is stable, at which levels it comes,
 * and its fields. docs/logs.md is made of it. Nothing can be logged that is not here (`Log`).
 */

/** From least to most important. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a field holds wherever it occurs; a line has those of its event that are known. */
export const LOG_FIELDS = {
  added: { type: 'list', about: 'edges that came into the live set' },
  address: { type: 'text', about: 'an IP address, or address and port' },
  author: { type: 'text', about: 'who asked for it: the name of a token or certificate' },
  by: { type: 'text', about: 'the vantage that decided or set it' },
  check: { type: 'text', about: 'the check that decided' },
  client: { type: 'text', about: 'the address of the HTTP client; of wrong tokens its /64, if it has one' },
  code: { type: 'text', about: 'the kind of fault' },
  command: { type: 'text', about: 'the command of a hook' },
  comment: { type: 'text', about: 'the comment of a mode' },
  dns: { type: 'list', about: 'where DNS is answered' },
  duration_seconds: { type: 'number', about: 'how long it took; of a check that failed, its last try' },
  edge: { type: 'text', about: 'an edge or canary, as listed' },
  failed: { type: 'number', about: 'how many could not be loaded' },
  file: { type: 'text', about: 'the file that it is about' },
  hook: { type: 'text', about: 'when the command is run, as in the configuration' },
  http: { type: 'text', about: 'where HTTP is answered; null: nowhere' },
  judgement: { type: 'text', about: 'what the edge is judged to be; null: nothing' },
  keys: { type: 'list', about: 'keys of the configuration' },
  line: { type: 'number', about: 'the line in the file' },
  live: { type: 'list', about: 'edges of the live set' },
  loaded: { type: 'number', about: 'how many were loaded' },
  mode: { type: 'text', about: 'the mode of an edge' },
  network: { type: 'text', about: 'a network' },
  part: { type: 'text', about: 'a part of the server' },
  reason: { type: 'text', about: 'what a check failed of' },
  removed: { type: 'list', about: 'edges that left the live set' },
  secondary: { type: 'text', about: 'a secondary, as configured' },
  serial: { type: 'number', about: 'the serial of a zone or live set' },
  target: { type: 'text', about: 'a target of publish or notices' },
  tls: { type: 'list', about: 'where DNS over TLS is answered' },
  unchanged: { type: 'number', about: 'how many are as they were' },
  vantage: { type: 'text', about: 'a vantage' },
  wanted: { type: 'number', about: 'how many live edges are wanted' },
  zone: { type: 'text', about: 'a zone, without a final dot' },
  zones: { type: 'number', about: 'how many zones' },
} as const satisfies {
  readonly [field: string]: { readonly type: 'text' | 'number' | 'list'; readonly about: string };
};

type FieldName = keyof typeof LOG_FIELDS;
type FieldTypes = { readonly text: string | null; readonly number: number; readonly list: readonly string[] };

type Definition = {
  readonly levels: readonly LogLevel[];
  readonly fields: readonly FieldName[];
  readonly about: string;
};

const DEBUG = ['debug'] as const;
const INFO = ['info'] as const;
const WARN = ['warn'] as const;
const ERROR = ['error'] as const;
const FAULT = ['warn', 'error'] as const;

export const LOG_EVENTS = {
  'server.ready': { levels: INFO, fields: ['dns', 'tls', 'http', 'zones'], about: 'The server answers from now on.' },
  'server.stopped': { levels: INFO, fields: [], about: 'The server was asked to stop, and did.' },
  'server.stop_timeout': { levels: WARN, fields: ['part'], about: 'A part did not stop in time.' },
  'server.bug_contained': {
    levels: ERROR,
    fields: ['part'],
    about: 'A bug of ours, which ended nothing but the work it was in. Report it, with the stack.',
  },
  'log.file_unusable': { levels: ERROR, fields: [], about: 'The log goes elsewhere than it should.' },

  'config.fault': {
    levels: FAULT,
    fields: ['network', 'code', 'file', 'line'],
    about: 'Something in the configuration, an edge list or another file that an operator writes.',
  },
  'config.reload_refused': { levels: ERROR, fields: ['file'], about: 'A reload changed nothing, or not everything.' },
  'config.reloaded': {
    levels: INFO,
    fields: ['loaded', 'unchanged', 'failed', 'duration_seconds', 'file'],
    about: 'A reload has ended; counts are of zones.',
  },
  'config.restart_needed': { levels: WARN, fields: ['keys'], about: 'Keys changed that take a restart.' },

  'network.added': { levels: INFO, fields: ['network'], about: 'A reload brought a network.' },
  'network.removed': { levels: INFO, fields: ['network'], about: 'A reload took a network away.' },
  'network.opened': { levels: INFO, fields: ['network'], about: 'A network that could not be opened is open now.' },
  'network.open_failed': {
    levels: ERROR,
    fields: ['network'],
    about: 'A network cannot be opened; it is tried again.',
  },
  'network.locked': { levels: INFO, fields: ['network'], about: 'Another process has the network locked.' },
  'network.never_live': { levels: ERROR, fields: ['network'], about: 'No edge was ever live: names answer SERVFAIL.' },
  'network.lists_refused': { levels: ERROR, fields: ['network'], about: 'Edge lists do not load; the old ones hold.' },
  'network.lists_recovered': { levels: INFO, fields: ['network'], about: 'Edge lists load again.' },
  'lock.retaken': { levels: WARN, fields: ['file'], about: 'The lock file was removed, and made anew.' },
  'lock.lost': { levels: ERROR, fields: ['file'], about: 'The lock file was removed and cannot be made anew.' },

  'edge.checked': {
    levels: INFO,
    fields: ['network', 'edge', 'address', 'check', 'duration_seconds', 'reason'],
    about: 'A check of an edge or canary ended. `reason`: what it failed of; `duration_seconds` is then its timeout.',
  },
  'edge.judged': {
    levels: DEBUG,
    fields: ['network', 'edge', 'judgement'],
    about: 'What a decision made of an edge or canary.',
  },
  'edge.live_changed': {
    levels: INFO,
    fields: ['network', 'edge'],
    about: 'Why an edge came into the live set or left it.',
  },
  'edge.moved': { levels: INFO, fields: ['network', 'edge'], about: 'A live edge is at another address.' },
  'live_set.unchanged': { levels: INFO, fields: ['network', 'live', 'wanted'], about: 'A decision changed nothing.' },
  'live_set.changed': {
    levels: INFO,
    fields: ['network', 'live', 'wanted', 'added', 'removed'],
    about: 'A decision changed the live set.',
  },
  'live_set.held': {
    levels: WARN,
    fields: ['network', 'live', 'wanted'],
    about: 'The rotation limit keeps a change back.',
  },
  'live_set.empty': { levels: ERROR, fields: ['network', 'live', 'wanted'], about: 'No edge is fit to be live.' },
  'live_set.note': { levels: WARN, fields: ['network'], about: 'A warning about the live set as a whole.' },
  'live_set.adopted': {
    levels: INFO,
    fields: ['network', 'by'],
    about: 'What another vantage decided is served here.',
  },
  'live_set.history_unusable': { levels: WARN, fields: [], about: 'Versions of live sets cannot be kept for IXFR.' },
  'canary.decided': { levels: ['debug', 'info'], fields: ['network', 'zone'], about: 'What became of a canary.' },
  'round.failed': { levels: ERROR, fields: ['network'], about: 'A round, or a decision, could not be made.' },
  'round.recovered': { levels: INFO, fields: ['network'], about: 'What earlier lines complained of is over.' },
  'round.overdue': { levels: ERROR, fields: ['network'], about: 'Rounds do not end in time.' },
  'round.in_time': { levels: INFO, fields: ['network'], about: 'Rounds end in time again.' },
  'round.slow': { levels: WARN, fields: ['network'], about: 'A round takes longer than `run_frequency`.' },
  'round.edges_unchecked': { levels: WARN, fields: ['network'], about: 'Trouble of our own kept edges from a check.' },
  'round.edges_silent': { levels: ERROR, fields: ['network'], about: 'Edges have had no check for three intervals.' },
  'round.edges_checked': { levels: INFO, fields: ['network'], about: 'Every edge is checked again.' },
  'round.addresses_shared': { levels: WARN, fields: ['network'], about: 'Edges have the same address.' },
  'prober.trouble': { levels: FAULT, fields: [], about: 'The thread that checks edges died, hung or is replaced.' },
  'state.fault': {
    levels: FAULT,
    fields: ['network', 'code', 'file', 'line'],
    about: 'State cannot be read, written or understood.',
  },
  'state.recovered': { levels: INFO, fields: ['network', 'file'], about: 'A file of state is written again.' },
  'mode.received': { levels: INFO, fields: ['edge', 'mode', 'by'], about: 'A mode that was set on another vantage.' },
  'mode.sent': { levels: INFO, fields: ['edge', 'mode'], about: 'A mode that was set here goes to the others.' },
  'mode.fault': { levels: WARN, fields: ['edge', 'file'], about: 'Modes in common are not as they should be.' },

  'zone.fault': {
    levels: FAULT,
    fields: ['zone', 'network', 'file'],
    about: 'A zone does not load, or has warnings.',
  },
  'zone.recovered': {
    levels: INFO,
    fields: ['zone', 'network', 'file'],
    about: 'A zone, or the zones as a set, are well.',
  },
  'zones.loaded': {
    levels: INFO,
    fields: ['loaded', 'failed', 'duration_seconds'],
    about: 'All zones were read for the first time.',
  },

  'dns.listen_failed': { levels: ERROR, fields: [], about: 'A thread cannot have an endpoint that it had.' },
  'dns.thread_restarted': { levels: ERROR, fields: [], about: 'An answering thread died; it is started again.' },
  'dns.thread_message': { levels: ['debug', 'info', 'warn', 'error'], fields: [], about: 'What a thread reports.' },
  'dns.unbatched': { levels: INFO, fields: [], about: 'UDP is answered without batched system calls.' },
  'dns.wildcard_source': { levels: WARN, fields: ['address'], about: 'The system picks the source of answers.' },
  'dns.descriptors_low': { levels: WARN, fields: [], about: 'The limit of open files is low for the limits set.' },
  'dns.tls_kept': { levels: ERROR, fields: [], about: 'A new certificate cannot be used; the old one stays.' },
  'http.failed': { levels: ERROR, fields: [], about: 'The HTTP listener, or an answer, failed.' },
  'http.exposed': {
    levels: WARN,
    fields: ['address'],
    about: 'HTTP is reachable from elsewhere and is not protected.',
  },

  'dnstap.off': { levels: INFO, fields: [], about: 'A reload switched dnstap off.' },
  'dnstap.writing': { levels: INFO, fields: ['file'], about: 'Messages of dnstap go to this file or socket.' },
  'dnstap.failed': { levels: WARN, fields: ['file'], about: 'Messages of dnstap cannot be written, and are dropped.' },
  'dnstap.thread_restarted': { levels: ERROR, fields: [], about: 'The thread that writes dnstap died.' },

  'secondary.trouble': {
    levels: WARN,
    fields: [],
    about: 'A secondary gives no serial, or is behind or ahead of ours. Of many zones, one line and their number.',
  },
  'secondary.recovered': { levels: INFO, fields: [], about: 'A secondary has our serial again.' },
  'notify.message': { levels: ['debug', 'info', 'warn'], fields: [], about: 'A NOTIFY was refused or not answered.' },
  'transfer.memory_unusable': { levels: WARN, fields: [], about: 'What transfers need to remember cannot be kept.' },

  'publish.failed': { levels: ERROR, fields: ['network'], about: 'A change could not be carried out.' },
  'publish.recovered': { levels: INFO, fields: ['network'], about: 'Changes are carried out again.' },
  'hook.failed': { levels: ERROR, fields: ['hook', 'command'], about: 'A command of the configuration failed.' },
  'provider.message': {
    levels: ['info', 'warn'],
    fields: ['network'],
    about: 'A set at a DNS provider was corrected, would be, or was changed by somebody else.',
  },
  'provider.failed': { levels: ERROR, fields: ['target'], about: 'A set cannot be kept right.' },
  'provider.recovered': { levels: INFO, fields: [], about: 'A set can be kept right again.' },
  'provider.memory_unusable': {
    levels: WARN,
    fields: ['target'],
    about: 'What was written to a provider is not kept.',
  },
  'notice.in_doubt': { levels: WARN, fields: ['target'], about: 'A message was under way when the server ended.' },
  'notice.failed': { levels: ERROR, fields: ['target'], about: 'A message was not sent, and is tried again.' },
  'notice.given_up': { levels: ERROR, fields: ['target'], about: 'A target refuses a message for good.' },
  'notice.recovered': { levels: INFO, fields: ['target'], about: 'A target takes messages again.' },
  'notice.queue_fault': { levels: ERROR, fields: ['target'], about: 'A queue cannot be read or written.' },

  'vantage.settings_changed': { levels: INFO, fields: [], about: 'A reload brought other settings of `vantage`.' },
  'vantage.decider_changed': { levels: INFO, fields: ['vantage'], about: 'Another vantage decides.' },
  'vantage.decider_lost': { levels: ERROR, fields: [], about: 'No vantage decides.' },
  'vantage.clock_wrong': { levels: WARN, fields: ['vantage'], about: 'The clock of a vantage differs from ours.' },
  'vantage.override_set': { levels: ERROR, fields: [], about: 'An operator lets this vantage decide alone.' },
  'vantage.override_ended': { levels: WARN, fields: [], about: 'This vantage agrees with the others again.' },
  'vantage.override_unreadable': { levels: ERROR, fields: [], about: 'The file of the override makes no sense.' },
  'vantage.listening': { levels: INFO, fields: [], about: 'Peers can ask.' },
  'vantage.listen_failed': { levels: ERROR, fields: [], about: 'Peers cannot ask.' },
  'vantage.peer_failed': { levels: WARN, fields: ['vantage'], about: 'A peer does not answer as it should.' },
  'vantage.peer_recovered': { levels: INFO, fields: ['vantage'], about: 'A peer answers again.' },
  'vantage.refused': { levels: WARN, fields: [], about: 'A message of a peer or stranger was refused.' },
  'vantage.view_fault': { levels: ERROR, fields: ['network'], about: 'Our view cannot be shown to the others.' },
  'vantage.etcd': {
    levels: WARN,
    fields: [],
    about: 'etcd does not answer, answers again, was wiped, or holds garbage.',
  },

  'goavail.started': { levels: INFO, fields: [], about: 'What is monitored, and how.' },
  'goavail.stopped': { levels: INFO, fields: [], about: 'The monitoring was asked to stop.' },
  'goavail.checked': {
    levels: DEBUG,
    fields: ['address', 'duration_seconds', 'reason'],
    about: 'A check of an address ended.',
  },
  'goavail.state_changed': { levels: ['info', 'warn'], fields: ['address'], about: 'An address is up or down.' },
  'goavail.check_failed': { levels: FAULT, fields: ['address'], about: 'An address could not be checked.' },
  'goavail.waiting': { levels: INFO, fields: ['address'], about: 'A change waits for peers to agree.' },
  'goavail.last_kept': { levels: ERROR, fields: ['address'], about: 'The last address is down and stays published.' },
  'goavail.published': { levels: INFO, fields: ['address'], about: 'A record was added or removed, or would be.' },
  'goavail.slack_failed': { levels: WARN, fields: [], about: 'A message to Slack was not sent.' },

  'admin.mode_set': {
    levels: INFO,
    fields: ['author', 'client', 'network', 'edge', 'mode', 'comment'],
    about: 'A mode was set through HTTP.',
  },
  'admin.probed': {
    levels: INFO,
    fields: ['author', 'client', 'network', 'edge'],
    about: 'An edge was checked at once.',
  },
  'admin.updated': { levels: INFO, fields: ['author', 'client', 'network'], about: 'A decision was asked for.' },
  'admin.reloaded': { levels: INFO, fields: ['author', 'client'], about: 'A reload was asked for.' },
  'admin.notice_tested': {
    levels: INFO,
    fields: ['author', 'client', 'target'],
    about: 'A test notice was asked for.',
  },
  'admin.session': {
    levels: INFO,
    fields: ['author', 'client'],
    about: 'Somebody signed in or out; of one person, ten lines a minute.',
  },
  'admin.refused': {
    levels: WARN,
    fields: ['author', 'client'],
    about: 'What somebody asked for was not done, or wrong tokens came (at most 10 lines a minute, one a client).',
  },
} as const satisfies { readonly [event: string]: Definition };

export type EventName = keyof typeof LOG_EVENTS;
export type LevelOf<E extends EventName> = (typeof LOG_EVENTS)[E]['levels'][number];
type FieldsOf<E extends EventName> = {
  readonly [F in (typeof LOG_EVENTS)[E]['fields'][number]]?: FieldTypes[(typeof LOG_FIELDS)[F]['type']] | null;
};

/** An event, or with what is known of its fields. */
export type Logged<E extends EventName> = E | ({ readonly event: E } & FieldsOf<E>);

/** Writes one line: an event at one of its levels, with a sentence for people. */
export type Log = <E extends EventName>(level: LevelOf<E>, text: string, event: Logged<E>) => void;

/** The same log, where every line has these fields, too, unless it has others of these names. */
export function withFields(log: Log, fields: { readonly [F in FieldName]?: string }): Log {
  return <E extends EventName>(level: LevelOf<E>, text: string, event: Logged<E>) => {
    const named = typeof event === 'string' ? { event } : event;
    log(level, text, { ...named, ...fields, ...named } as unknown as Logged<E>); // in this order: the event comes first
  };
}
