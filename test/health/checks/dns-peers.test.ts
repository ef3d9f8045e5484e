/** The check of kind `dns` as it is configured, of other name servers. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { probePlan } from '../../../src/health/pools/probe-plan.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { Peer, type PeerKind } from '../../support/peers.ts';
import { probeBy } from '../../support/probe-address.ts';

const MANY = Array.from({ length: 90 }, (_, i) => `many A 127.1.0.${i}`).join('\n');
const ZONE = `$TTL 60
@ SOA ns.a.test. Host.a.test. 2026112901 3600 600 86400 60
@ NS NS.a.test.
@ MX 10 Mail.a.test.
ns A 127.0.0.1
ns AAAA ::1
mail A 127.0.0.2
www CNAME mail
texts TXT "one \\"two\\"" "three;four" "\\195\\169"
_x._tcp SRV 0 5 443 mail
@ CAA 0 issue "ca.test; x=1"
odd TYPE65280 \\# 3 010203
${MANY}
`;

async function fails(port: number, check: string): Promise<string | null> {
  const { config, faults } = parse(`${BASE}checks:\n  net: [{kind: dns, port: ${port}, ${check}}]\n`);
  expect(faults).toEqual([]);
  if (config === null) return expect.fail();
  const plan = probePlan(config, 'net', { objects: new Map(), authorities: new Map() });
  const { fail } = await probeBy(plan);
  return fail === null ? null : `${fail.reason}: ${fail.detail}`;
}

describe.each<PeerKind>(['bind', 'nsd', 'knot'])('%s', (kind) => {
  test('answers as expected, and not', async () => {
    const peer = await Peer.start(kind, { zones: [{ origin: 'a.test', text: ZONE }] });
    onTestFinished(() => peer.stop());
    const passes = [
      'query: a.test',
      'query: A.Test., transport: tcp',
      'query: a.test, type: SOA, data: ns.a.test. host.A.test. 2026112901 3600 600 86400 60, match: exact',
      'query: a.test, type: MX, data: 10 mail.a.test',
      'query: a.test, type: CAA, data: \'0 issue "ca.test; x=1"\'',
      'query: ns.a.test, type: AAAA, data: "::1", match: exact',
      'query: www.a.test, type: A, data: 127.0.0.2',
      'query: www.a.test, type: CNAME, data: mail.a.test.',
      String.raw`query: texts.a.test, type: TXT, data: '"one \"two\"" three\;four "é"', match: exact`,
      'query: _x._tcp.a.test, type: SRV, data: [0 5 443 mail.a.test.]',
      String.raw`query: odd.a.test, type: TYPE65280, data: '\# 3 010203'`,
      'query: nowhere.a.test, rcode: NXDOMAIN',
      'query: another.test, rcode: refused',
      'query: many.a.test, type: A, data: [127.1.0.0, 127.1.0.89]',
    ];
    for (const check of passes) expect([check, await fails(peer.port, check)]).toEqual([check, null]);
    const failing: readonly (readonly [string, string])[] = [
      ['query: nowhere.a.test', 'rcode: answered with NXDOMAIN instead of NOERROR'],
      ['query: another.test', 'rcode: answered with REFUSED instead of NOERROR'],
      ['query: ns.a.test, type: A, data: 127.0.0.9', 'data: answered 127.0.0.1 instead of 127.0.0.9'],
      ['query: mail.a.test, type: AAAA, data: "::1"', 'data: answered without such a record instead of ::1'],
      ['query: a.test, type: MX, data: 20 mail.a.test', 'data: answered 10 mail.a.test. instead of 20 mail.a.test.'],
    ];
    for (const [check, why] of failing) expect([check, await fails(peer.port, check)]).toEqual([check, why]);
    await peer.stop();
    expect(await fails(peer.port, 'query: a.test')).toBe('refused: connection refused');
  });
});
