// debian/copyright in Debian's machine-readable form, 1.0: ours, Node.js's, and that of every npm package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from '../prepare.mjs';

export function copyrightFile(packages, node) {
  const ours = readFileSync(join(root, 'LICENSE'), 'utf8');
  const parts = [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: Edgewise',
    `Files: *\nCopyright: ${holders(ours)}\nLicense: MIT\n${indented(ours)}`,
  ];
  for (const { folder, name, version, license, text } of packages) {
    const body = license === 'Apache-2.0' ? APACHE : (text ?? withoutFile(name, license));
    parts.push(
      `Files: usr/lib/edgewise/node_modules/${folder}/*\nComment: npm package ${name} ${version}\n` +
        `Copyright: ${holders(text ?? '') || `the authors of ${name}`}\nLicense: ${license}-of-${name.replaceAll(/[^a-z0-9.]+/gi, '-')}\n${indented(body)}`,
    );
  }
  if (node !== null) {
    const text = readFileSync(join(node, 'LICENSE'), 'utf8');
    parts.push(`Files: usr/lib/edgewise/node\nCopyright: ${holders(text)}\nLicense: Node.js\n${indented(text)}`);
  }
  return `${parts.join('\n\n')}\n`;
}

const APACHE =
  'Licensed under the Apache License, Version 2.0. On Debian systems its text is in\n/usr/share/common-licenses/Apache-2.0.';

/** Some packages of Apache-2.0 and MIT leave the text away. */
function withoutFile(name, license) {
  if (license === 'MIT' || license === 'ISC' || license === 'BSD-3-Clause') {
    return `The package says that it is under the licence ${license}, and brings no text of it.`;
  }
  return fail(`no licence text of ${name} (${license})`);
}

function holders(text) {
  const lines = text
    .split('\n')
    .filter((line) => /^\s*(the mit license \(mit\)\s*)?copyright\b.*\d{4}|^\s*copyright (\(c\)|©|node)/i.test(line));
  return [...new Set(lines.map((line) => line.trim().replace(/^.*?copyright\s*(\(c\)|©)?\s*/i, '')))]
    .slice(0, 5)
    .join('\n ');
}

/** As a field of several lines: a space before each, a dot for an empty one. */
function indented(text) {
  return text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');
}
