/**
 * What the help of a command says beyond its options, and its man page too (scripts/docs/man.mjs). By the command as it
 * is typed.
 */
export type Manual = {
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly statuses: readonly (readonly [status: string, meaning: string])[];
  readonly examples: readonly (readonly [command: string, meaning: string])[];
};

const USAGE: readonly [string, string] = ['2', 'the command line is wrong'];

const run = (called: string): Manual => ({
  about: [
    'Fetches the test object from every edge of the network, judges the edges, chooses the live set and, when that has ' +
      'changed, writes the zone files to named_dir and starts the hooks of the configuration. For cron, beside a name ' +
      'server that reads the files; "edgewise serve" does the same continuously and answers DNS itself.',
    'It takes the lock of the network, so it does nothing while a server or another run has it.',
  ],
  statuses: [['0', 'the round was completed'], ['1', 'the round was refused or could not be made'], USAGE],
  examples: [
    [`${called} -A mynet`, 'make one round'],
    [`${called} -A mynet -n -v`, 'show what a round would decide, and touch nothing'],
  ],
});

const query = (called: string): Manual => ({
  about: [
    'Reads the health records of the edges that the list of the network names, and prints those that pass all filters. ' +
      'No server need be running.',
  ],
  statuses: [
    ['0', 'the edges were printed, even if there are none'],
    ['1', 'the configuration or the list cannot be read'],
    USAGE,
  ],
  examples: [
    [`${called} -A mynet -v --header`, 'all edges with mode, state, health and comment'],
    [`${called} -A mynet -s in -q`, 'the names of the live edges'],
    [`${called} -A mynet -H fail -f json`, 'the failing edges, as JSON'],
  ],
});

const mode = (called: string): Manual => ({
  about: [
    '"available" leaves an edge to its health. "unavailable" keeps it out. "force" keeps it in while it passes, before ' +
      'the others. "blindforce" keeps it in even when it fails.',
    'A running server takes the change up within a second, a run of edge_manage at its next round. The comment is stored ' +
      'with the name of the user (behind sudo, of the person) and sent to syslog.',
  ],
  statuses: [
    ['0', 'the mode is set'],
    ['1', 'it could not be set: the reason is on standard error'],
    ['2', 'the command line is wrong, or a run has the network locked'],
  ],
  examples: [
    [`${called} -A mynet -m unavailable -C "new disk" --for 2h 192.0.2.10`, 'take an edge out for two hours'],
    [`${called} -A mynet -m available 192.0.2.10`, 'leave it to its health again'],
  ],
});

