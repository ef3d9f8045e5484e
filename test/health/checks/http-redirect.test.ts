import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextHop } from '../../../src/health/checks/http-redirect.ts';

const FROM = 'http://demo.test:8081/dir/object.txt?v=1';

describe('where a redirect leads', () => {
  test.each([
    ['a path', '/other', 'http://demo.test:8081/other'],
    ['a relative path', 'other', 'http://demo.test:8081/dir/other'],
    ['a query', '?v=2', 'http://demo.test:8081/dir/object.txt?v=2'],
    ['the same host without its port', 'http://demo.test/other', 'http://demo.test:8081/other'],
    ['the same host in capitals', 'HTTP://DEMO.test/other', 'http://demo.test:8081/other'],
    ['the same host with the default port', 'http://demo.test:80/other', 'http://demo.test/other'],
    ['the same host with another port', 'http://demo.test:8082/other', 'http://demo.test:8082/other'],
    ['no scheme', '//demo.test/other', 'http://demo.test:8081/other'],
    ['no scheme, a default port', '//demo.test:80/other', 'http://demo.test/other'],
    ['https', 'https://demo.test/dir/object.txt?v=1', 'https://demo.test/dir/object.txt?v=1'],
    ['another host', 'http://www.test/', 'http://www.test/'],
    ['a colon in the path', 'http://demo.test/a:80/b', 'http://demo.test:8081/a:80/b'],
    ['a fragment, which is not sent', '/other#part', 'http://demo.test:8081/other'],
    ['UTF-8 octets', Buffer.from('/ü').toString('latin1'), 'http://demo.test:8081/%C3%BC'],
    ['blanks around', '  /other ', 'http://demo.test:8081/other'],
  ])('%s', (_name, location, href) => {
    const next = nextHop(new URL(FROM), location, 0);
    expect(next.ok ? next.url.href : next.why).toBe(href);
  });
});

describe('a redirect that leads nowhere', () => {
  test.each([
    ['no URL', 'http://', 'Location is no URL: "http://"'],
    ['another scheme', 'javascript:alert(1)', 'Location is neither http nor https: "javascript:alert(1)"'],
    [
      'control characters do not reach the log',
      'ftp://x/\u001b[2J',
      'Location is neither http nor https: "ftp://x/?[2J"',
    ],
  ])('%s', (_name, location, why) => {
    expect(nextHop(new URL(FROM), location, 0)).toEqual({ ok: false, why });
  });

  test('the thirty-first', () => {
    expect(nextHop(new URL(FROM), '/x', 29).ok).toBe(true);
    expect(nextHop(new URL(FROM), '/x', 30)).toMatchObject({ why: 'more than 30 redirects' });
  });
});

test('whatever an edge says: http or https, or a reason on one short line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
      const next = nextHop(new URL(FROM), Buffer.from(text).toString('latin1'), 0);
      if (next.ok) expect(next.url.protocol).toMatch(/^https?:$/);
      else expect(next.why).toMatch(/^[^\n\r]{1,500}$/);
    }),
  );
});
