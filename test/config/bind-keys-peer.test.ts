import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseBindKeys } from '../../src/config/bind-keys.ts';

test.each(['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'])(
  'what tsig-keygen writes: %s',
  (algorithm) => {
    const text = execFileSync('/usr/sbin/tsig-keygen', ['-a', algorithm, 'xfr.example.test'], { encoding: 'utf8' });
    const { keys, faults } = parseBindKeys('k', text);
    expect(faults).toEqual([]);
    expect(keys).toMatchObject([{ name: '\x03xfr\x07example\x04test\0', algorithm }]);
    expect(Buffer.from(keys[0].secret).toString('base64')).toBe(/secret "(.*)"/.exec(text)?.[1]);
  },
);