const MANUALS: { readonly [command: string]: Manual } = {
  edgewise: {
    about: [
      'Edgewise fetches a test object from every web server ("edge") of a network, judges the edges by how fast and how ' +
        'faithfully they serve it, keeps the best few live, and answers the apex of the zones of the network with their ' +
        'addresses. It reads the files of edgemanage as they are; edge_manage, edge_query and edge_conf are its commands ' +
        'under the names of edgemanage.',
    ],
    statuses: [['0', 'as the command says'], USAGE],
    examples: [
      ['edgewise check', 'read everything and report all that is wrong'],
      ['edgewise serve -n', 'probe and decide, round after round; answer nothing, write nothing'],
      ['edgewise explain -A mynet', 'why each edge is live or not'],
    ],
  },
  'edgewise serve': {
    about: [
      'Probes the edges of the networks, decides which are live, and answers DNS queries, zone transfers and HTTP ' +
        '(status, API, metrics) at the addresses of the configuration. It prints one line, beginning with "edgewise ' +
        'ready", to standard output once it answers, and stays in the foreground; under systemd it says so by sd_notify.',
      'SIGHUP reads the configuration again and opens the log file again; what does not load changes nothing and is ' +
        'reported. SIGTERM and SIGINT end it. Edge lists, canaries and zone files are read again when they change.',
    ],
    statuses: [
      ['0', 'it was ended by a signal'],
      ['1', 'it could not start; every reason is on standard error'],
      USAGE,
    ],
    examples: [
      ['edgewise serve -c /etc/edgewise/edgewise.yaml', 'serve with this configuration'],
      ['edgewise serve -A mynet -n -v', 'show what would be decided for one network'],
    ],
  },
  'edgewise run': run('edgewise run'),
  edge_manage: run('edge_manage'),
  'edgewise check': {
    about: [
      'Reads all that "edgewise serve" would read: configuration, edge lists, canaries, zones, keys, certificates and ' +
        'stored state. Every fault is one line with file, line and column. Nothing is changed or sent. For use before a ' +
        'reload: edgewise check && systemctl reload edgewise.',
    ],
    statuses: [['0', 'everything would be used; there may be warnings'], ['1', 'something would not be used'], USAGE],
    examples: [['edgewise check -c /etc/edgewise/edgewise.yaml', 'check this configuration and all it names']],
  },
  'edgewise checkzone': {
    about: [
      'Reads one zone as the server would and reports what is wrong with it. With --include or -c the file is the include ' +
        'file of a network, to which the server adds SOA, NS and the live addresses.',
    ],
    statuses: [['0', 'the zone would be served'], ['1', 'it would not'], USAGE],
    examples: [
      ['edgewise checkzone --include example.com zones/mynet/example.com.zone', 'check a zone before it goes live'],
      ['edgewise checkzone -D example.com example.com.zone', 'print it in canonical order, to compare with another'],
    ],
  },
  'edgewise status': {
    about: [
      'Asks the running server by HTTP and prints what it says of itself: networks, zones, secondaries and how far they ' +
        'are behind, providers of DNS, and what is wrong at the moment.',
      'With --watch it does so again and again: on a terminal as a full screen (q ends it, / filters networks, s sorts ' +
        'edges, j and k scroll), on a pipe as a block of text each time. A server that does not answer is asked again.',
      'Where reading takes a token, it is in the file of --token-file or in EDGEWISE_TOKEN.',
    ],
    statuses: [
      ['0', 'all is well, or a watch was ended'],
      ['1', 'something is not'],
      ['2', 'the server does not answer, or the command line is wrong'],
    ],
    examples: [
      ['edgewise status --all', 'with every secondary and zone'],
      ['edgewise status --watch', 'a full screen, every two seconds'],
      ['edgewise status --json', 'what the API answers, for a program'],
    ],
  },
  'edgewise query': query('edgewise query'),
  edge_query: query('edge_query'),
  'edgewise export': {
    about: [
      'Writes every zone of the networks to named_dir as the server answers it, for a name server that reads files, and ' +
        'prints how they differ from the files that were there.',
    ],
    statuses: [['0', 'all zones are written'], ['1', 'at least one is not'], USAGE],
    examples: [
      ['edgewise export -n', 'only show the differences'],
      ['edgewise export --check -q', 'write what named-checkzone accepts, and print no differences'],
    ],
  },
  'edgewise mode': mode('edgewise mode'),
  edge_conf: mode('edge_conf'),
  'edgewise explain': {
    about: [
      'Reads the recorded rounds of the network and says of each edge how it was judged, why it is live or not, and what ' +
        'would change that. No server need be running.',
    ],
    statuses: [['0', 'it was explained'], ['1', 'no such round, edge or canary is recorded'], USAGE],
    examples: [
      ['edgewise explain -A mynet 192.0.2.10', 'one edge, with its recent samples'],
      ['edgewise explain -A mynet --at "10m ago"', 'as it was ten minutes ago'],
    ],
  },
  'edgewise replay': {
    about: [
      'Decides the recorded rounds of the network again, once as they were and once under other settings, and prints where ' +
        'the live sets would have differed. Nothing is fetched and nothing is changed.',
    ],
    statuses: [['0', 'it was replayed, whatever differs'], ['1', 'no rounds of that time are recorded'], USAGE],
    examples: [
      ['edgewise replay -A mynet --set goodenough=0.5', 'would a stricter limit have changed anything?'],
      ['edgewise replay -A mynet --set rise=3 fall=2 --since "2h ago"', 'two settings, the last two hours'],
    ],
  },
  'edgewise convert': {
    about: [
      'Prints, to standard output, the nearest configuration of Edgewise to a goavail.toml; what cannot be carried over ' +
        'is said in comments and on standard error.',
    ],
    statuses: [['0', 'it was converted'], ['1', 'the file cannot be read or has errors'], USAGE],
    examples: [['edgewise convert -t tcp -p route53 goavail.toml', 'for goavail monitor -t tcp -p route53']],
  },
  'edgewise notice': {
    about: [
      'Notices tell people and programs about changes and trouble; the section "notices" configures who gets them.',
    ],
    statuses: [],
    examples: [],
  },
  'edgewise notice test': {
    about: [
      'Sends a sample to one target of "notices", now, from this process and with the settings of the configuration, and ' +
        'prints what came of it.',
    ],
    statuses: [['0', 'it was sent and accepted'], ['1', 'it was not, or there is no such target'], USAGE],
    examples: [['edgewise notice test oncall', 'send a sample to the target "oncall"']],
  },
  'edgewise cluster': {
    about: ['For servers that decide together about one network; the section "vantage" configures them.'],
    statuses: [],
    examples: [],
  },
  'edgewise cluster status': {
    about: ['Asks the running server by HTTP who decides, and what each vantage last said of itself and of the edges.'],
    statuses: [
      ['0', 'all is well'],
      ['1', 'something is not'],
      ['2', 'the server does not answer or decides alone, or the command line is wrong'],
    ],
    examples: [['edgewise cluster status --json', 'the same, for a program']],
  },
  'edgewise cluster override': {
    about: [
      'Lets this server alone decide, from its own view, until the override ends: the way out when the other vantages, or ' +
        'etcd, are lost. The running server follows within a few seconds; the override outlives a restart.',
    ],
    statuses: [['0', 'the override began or ended'], ['1', 'it did not'], USAGE],
    examples: [
      ['edgewise cluster override --reason "etcd is lost" --for 2h', 'decide alone for two hours'],
      ['edgewise cluster override --end', 'agree with the others again'],
    ],
  },
  'edgewise demo': {
    about: [
      'Starts web servers on loopback addresses, writes a configuration for them to a temporary folder, and runs the ' +
        'server with it. One edge dies and comes back every minute or so; each change is a line with its reason. Ctrl-C ' +
        'ends it.',
    ],
    statuses: [['0', 'it was ended by a signal'], ['1', 'it could not start'], USAGE],
    examples: [
      ['edgewise demo', 'ask it: dig @127.0.0.1 -p 5300 shop.test'],
      ['edgewise demo --vantages 3', 'three servers that agree'],
    ],
  },
  'edgewise completion': {
    about: [
      'Prints a script that lets bash, zsh or fish complete the commands, options and values of edgewise, edge_manage, ' +
        'edge_query, edge_conf and goavail. The Debian package installs them.',
      'Networks and edges are completed from the configuration that -c names, or else the usual one; the scripts ask for ' +
        'them by "edgewise completion networks" and "edgewise completion edges".',
    ],
    statuses: [['0', 'it was printed'], ['1', 'the configuration cannot be used'], USAGE],
    examples: [
      ['source <(edgewise completion bash)', 'in ~/.bashrc'],
      ['edgewise completion zsh > ~/.zfunc/_edgewise', 'with ~/.zfunc in fpath, before compinit'],
      ['edgewise completion fish > ~/.config/fish/completions/edgewise.fish', 'for fish'],
    ],
  },
  goavail: {
    about: ['The monitor of goavail, with its configuration, records and messages.'],
    statuses: [],
    examples: [],
  },
  'goavail monitor': {
    about: [
      'Checks the addresses of goavail.toml and keeps those that answer in the records of the DNS provider. Credentials ' +
        'come from the environment, as with goavail. Changes nothing unless --no-dry-run is given.',
    ],
    statuses: [['0', 'it was ended by a signal'], ['1', 'it could not start'], USAGE],
    examples: [
      ['goavail monitor -f goavail.toml', 'log what would be changed'],
      ['goavail monitor -f goavail.toml -t tcp --no-dry-run', 'check by TCP and change the records'],
    ],
  },
};

/** Null where there is nothing to add. */
export function manualOf(called: string): Manual | null {
  return Object.hasOwn(MANUALS, called) ? MANUALS[called] : null;
}
