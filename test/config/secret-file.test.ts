import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSecretFile } from '../../src/config/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(contents: string | Uint8Array, mode = 0o600): ReturnType<typeof readSecretFile> {
  const file = join(folder, 'token');
  writeFileSync(file, contents);
  chmodSync(file, mode);
  return readSecretFile(file);
}

describe('a secret file', () => {
  test.each([
    ['one line', 's3cret\n', 's3cret'],
    ['without a final line feed', 's3cret', 's3cret'],
    ['with blanks around', '  s3cret \r\n\n', 's3cret'],
  ])('%s', (_, contents, secret) => {
    const found = read(contents);
    expect(found.ok && found.secret.reveal()).toBe(secret);
    expect(found.ok && found.warning).toBeNull();
  });

  test.each([
    ['empty', '\n', /is empty/],
    ['two lines', 'a\ns3cret\n', /is not one line of text/],
    ['octets', Uint8Array.of(0xff, 0xfe, 0x41), /is not one line of text/],
    ['a NUL', 's3cret\0', /is not one line of text/],
    ['huge', 's3cret'.repeat(1_000_000), /token: /],
  ])('that is %s is refused, and not repeated', (_, contents, expected) => {
    const found = read(contents);
    expect(found.ok).toBe(false);
    if (found.ok) return;
    expect(found.fault.message).toMatch(expected);
    expect(found.fault.message).not.toContain('s3cret');
  });

  test.each([
    [0o600, false],
    [0o640, false],
    [0o644, true],
    [0o604, true],
  ])('of mode %o', (mode, warns) => {
    const found = read('s3cret', mode);
    expect(found.ok && found.warning !== null).toBe(warns);
  });

  test('that is missing, or a folder', () => {
    expect(readSecretFile(join(folder, 'none'))).toMatchObject({ ok: false, fault: { code: 'unreadable-file' } });
    expect(readSecretFile(folder)).toMatchObject({ ok: false });
  });
});
