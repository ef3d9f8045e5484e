// Everything outside /usr/lib/edgewise: the unit, /etc, man pages, completion, documentation.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from '../prepare.mjs';
import { copyrightFile } from './copyright.mjs';
import { COMMANDS, nodePath } from './program.mjs';
import { filesBelow, folder, link, put, putFile, putGzipped } from './tree.mjs';

const SOURCE = join(root, 'packaging', 'debian');
const DOC = 'usr/share/doc/edgewise';

export function systemFiles(stage, node) {
  put(stage, 'usr/lib/systemd/system/edgewise.service', unit(node));
  putFile(stage, 'etc/default/edgewise', join(SOURCE, 'default'));
  putFile(stage, 'etc/edgewise/edgewise.yaml', join(SOURCE, 'edgewise.yaml'));
  putFile(stage, 'etc/edgewise/static/edgewise.invalid.zone', join(SOURCE, 'edgewise.invalid.zone'));
  putFile(stage, 'etc/edgewise/test-object.txt', join(root, 'conf', 'test-object.txt'));
  for (const name of ['edges', 'zones']) folder(stage, `etc/edgewise/${name}`);
  // postinst gives them to the user.
  for (const name of ['lib', 'log']) folder(stage, `var/${name}/edgewise`);
  for (const file of filesBelow(join(root, 'man')))
    putGzipped(stage, `usr/share/man/man${file.slice(-1)}/${file}.gz`, readFileSync(join(root, 'man', file)));
  completion(stage);
}

/** conf/edgewise.service with the package's paths. */
export function unit(node) {
  const text = readFileSync(join(root, 'conf', 'edgewise.service'), 'utf8');
  const start = `${nodePath(node)} --enable-source-maps /usr/lib/edgewise/bin/edgewise.js serve`;
  const changes = [
    [/^(#.*\n)+(?=\[Unit\])/, ''],
    [/^Documentation=.*$/m, 'Documentation=man:edgewise-serve(1) file:///usr/share/doc/edgewise/docs/README.md'],
    [
      /^ExecStart=.*$/m,
      `# Where the configuration is: /etc/default/edgewise.\nEnvironment=EDGEWISE_CONFIG=/etc/edgewise/edgewise.yaml\nEnvironmentFile=-/etc/default/edgewise\nExecStart=${start}`,
    ],
  ];
  return changes.reduce((before, [pattern, text]) => {
    if (!pattern.test(before)) fail(`conf/edgewise.service has no ${pattern.source}`);
    return before.replace(pattern, text);
  }, text);
}

function completion(stage) {
  const folders = { bash: 'usr/share/bash-completion/completions', fish: 'usr/share/fish/vendor_completions.d' };
  for (const shell of ['bash', 'fish']) {
    const suffix = shell === 'fish' ? '.fish' : '';
    put(stage, `${folders[shell]}/edgewise${suffix}`, script(shell));
    // Both shells look for a file of the command's own name.
    for (const name of COMMANDS.slice(1)) link(stage, `${folders[shell]}/${name}${suffix}`, `edgewise${suffix}`);
  }
  put(stage, 'usr/share/zsh/vendor-completions/_edgewise', script('zsh'));
}

function script(shell) {
  const args = [join(root, 'bin', 'edgewise.js'), 'completion', shell];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) fail(`edgewise completion ${shell} failed`);
  return stdout;
}

/** Returns the package's version. */
export function documentation(stage, { epoch, packages, node }) {
  const { version: upstream } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = `${upstream}-1`;
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  const entry = `edgewise (${version}) unstable; urgency=medium\n\n  * Edgewise ${upstream}: see changelog.gz.\n\n -- ${maintainer()}  ${date}\n`;
  putGzipped(stage, `${DOC}/changelog.Debian.gz`, entry);
  putGzipped(stage, `${DOC}/changelog.gz`, readFileSync(join(root, 'CHANGELOG.md')));
  put(stage, `${DOC}/copyright`, copyrightFile(packages, node));
  putFile(stage, `${DOC}/README.md`, join(root, 'README.md'));
  for (const file of filesBelow(join(root, 'docs'))) putFile(stage, `${DOC}/docs/${file}`, join(root, 'docs', file));
  for (const file of filesBelow(join(root, 'conf')).filter((name) => name !== 'edgewise.service'))
    putFile(stage, `${DOC}/examples/${file}`, join(root, 'conf', file));
  putFile(stage, 'usr/share/lintian/overrides/edgewise', join(SOURCE, 'lintian-overrides'));
  return { version };
}

/** Who answers for the package: as Debian's own tools have it, from the environment. */
export function maintainer() {
  const { DEBFULLNAME = 'The Edgewise authors', DEBEMAIL = 'root@localhost' } = process.env;
  return `${DEBFULLNAME} <${DEBEMAIL}>`;
}
