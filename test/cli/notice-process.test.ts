import { afterEach, beforeEach, expect, test } from 'vitest';
import { edgewise } from '../support/edgewise.ts';
import { Installation } from '../support/installation.ts';
import { NoticeServer } from '../support/notice-server.ts';

let hook: NoticeServer;
let site: Installation;

beforeEach(async () => {
  hook = await NoticeServer.start();
  site = await Installation.make({
    edges: [],
    keys: { notices: [{ to: 'slack', name: 'ops', url_file: 'slack.url', timeout: 1 }] },
  });
  await site.write('slack.url', `${hook.url}\n`);
});

afterEach(async () => {
  await hook.stop();
  await site.remove();
});

test('a sample is sent at once', async () => {
  const { status, stdout, stderr } = await sample('ops');
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'ops: sent\n' });
  expect(stderr).toMatch(/notices\[0\]|every user/); // the file can be read by everybody here
  expect(hook.bodies<{ text: string }>()[0].text).toContain('this is a test of the notices of Edgewise');
});

test.each([
  ['ops', { status: 403, body: 'invalid_token T0ken' }, /^error: ops: not sent: it answers 403 .*invalid_token/m],
  ['ops', 'hang', /^error: ops: not sent: no (answer|end) within 1 s$/m],
  ['oops', { status: 200 }, /^error: there is no target of notices called "oops"; there are ops$/m],
] as const)('what goes wrong is one sentence: %s %o', async (name, answer, expected) => {
  hook.usual = answer;
  const { status, stdout, stderr } = await sample(name);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(expected);
  expect(stderr).not.toContain(hook.url);
});

function sample(name: string) {
  return edgewise(['notice', 'test', name, '-c', site.path('edgemanage.yaml')]);
}
