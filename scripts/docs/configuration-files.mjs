// The files that edgemanage.yaml names, for docs/configuration.md and edgemanage.yaml(5). `…` marks keys and names.

export const FORM = [
  'YAML 1.1, as edgemanage read it: `yes`, `no`, `on` and `off` are booleans. Relative paths start at the folder of the file, ' +
    'wherever the program is started; `{dnet}` in a path is replaced by the name of the network. A key without a value counts as ' +
    'left out. Keys at the top that begin with `x-` are yours, for notes and for anchors (`&name`).',
  'An unknown key, a value of another kind or out of range, and a key that contradicts another is an error; all of them are ' +
    'reported at once, with line and column. `edgewise check` reads everything and reports it. `edgewise check --effective` prints ' +
    'every key with the value that counts and the line that it is from.',
  'At SIGHUP (`systemctl reload edgewise`) the file is read again. A file with errors changes nothing. Keys marked restart ' +
    'are taken over at the next start; a reload names those that differ in the log.',
];

export const FILES = [
  {
    name: 'Edge lists',
    where: '`edgelist_dir`/NETWORK and `extra_edgelist_dir`/NETWORK',
    about:
      'A host name or an address a line. Blank lines and lines that begin with `#` are skipped. The lists of a network are ' +
      'joined; an edge that is in them twice counts once. A change is taken over once the file was quiet for two seconds, or at ' +
      'once when a whole file is renamed to this name.',
    example: '# Frankfurt\n192.0.2.11\n192.0.2.12\n2001:db8::11\nedge4.example.net\n',
  },
  {
    name: 'Canary files',
    where: '`canary_files`',
    about:
      'A YAML map from zones to the address of the server that each is tried out on. An entry that is no zone or no address is ' +
      'left out with a warning.',
    example: 'example.com: 192.0.2.99\nexample.org: 2001:db8::99\n',
  },
  {
    name: 'Zone files',
    where: '`zonetemplate_dir`/NETWORK/ZONE.zone',
    about:
      'Records as in a master file (RFC 1035, section 5), without SOA. NS records of `dns.ns_records` and the live addresses ' +
      'are added. `$INCLUDE` reads from the folder of the zone itself and from `include_dirs`. Files of `static_zones` and ' +
      '`static_zone_dir` are complete, with their own SOA.',
    example: '@     3600 IN MX 10 mail\nmail  3600 IN A  198.51.100.25\n',
  },
  {
    name: 'Secret files',
    where: 'every key that ends in `_file` and names a token, password, secret, API key or URL',
    about:
      'One line of text, of 4096 octets at most; blanks around it do not count. A file that every user of the machine can read ' +
      'is a warning. It is read at the start and with each reload, and appears in no log, fault, page or state file.',
    example: 'hV3kq0s8P2\n',
  },
  {
    name: 'The key of the peers',
    where: '`vantage.key_file`',
    about:
      'One line: a key of 16, 24 or 32 octets in base64, in hexadecimal, or as it is. A line that can be read in two ways ' +
      'needs `base64:`, `hex:` or `raw:` before it. `openssl rand -base64 32` makes one.',
    example: null,
  },
  {
    name: 'Key files of BIND',
    where: '`transfer.key_files`',
    about: 'Key statements, as `tsig-keygen -a hmac-sha256 NAME` prints them, any number in a file.',
    example: 'key "xfr.example.net" {\n    algorithm hmac-sha256;\n    secret "YOUR-OWN-SECRET";\n};\n',
  },
];
