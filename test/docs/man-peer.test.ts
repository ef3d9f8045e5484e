import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/prepare.mjs';
import { ended } from '../support/installation.ts';

const FOLDER = join(root, 'man');

/** What man shows of a page, and what groff has to say about it. */
function shown(page: string): ReturnType<typeof ended> {
  const env = { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANROFFOPT: '', MANPAGER: 'cat' };
  return ended(spawn('man', ['--warnings', '-l', join(FOLDER, page)], { env }));
}

describe('man', () => {
  test.each(readdirSync(FOLDER))('shows %s without a warning', async (page) => {
    const { status, stdout, stderr } = await shown(page);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const title of ['NAME', 'DESCRIPTION']) expect(stdout.split('\n')).toContain(title);
  });

  test('shows options, values, statuses and examples as they are typed', async () => {
    const { stdout } = await shown('edgewise-mode.1');
    expect(stdout).toContain('edgewise mode -A network -m mode [options] edge');
    expect(stdout).toContain('-C, --comment text');
    expect(stdout).toMatch(/^ {7}2 +The command line is wrong, or a run has the network locked\.$/m);
    expect(stdout).toContain('edgewise mode -A mynet -m unavailable -C "new disk" --for 2h');
  });
});
