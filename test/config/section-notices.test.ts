import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

/** The targets as a list in one line, which is line 17 from column 10 on. */
function targets(text: string) {
  const { config, faults } = parse(`${BASE}notices: ${text}\n`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { targets: config?.notices, places };
}

afterEach(() => vi.unstubAllEnvs());

test('without the section nobody is told', () => {
  expect(parse(BASE).config?.notices).toEqual([]);
  expect(parse(`${BASE}notices:\n`).config?.notices).toEqual([]);
});

test('a target has its kind as name, and defaults', () => {
  const { targets: found, places } = targets('[{to: webhook, url: "http://127.0.0.1:1/x"}]');
  expect(places).toEqual([]);
  expect(found).toMatchObject([
    {
      to: 'webhook',
      name: 'webhook',
      events: null,
      networks: null,
      minSeverity: 'info',
      gather: 5,
      perMinute: 12,
      timeoutMs: 10_000,
      secret: null,
      template: { title: 'Edgewise on {host}{as_vantage}: {summary}', line: '{status}: {summary}{repeats}' },
    },
  ]);
  expect(JSON.stringify(found)).not.toContain('127.0.0.1:1');
});

test.each([
  ['16.1', 16_100], // 16.1 * 1000 is 16100.000000000002, which neither undici nor AbortSignal.timeout takes
  ['8.2', 8200],
  ['0.0001', 1],
  ['299.9999', 300_000],
])('a timeout of %s s is a whole number of milliseconds', (timeout, timeoutMs) => {
  const { targets: found, places } = targets(`[{to: webhook, url: "http://127.0.0.1:1/x", timeout: ${timeout}}]`);
  expect(places).toEqual([]);
  expect(found).toMatchObject([{ timeoutMs }]);
});

test('secrets come from the environment', () => {
  vi.stubEnv('EDGEWISE_TEST_URL', ' https://hooks.test/T0ken \n');
  vi.stubEnv('EDGEWISE_TEST_PASSWORD', 'pa55word');
  const { targets: found, places } = targets(
    '[{to: slack, url_env: EDGEWISE_TEST_URL}, {to: email, from: a@b.test, recipients: c@d.test, server: "mail.test:587", encryption: starttls, user: me, password_env: EDGEWISE_TEST_PASSWORD}]',
  );
  expect(places).toEqual([]);
  const [slack, email] = found ?? [];
  expect(slack.to === 'slack' && slack.url.reveal()).toBe('https://hooks.test/T0ken');
  expect(email).toMatchObject({ server: { address: 'mail.test', port: 587 }, recipients: ['c@d.test'] });
  expect(email.to === 'email' && email.login?.password.reveal()).toBe('pa55word');
});

describe('what is wrong has its place', () => {
  test.each([
    [
      '[{to: pager}]',
      'error 17:16 notices[0].to: expected a kind of target (slack, webhook, alertmanager, command, email), got "pager"',
    ],
    ['[{to: slack}]', 'error 17:11 notices[0]: missing; expected one of url, url_file, url_env'],
    [
      '[{to: slack, url: "http://h.test/", url_env: X}]',
      'error 17:55 notices[0].url_env: url is given, too; expected one of them',
    ],
    [
      '[{to: slack, url: "ftp://h.test/T0ken"}]',
      'error 17:28 notices[0].url: expected a URL such as https://hooks.example.net/edgewise',
    ],
    [
      '[{to: slack, url: "http://h.test/", events: [edge_up]}]',
      /^error 17:55 notices\[0\]\.events\[0\]: expected an event: edge_down, .*got "edge_up"$/,
    ],
    [
      '[{to: slack, url: "http://h.test/", min_severity: bad}]',
      'error 17:60 notices[0].min_severity: expected info, warning or critical, got "bad"',
    ],
    [
      '[{to: slack, url: "http://h.test/", template: {line: "{sumary}"}}]',
      /^error 17:63 notices\[0\]\.template\.line: unknown placeholder \{sumary\}; did you mean \{summary\}\?/,
    ],
    [
      '[{to: slack, url: "http://h.test/", template: {title: "{since}"}}]',
      /unknown placeholder \{since\}; known here: \{host\}/,
    ],
    ['[{to: command, program: page}]', /^error 17:34 notices\[0\]\.program: expected the absolute path of a program/],
    ['[{to: email, from: a, recipients: [b@c.test]}]', /^error 17:29 notices\[0\]\.from: expected a mail address/],
    [
      '[{to: email, from: a@b.test, recipients: [b@c.test], user: me, password_env: X}]',
      /notices\[0\]\.user: expected encryption starttls or tls/,
    ],
    [
      '[{to: email, from: a@b.test, recipients: [b@c.test], password_env: X}]',
      /there is no user whose password this is$/,
    ],
    [
      '[{to: command, program: /a}, {to: command, program: /b}]',
      'error 17:39 notices[1].name: another target is called "command" already; each needs its own name',
    ],
    ['[{to: command, program: /a, name: "../x"}]', /notices\[0\]\.name: expected a name of up to 64 letters/],
    [
      '[{to: command, program: /a, url: "http://h.test/"}]',
      /^error 17:38 unknown key "url"|notices\[0\].*unknown key "url"/,
    ],
  ])('%s', (text, expected) => {
    const { targets: found, places } = targets(text);
    expect(found).toBeUndefined();
    expect(places.join('\n')).toMatch(
      typeof expected === 'string'
        ? new RegExp(`^${literal(expected)}$`, 'm')
        : new RegExp(expected, `${expected.flags}m`),
    );
    expect(places.join('\n')).not.toContain('T0ken');
  });
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

test('a secret that cannot be read is a warning, and its target keeps what it should be sent', () => {
  const { targets: found, places } = targets(
    '[{to: slack, url_env: EDGEWISE_TEST_NOTHING}, {to: command, program: /a}]',
  );
  expect(places).toEqual([
    'warning 17:32 notices[0].url_env: the environment variable EDGEWISE_TEST_NOTHING is not set; its notices wait for a reload with it',
  ]);
  expect(found).toMatchObject([
    { to: 'unusable', name: 'slack', reason: expect.stringContaining('is not set') },
    { to: 'command', name: 'command' },
  ]);
});

test.each([
  ['https://hooks.test/T0ken\n', 0o600, []],
  ['https://hooks.test/T0ken\n', 0o644, [/every user of this machine can read it/]],
  ['T0ken\n', 0o600, [/^notices\[0\]\.url_file: what is there is not an http or https URL; its notices wait/]],
  ['', 0o600, [/is empty/]],
])('a file with %j and mode %o', async (text, mode, messages) => {
  const folder = await folderOf({ 'edgemanage.yaml': `${BASE}notices: [{to: slack, url_file: slack.url}]\n` });
  const file = join(folder, 'slack.url');
  await writeFile(file, text);
  await chmod(file, mode);
  const { config, faults } = loadConfig(join(folder, 'edgemanage.yaml'));
  const own = faults.filter(({ message }) => message.includes('slack.url') || message.includes('notices'));
  expect(own.map(({ message }) => message)).toEqual(messages.map((message) => expect.stringMatching(message)));
  expect(own.every(({ severity }) => severity === 'warning')).toBe(true);
  expect(config?.notices).toHaveLength(1);
  expect(JSON.stringify([config?.notices, faults])).not.toContain('T0ken');
});
