import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SlackWebhook, slackForm, slackText } from '../../../src/app/goavail/slack.ts';
import { Secret } from '../../../src/system/secret.ts';

const PATH = 'T0/B0/verysecret';

let server: Server;
let received: { readonly path: string; readonly type: string; readonly body: string }[];
let answer: { readonly status: number; readonly body: string };

beforeEach(async () => {
  received = [];
  answer = { status: 200, body: 'ok' };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const type = request.headers['content-type'] ?? '';
      received.push({ path: request.url ?? '', type, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => server.close());

function webhook(): SlackWebhook {
  return new SlackWebhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/services`, new Secret(PATH));
}

test.each([
  ['add', true, 'Dry Run set to True.  Agent would have Added IP and configured entries from/to domain example.test '],
  [
    'remove',
    true,
    'Dry Run set to True.  Agent would have Removed IP and configured entries from/to domain example.test ',
  ],
  ['add', false, 'Dry Run set to False. Agent Added IP and configured entries from/to domain example.test '],
  ['remove', false, 'Dry Run set to False. Agent Removed IP and configured entries from/to domain example.test '],
] as const)("%s, dry run %s: the original's words", (action, dryRun, text) => {
  expect(slackText(action, 'example.test', dryRun)).toBe(text);
});

test("the original's form: JSON in a field of its own", async () => {
  const slack = webhook();
  expect(await slack.send('a & b = "c" +é\n')).toBeNull();
  await slack.close();
  expect(received).toMatchObject([{ path: `/services/${PATH}`, type: 'application/x-www-form-urlencoded' }]);
  const fields = new URLSearchParams(received[0]?.body);
  expect([[...fields.keys()], JSON.parse(fields.get('payload') ?? '')]).toEqual([
    ['payload'],
    { text: 'a & b = "c" +é\n' },
  ]);
  expect(received[0]?.body).toBe(slackForm('a & b = "c" +é\n'));
});

test('a refusal is a sentence, without the address that it may repeat', async () => {
  answer = { status: 404, body: `no_service /services/${PATH} ${PATH}\n` };
  const slack = webhook();
  const why = await slack.send('text');
  expect(why).toMatch(/^the message was not sent to Slack: .*404.*no_service \[secret\] \[secret\]$/);
  await slack.close();
});

test('of an answer without end the status counts; nobody there is a sentence as well', async () => {
  const slack = webhook();
  answer = { status: 200, body: 'x'.repeat(200_000) };
  expect(await slack.send('text')).toBeNull();
  answer = { status: 500, body: 'x'.repeat(200_000) };
  expect(await slack.send('text')).toMatch(/^the message was not sent to Slack: .*500/);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  const why = await slack.send('text');
  expect(why).toMatch(/^the message was not sent to Slack: .*ECONNREFUSED/);
  expect(why).not.toContain('verysecret');
  await slack.close();
});
