import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseKey, rawKey, readKeyFile } from '../../src/config/vantage-key.ts';

const HEX_16 = '00112233445566778899aabbccddeeff';

/** The key's octets in hex, or the sentence. */
function read(line: string): string {
  const key = parseKey(line);
  return typeof key === 'string' ? key : key.export().toString('hex');
}

describe('a line that is a key', () => {
  for (const [name, line, octets] of [
    ['16 octets', 'sixteen octets!!', Buffer.from('sixteen octets!!')],
    ['24 octets', 'four and twenty, octets!', Buffer.from('four and twenty, octets!')],
    ['32 octets', 'two and thirty octets, all told!', Buffer.from('two and thirty octets, all told!')],
    ['16 octets of UTF-8', 'käse käse kase', Buffer.from('käse käse kase')],
    ['hex of 24', 'AB'.repeat(24), Buffer.alloc(24, 0xab)],
    ['hex of 32', '0f'.repeat(32), Buffer.alloc(32, 0x0f)],
    ['base64 of 32', Buffer.alloc(32, 0xfb).toString('base64'), Buffer.alloc(32, 0xfb)],
    ['raw, named', `raw:${HEX_16}`, Buffer.from(HEX_16)],
    ['hex of 16, named', `hex:${HEX_16}`, Buffer.from(HEX_16, 'hex')],
    ['base64 of 16, named', `base64:${Buffer.alloc(16, 7).toString('base64')}`, Buffer.alloc(16, 7)],
    ['base64 of 24, named', `base64:${HEX_16}`, Buffer.from(HEX_16, 'base64')],
  ] as const) {
    test(name, () => expect(read(line)).toBe(octets.toString('hex')));
  }
});

describe('a line that is refused, without a word of it', () => {
  for (const [name, line, why] of [
    ['too short', 'fifteen octets!', '16, 24 or 32 octets'],
    ['a length between', 'seventeen octets!', '16, 24 or 32 octets'],
    ['33 octets', 'x'.repeat(33), '16, 24 or 32 octets'],
    ['64 octets that are no hex', 'g'.repeat(64), '16, 24 or 32 octets'],
    ['base64 without its padding', Buffer.alloc(32, 0xfb).toString('base64').slice(0, -1), '16, 24 or 32 octets'],
    [
      'hex of 16: raw of 32, base64 of 24',
      HEX_16,
      'the key itself or hex or base64; write "raw:" or "hex:" or "base64:"',
    ],
    ['letters: raw of 32, base64 of 24', 'z'.repeat(32), 'the key itself or base64; write "raw:" or "base64:"'],
    ['base64 of 16: raw of 24', Buffer.alloc(16, 7).toString('base64'), 'the key itself or base64'],
    ['a form with a wrong length', 'raw:fifteen octets!', 'what follows "raw:" is none'],
    ['a form that is another', `hex:${'g'.repeat(32)}`, 'what follows "hex:" is none'],
    ['a form in a text that could be raw', 'raw:twelve chars', 'what follows "raw:" is none'],
  ] as const) {
    test(name, () => {
      expect(read(line)).toContain(why);
      expect(read(line)).not.toContain(line);
    });
  }
});

test('a named form reads what was written, or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 40 }), fc.constantFrom('hex', 'base64'), (octets, form) => {
      const key = parseKey(`${form}:${Buffer.from(octets).toString(form)}`);
      if ([16, 24, 32].includes(octets.length)) {
        expect(typeof key === 'string' ? key : key.export()).toEqual(Buffer.from(octets));
      } else expect(key).toBeTypeOf('string');
    }),
  );
});

test("goavail's crypto_key is always the octets themselves", () => {
  expect(rawKey(HEX_16)?.export()).toEqual(Buffer.from(HEX_16));
  expect(rawKey('short')).toBeNull();
});

describe('a key file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peer-key-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is read, and shown to nobody', async () => {
    const file = join(folder, 'peers.key');
    await writeFile(file, 'sixteen octets!!\n', { mode: 0o600 });
    const { key, faults } = readKeyFile(file);
    expect(faults).toEqual([]);
    expect(key?.export().toString()).toBe('sixteen octets!!');
    expect(inspect(key) + JSON.stringify(key)).not.toContain('sixteen');
  });

  test('that every user can read is a warning', async () => {
    const file = join(folder, 'peers.key');
    await writeFile(file, 'sixteen octets!!\n');
    await chmod(file, 0o644);
    const { key, faults } = readKeyFile(file);
    expect(key).not.toBeNull();
    expect(faults).toMatchObject([{ severity: 'warning', code: 'open-secret' }]);
  });

  test('that is missing, or holds no key, is an error', async () => {
    const file = join(folder, 'peers.key');
    expect(readKeyFile(file)).toMatchObject({ key: null, faults: [{ severity: 'error', code: 'unreadable-file' }] });
    await writeFile(file, 'secret of no length\n', { mode: 0o600 });
    const { key, faults } = readKeyFile(file);
    expect(key).toBeNull();
    expect(faults).toMatchObject([{ severity: 'error', code: 'bad-value' }]);
    expect(faults[0]?.message).toContain(`${file}: expected a key of 16, 24 or 32 octets`);
    expect(faults[0]?.message).not.toContain('secret');
  });
});
