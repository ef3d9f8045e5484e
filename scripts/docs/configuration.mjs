// docs/configuration.md and the man pages edgemanage.yaml(5) and goavail.toml(5): every key, from the schemas themselves.
import { FILES, FORM } from './configuration-files.mjs';
import { item, paragraphs, roff, titled } from './roff.mjs';

/** All keys at the top of edgemanage.yaml, in the order in which they are read best. */
const GROUPS = [
  ['What edges are asked', ['testobject', 'checks', 'probe', 'timeout', 'testing', 'retry', 'workers']],
  ['How often', ['run_frequency', 'settle']],
  [
    'Which edges are live',
    ['goodenough', 'judges', 'edge_count', 'dnet_edge_count', 'dnschange_maxfreq', 'canary_killer'],
  ],
  ['Safety and agreement', ['safety', 'vantage']],
  ['Zones', ['dns', 'static_zones', 'static_zone_dir', 'include_dirs', 'zone_limits']],
  ['Lists and templates', ['edgelist_dir', 'extra_edgelist_dir', 'canary_files', 'zonetemplate_dir']],
  [
    'What is written',
    ['healthdata_store', 'statefile', 'state_dir', 'lockfile', 'named_dir', 'live_list', 'prometheus_logs'],
  ],
  ['Serving', ['server', 'http', 'transfer']],
  ['Whom a change reaches', ['commands', 'publish', 'notices']],
  ['Logs', ['logpath', 'log_level', 'dnstap']],
  ['Without effect', ['command_reap_timeout', 'rotationhistory_store', 'soa_template']],
];

export async function documents() {
  const { configSchema } = await import('../../dist/config/load.js');
  const { goavailSchema } = await import('../../dist/config/goavail-keys.js');
  const { referenceKeys } = await import('../../dist/config/key-reference.js');
  const { RESTART_KEYS } = await import('../../dist/app/need-restart.js');
  const { version } = await import('../../dist/system/version.js');
  const keys = referenceKeys(configSchema);
  const goavail = referenceKeys(goavailSchema);
  const needsRestart = (path) => RESTART_KEYS.includes(path);
  return [
    { file: 'docs/configuration.md', make: () => markdown(grouped(keys), goavail, needsRestart) },
    { file: 'man/edgemanage.yaml.5', make: () => configurationPage(grouped(keys), needsRestart, version()) },
    { file: 'man/goavail.toml.5', make: () => goavailPage(goavail, version()) },
  ];
}

/** Throws where a key is in no group. */
function grouped(keys) {
  const named = GROUPS.flatMap(([, names]) => names);
  const missing = keys.filter(({ name }) => !named.includes(name)).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`scripts/docs/configuration.mjs: in no group: ${missing.join(', ')}`);
  return GROUPS.map(([title, names]) => ({
    title,
    keys: names.flatMap((name) => keys.filter((one) => one.name === name)),
  })).filter((group) => group.keys.length > 0);
}

// Both forms ---------------------------------------------------------------------------------------------------------

/** A key and all below it as tables: `{heading, about, keys}`, its own keys first. */
function tables(key) {
  const { keys, kinds } = key.below;
  if ((keys.length === 0 && kinds.length === 0) || key.doc.like !== undefined) return [];
  const path = `${key.path}${key.below.step}`;
  const rest = kinds.map(({ keys: own }) => own);
  const shared =
    kinds.length < 2 ? [] : rest[0].filter((one) => rest.every((own) => own.some((other) => isSame(one, other))));
  const parts = [
    ...(keys.length > 0 ? [{ path, by: null, is: null, about: '', keys }] : []),
    ...(shared.length > 0 ? [{ path, by: null, is: null, about: 'Keys of every kind.', keys: shared }] : []),
    ...kinds.map(({ by, is, keys: own }) => ({
      path,
      by,
      is,
      about: own.find(({ name }) => name === by)?.doc.description ?? '',
      keys: own.filter((one) => one.name !== by && !shared.some((other) => isSame(one, other))),
    })),
  ];
  return parts.flatMap((part) => [part, ...part.keys.flatMap(tables)]);
}

