// The folder DEBIAN.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../prepare.mjs';
import { maintainer } from './system.mjs';
import { filesBelow, installedSize, md5sums, put, putFile } from './tree.mjs';

const SOURCE = join(root, 'packaging', 'debian');

/** What the shipped Node.js is linked with, and koffi's library, which asks for less. */
const OF_NODE = ['libc6 (>= 2.28)', 'libstdc++6 (>= 6)', 'libgcc-s1 (>= 4.2)'];

export function controlFiles(stage, { version, architecture, hasNode }) {
  const files = filesBelow(stage);
  const conffiles = files.filter((file) => file.startsWith('etc/')).map((file) => `/${file}\n`);
  const { description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const depends = [
    'adduser',
    'init-system-helpers (>= 1.54~)',
    ...(hasNode ? OF_NODE : ['nodejs (>= 20.18)', 'libc6 (>= 2.25)']),
  ];
  const fields = {
    Package: 'edgewise',
    Version: version,
    Architecture: architecture,
    Maintainer: maintainer(),
    'Installed-Size': String(installedSize(stage, files)),
    Depends: depends.join(', '),
    Recommends: 'ca-certificates',
    Suggests: 'bind9-utils, prometheus',
    Section: 'net',
    Priority: 'optional',
    Description: `${firstLine(description)}\n${LONG}`,
  };
  put(
    stage,
    'DEBIAN/control',
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  );
  put(stage, 'DEBIAN/conffiles', conffiles.join(''));
  put(
    stage,
    'DEBIAN/md5sums',
    md5sums(
      stage,
      files.filter((file) => !file.startsWith('etc/')),
    ),
  );
  for (const name of ['postinst', 'prerm', 'postrm']) putFile(stage, `DEBIAN/${name}`, join(SOURCE, name), 0o755);
}

/** At most 80 columns, as lintian wants it. */
function firstLine(description) {
  return description.length <= 60 ? description : 'authoritative DNS server that answers with healthy edges';
}

const LONG = ` Edgewise fetches a test object from every web server ("edge") of a network,
 judges the edges by how fast and how faithfully they serve it, keeps the best
 few live, and answers the apex of the network's zones with their addresses.
 .
 Zones are plain BIND records; secondaries get them by AXFR and IXFR, a BIND
 beside it as zone files. It reads an installation of edgemanage as it is, runs
 goavail's configuration, and explains each of its decisions.`;
