import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { Reply } from '../../../../src/server/control/http/operation.ts';
import { send } from '../../../../src/server/control/http/send.ts';

/** What is handed to a client's connection for this reply. */
function sent(reply: Reply, method = 'GET'): unknown {
  let body: unknown;
  const request = { method, headers: {}, readableEnded: true } as unknown as IncomingMessage;
  const response = {
    writeHead: () => undefined,
    end: (octets: unknown) => {
      body = octets;
    },
  } as unknown as ServerResponse;
  send(request, response, reply, false);
  return body;
}

test('those who get the same reply hold its octets together', () => {
  const reply: Reply = { status: 200, type: 'application/json', body: '{"zones":"ä"}' };
  const first = sent(reply);
  expect(Buffer.from(first as Uint8Array).toString('utf8')).toBe('{"zones":"ä"}');
  expect(sent(reply)).toBe(first);
  expect(sent(reply, 'HEAD')).toBeUndefined();
  expect(sent({ ...reply })).not.toBe(first);
  const octets = new Uint8Array([1, 2, 3]);
  expect(sent({ ...reply, body: octets })).toBe(octets);
});
