import { describe, expect, test } from 'vitest';
import { protocolServer } from './protocol-server.ts';

const CH = 3;
const told = protocolServer([], { version: 'edgewise 1', id: 'edge-7.example.net' });
const silent = protocolServer();

describe('version.bind and id.server (RFC 4892 §2, §3)', () => {
  test.each([
    ['version.bind', 'TXT', 'edgewise 1'],
    ['VERSION.Server', 'ANY', 'edgewise 1'],
    ['id.server', 'TXT', 'edge-7.example.net'],
    ['hostname.bind', 'TXT', 'edge-7.example.net'],
  ])('%s %s', async (name, type, text) => {
    const { rcode, answer, question } = await told.server.ask({ name, type, class: CH });
    expect([rcode, answer.length, answer[0].class, answer[0].text]).toEqual(['NOERROR', 1, CH, `"${text}"`]);
    expect(question?.class).toBe(CH);
  });

  test.each([
    ['another name', 'version.example', 'TXT'],
    ['another type', 'version.bind', 'A'],
    ['a longer name', 'x.version.bind', 'TXT'],
  ])('%s is refused', async (_, name, type) => {
    expect((await told.server.ask({ name, type, class: CH })).rcode).toBe('REFUSED');
  });

  test.each(['version.bind', 'id.server'])('%s is refused where the operator tells nothing', async (name) => {
    const { rcode, answer } = await silent.server.ask({ name, type: 'TXT', class: CH });
    expect([rcode, answer.length]).toEqual(['REFUSED', 0]);
  });
});
