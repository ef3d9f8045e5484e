/** What the Dockerfile copies is there and not kept back, and is all that its commands need. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/prepare.mjs';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n');
const ignored = read('.dockerignore').split('\n');
/** `COPY` lines without a stage: from the folder itself. */
const copies = lines.filter((line) => /^COPY (?!--from)/.test(line)).map((line) => line.split(/\s+/).slice(1));

describe('the Dockerfile', () => {
  test.each(copies.map((words) => [words.join(' '), words] as const))('COPY %s', (_, words) => {
    for (const source of words.slice(0, -1)) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(ignored).not.toContain(source.replace(/^\.\//, ''));
    }
  });

  test('builds as `npm run build` does, without install scripts', () => {
    const build = lines.slice(
      0,
      lines.findLastIndex((line) => line.startsWith('FROM')),
    );
    const copied = copies.flat();
    for (const source of ['scripts', 'src', 'package-lock.json', 'tsconfig.build.json'])
      expect(copied).toContain(source);
    expect(build).toContain('RUN npm ci --ignore-scripts');
    expect(build.some((line) => /^RUN npm run build\b/.test(line))).toBe(true);
  });

  test('ends as a user who is not root, on the Node.js that the Debian package has, too', () => {
    const users = lines.filter((line) => line.startsWith('USER '));
    expect(users).toEqual(['USER node']);
    const major = /SHIPPED = '(\d+)\./.exec(read('scripts/node-binary.mjs'))?.[1];
    const images = lines.filter((line) => line.startsWith('FROM '));
    expect(images.length).toBe(2);
    for (const image of images) expect(image).toContain(`node:${major}-`);
  });
});
