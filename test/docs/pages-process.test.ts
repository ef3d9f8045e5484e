import { afterEach, expect, test } from 'vitest';
import { Reader } from './follow.ts';

/** Pages whose commands need no server: each is done word by word in a folder of its own. */

let reader: Reader | null = null;
afterEach(() => reader?.close());

test('from goavail: the file is converted, and check takes what comes of it', async () => {
  reader = new Reader();
  reader.write(
    'goavail.toml',
    'failure_threshold = 3\ninterval = 5\nport = 8080\nip_addresses = ["127.79.1.1"]\n' +
      '[cloudflare]\ndns_domain = "example.com"\nhostnames = ["www"]\ndns_proxied = false\n',
  );
  await reader.follow('docs/goavail.md');
  expect(reader.seen.map(({ commands }) => commands)).toEqual([
    'edgewise convert goavail.toml -t tcp -p cloudflare -A mynet > edgemanage.yaml\n',
  ]);
  // The first comment has the files to make as lines for a shell.
  const { stdout } = await reader.sh("sed -n '/^---/q; s/^#   //p' edgemanage.yaml");
  expect(stdout).toContain('mkdir');
  expect(await reader.sh(stdout)).toMatchObject({ status: 0 });
  expect(await reader.sh('edgewise check -c edgemanage.yaml')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('1 network, 1 edge, 1 zone read'),
  });
});
