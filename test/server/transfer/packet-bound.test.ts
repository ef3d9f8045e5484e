import { describe, expect, test } from 'vitest';
import { LiveSlots } from '../../../src/live/slots.ts';
import { type Client, TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { Stats } from '../../../src/server/stats.ts';
import { makeAnswerer } from '../../../src/server/transport/threads/answerer.ts';
import { clientAddress } from '../../../src/system/client-address.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { diffImages } from '../../../src/zones/journal/diff.ts';
import { encodeStep } from '../../../src/zones/journal/step.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { address4, PLAIN_SERVER } from '../../support/dns-responder.ts';
import { ixfrQuery } from '../../support/transfer-client.ts';
import { imageOf, type ZoneSpec, zoneUpdate } from '../../support/zone-images.ts';

const HEAD = '@ 300 SOA ns host 1 7200 900 1209600 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n';

/** Types of the answers to an IXFR over UDP, and over TCP. */
async function ask(
  versions: readonly ZoneSpec[],
  live: readonly (readonly string[])[],
): Promise<{ readonly udp: string[]; readonly tcp: string[] }> {
  const slots = LiveSlots.create(1);
  const { responder, nonPlain, history } = makeAnswerer({
    slots,
    stats: Stats.attach(Stats.create(1, 2), 2, 0),
    server: PLAIN_SERVER,
    transfer: { keys: [], allow: [{ from: null, key: null, tls: false, networks: null, zones: null }], rows: [] },
    catchUp: () => {},
  });
  responder.apply([zoneUpdate(versions[versions.length - 1], 0)]);
  const steps: Uint8Array[] = [];
  for (let i = 1; i < versions.length; i++) {
    const [before, after] = [versions[i - 1], versions[i]].map((spec) => ZoneImage.attach(imageOf(spec)));
    const step = await diffImages(before, after, 10_000, async () => {});
    if (step === null) throw new Error('no step');
    steps.push(encodeStep(step));
  }
  const sets = live.map((addresses, i) => ({ serial: 200 + i, v4: addresses.map(address4), v6: [] }));
  for (const set of sets) slots.write(0, set);
  history.note({ live: [{ slot: 0, versions: sets }], steps: [{ zone: 0, steps }] });
  const query = ixfrQuery('big.test', sets.length > 0 ? 200 : (versions[0].serial ?? 0));
  const client: Client = { transport: TRANSPORT.udp4, address: clientAddress('127.0.0.8'), port: 9 };
  const out = new Uint8Array(4096);
  const udp = decodeMessage(out.subarray(0, nonPlain.packet(query, query.length, out, client)));
  const tcp: string[] = [];
  await nonPlain.stream(query, { ...client, transport: TRANSPORT.tcp }, (message) => {
    tcp.push(...decodeMessage(message.slice()).answer.map(({ type }) => type));
    return Promise.resolve(true);
  });
  return { udp: udp.answer.map(({ type }) => type), tcp };
}

const version = (serial: number, text: string): ZoneSpec => ({ origin: 'big.test', text: `${HEAD}${text}`, serial });

// The answer to a packet may go to a forged address, so what it costs has a bound, whatever lies in the journal.
describe('differences for one packet', () => {
  const large = Array.from({ length: 400 }, (_, i) => `t${i} TXT "${'x'.repeat(200)}"`).join('\n');

  test('a small difference is answered', async () => {
    const { udp, tcp } = await ask([version(1, ''), version(2, 'new A 192.0.2.2\n')], []);
    expect([udp, tcp]).toEqual([tcp, ['SOA', 'SOA', 'SOA', 'A', 'SOA']]);
  });

  test('changes that are large but cancel out are condensed for a stream only', async () => {
    const versions = [version(1, ''), version(2, `${large}\n`), version(3, 'new A 192.0.2.2\n')];
    const { udp, tcp } = await ask(versions, []);
    expect(udp).toEqual(['SOA']);
    expect(tcp).toEqual(['SOA', 'SOA', 'SOA', 'A', 'SOA']);
  });

  test('many live names with many addresses are gone through for a stream only', async () => {
    const live = ['big.test', ...Array.from({ length: 200 }, (_, i) => `r${i}.big.test`)];
    const addresses = Array.from({ length: 10 }, (_, i) => `192.0.2.${i + 1}`);
    const spec: ZoneSpec = { ...version(100, ''), live, slot: 0 };
    const { udp, tcp } = await ask([spec], [addresses, [...addresses.slice(1), '192.0.2.99']]);
    expect(udp).toEqual(['SOA']);
    expect(tcp.length).toBe(4 + 2 * 201);
    const few = await ask([{ ...spec, live: live.slice(0, 2) }], [addresses, [...addresses.slice(1), '192.0.2.99']]);
    expect(few.udp).toEqual(few.tcp);
    expect(few.udp.length).toBe(4 + 2 * 2);
  });
});