function isSame(one, other) {
  const said = ({ name, value, default: usual, doc }) => JSON.stringify([name, value, usual, doc]);
  return said(one) === said(other);
}

function defaultWords({ isRequired, default: usual, doc }, code) {
  if (isRequired) return 'required';
  return usual === null ? doc.otherwise : code(usual);
}

// Markdown -----------------------------------------------------------------------------------------------------------

function markdown(groups, goavail, needsRestart) {
  const rows = groups.map(({ title }) => `- [${title}](#${slug(title)})`);
  const lines = [
    '<!-- Made by `npm run docs` from the schema in src/config: edit the descriptions there. -->',
    '# Configuration reference',
    '',
    'Every key of `edgemanage.yaml`, and [of `goavail.toml`](#goavailtoml). [conf/edgemanage.yaml](../conf/edgemanage.yaml) is a file',
    'with all of them to copy from; [the quick start](quick-start.md) has the few that are needed to begin with.',
    '',
    ...rows,
    '- [Files that it names](#files-that-it-names)',
    '- [goavail.toml](#goavailtoml)',
    '',
    '## How it is read',
    '',
    ...FORM.flatMap((text) => [text, '']),
    'Keys with **e** are edgemanage’s own; **restart**: a reload does not bring the key into force. `NETWORK` stands for the name of',
    'a network, `[]` for each entry of a list.',
    '',
    ...groups.flatMap(({ title, keys }) => [
      `## ${title}`,
      '',
      ...table(keys, '', needsRestart),
      ...keys.flatMap((key) => tables(key).flatMap((part) => markdownPart(part, needsRestart))),
    ]),
    '## Files that it names',
    '',
    ...FILES.flatMap(({ name, where, about, example }) => [
      `### ${name}`,
      '',
      `${where}. ${about}`,
      '',
      ...(example === null ? [] : ['```text', ...example.trimEnd().split('\n'), '```', '']),
    ]),
    '## goavail.toml',
    '',
    'Read by `goavail monitor` and `edgewise convert` ([goavail.md](goavail.md)). Keys stand flat or in the tables `Members`,',
    '`Cloudflare` and `Route53`; letters may be large or small.',
    '',
    ...table(
      goavail.filter(({ below }) => below.keys.length === 0),
      'goavail.',
      () => false,
    ),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function markdownPart({ path, by, is, about, keys }, needsRestart) {
  const heading = by === null ? `\`${path}\`` : `\`${path}\` with \`${by}: ${is}\``;
  return [
    `### ${heading}${about.startsWith('Keys of') ? ', all kinds' : ''}`,
    '',
    ...(about === '' || about.startsWith('Keys of') ? [] : [about, '']),
    ...table(keys, by === null ? '' : `${is}.`, needsRestart),
  ];
}

function table(keys, prefix, needsRestart) {
  return [
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...keys.map((key) => {
      const { path, name, value, doc } = key;
      const marks = [doc.origin === 'edgemanage' ? '**e**' : '', needsRestart(path) ? '**restart**' : ''];
      const example = doc.example === undefined ? '' : ` Example: ${code(doc.example)}`;
      const cells = [
        [`<a id="${prefix}${path}"></a>\`${name}\``, ...marks.filter((mark) => mark !== '')].join(' '),
        cell(value),
        cell(defaultWords(key, code)),
        cell(`${doc.description}${example}`),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ];
}

function cell(text) {
  const parts = text.split(/(`[^`]*`)/);
  const plain = parts.map((part, i) => (i % 2 === 1 ? part : part.replaceAll('<', '\\<').replaceAll('*', '\\*')));
  return plain.join('').replaceAll('|', '\\|');
}

function code(text) {
  return `\`${text}\``;
}

function slug(title) {
  return title.toLowerCase().replaceAll(' ', '-');
}

// Man pages ----------------------------------------------------------------------------------------------------------

function heading(name, version) {
  return [
    '.\\" Made by npm run docs.',
    `.TH ${name.toUpperCase()} 5 "" "Edgewise ${version}" "Edgewise"`,
    '.nh',
    '.ad l',
  ];
}

function configurationPage(groups, needsRestart, version) {
  const lines = [
    ...heading('edgemanage.yaml', version),
    '.SH NAME',
    'edgemanage.yaml \\- configuration of Edgewise',
    '.SH DESCRIPTION',
    ...paragraphs(
      [
        'The commands of Edgewise read /etc/edgemanage/edgemanage.yaml or, where that is not there, ' +
          '/etc/edgewise/edgewise.yaml, unless another file is named.',
        ...FORM,
      ].map(plain),
    ).map(marked),
    ...groups.flatMap(({ title, keys }) => [
      `.SH ${roff(title.toUpperCase())}`,
      ...keys.flatMap((key) => manKey(key, needsRestart)),
      ...keys.flatMap((key) => tables(key).flatMap((part) => manPart(part, needsRestart))),
    ]),
    ...titled(
      'FILES',
      FILES.flatMap(({ name, where, about, example }) => [
        `.SS ${roff(name)}`,
        marked(roff(plain(`${where}. ${about}`))),
        ...(example === null ? [] : ['.PP', '.RS 4', '.nf', ...example.trimEnd().split('\n').map(roff), '.fi', '.RE']),
      ]),
    ),
    '.SH SEE ALSO',
    ...['edgewise (1),', 'edgewise\\-check (1),', 'edgewise\\-serve (1),', 'goavail.toml (5)'].map(
      (page) => `.BR ${page}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function goavailPage(goavail, version) {
  const lines = [
    ...heading('goavail.toml', version),
    '.SH NAME',
    'goavail.toml \\- configuration of goavail monitor',
    '.SH DESCRIPTION',
    marked(
      roff(
        plain(
          'Keys stand flat or in the tables Members, Cloudflare and Route53; where a key is in both, the table counts. Letters ' +
            'may be large or small. Whatever is wrong is reported at once, with line and column.',
        ),
      ),
    ),
    '.SH KEYS',
    ...goavail.flatMap((key) => manKey(key, () => false)),
    '.SH SEE ALSO',
    '.BR goavail\\-monitor (1),',
    '.BR edgewise\\-convert (1),',
    '.BR edgemanage.yaml (5)',
  ];
  return `${lines.join('\n')}\n`;
}

function manPart({ path, by, is, about, keys }, needsRestart) {
  const title = by === null ? path : `${path}, ${by}: ${is}`;
  return [
    `.SS ${roff(title)}`,
    ...(about === '' ? [] : [marked(roff(plain(about)))]),
    ...keys.flatMap((key) => manKey(key, needsRestart)),
  ];
}

function manKey(key, needsRestart) {
  const { path, name, value, doc } = key;
  const usual = defaultWords(key, (text) => text);
  const facts = [
    `Value: ${value}.`,
    key.isRequired ? 'Required.' : key.default === null ? `Without it: ${usual}.` : `Default: ${usual}.`,
    ...(doc.example === undefined ? [] : [`Example: ${doc.example}`]),
    ...(needsRestart(path) ? ['Needs a restart.'] : []),
  ];
  return [...item(`.B ${roff(name)}`, plain(doc.description)).map(marked), '.br', marked(roff(plain(facts.join(' '))))];
}

/** `…` between signs that roff does not know. */
function plain(text) {
  return text.replaceAll(/`([^`]*)`/g, '\u0001$1\u0002').replaceAll('…', '...');
}

/** The same in bold. */
function marked(line) {
  return line.replaceAll('\u0001', '\\fB').replaceAll('\u0002', '\\fR');
}
