/**
 * Web servers whose HTTP is out of order, and whether the clients that edges are known by take them: curl, and Python's
 * requests, which edgemanage is made of. `odd-servers-peers.test.ts` asks both where they are installed.
 */

/** The object that every server means to send. */
export const OBJECT = 'the object\n';

export type OddServer = {
  readonly name: string;
  /** Latin1 octets. */
  readonly response: string;
  /** The connection stays open behind it. */
  readonly holds?: boolean;
  readonly curl: boolean;
  readonly requests: boolean;
  /** Whether ours does, where that is not "if either does". */
  readonly ours?: false;
};

const LENGTH = `Content-Length: ${OBJECT.length}\r\n`;
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SIZE = OBJECT.length.toString(16);
const CHUNKS = `${SIZE}\r\n${OBJECT}\r\n0\r\n\r\n`;

export const ODD_SERVERS: readonly OddServer[] = [
  { name: 'plain', response: `${OK}${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  { name: 'plain, kept open', response: `${OK}${LENGTH}\r\n${OBJECT}`, holds: true, curl: true, requests: true },
  { name: 'HTTP/1.0 until the end', response: `HTTP/1.0 200 OK\r\n\r\n${OBJECT}`, curl: true, requests: true },
  {
    name: '100 Continue unasked',
    response: `HTTP/1.1 100 Continue\r\n\r\n${OK}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: '100 Continue twice',
    response: `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2)}${OK}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: '100 Continue with fields',
    response: `HTTP/1.1 100 Continue\r\nServer: x\r\n\r\n${OK}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: '103 Early Hints',
    response: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: false,
  },
  {
    name: 'lines end in LF',
    response: `HTTP/1.1 200 OK\nContent-Length: ${OBJECT.length}\n\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'LF and CRLF mixed',
    response: `HTTP/1.1 200 OK\r\nServer: x\nContent-Length: ${OBJECT.length}\r\n\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length twice, one value',
    response: `${OK}${LENGTH}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length as a list of one value',
    response: `${OK}Content-Length: ${OBJECT.length}, ${OBJECT.length}\r\n\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length twice, two values',
    response: `${OK}Content-Length: 3\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: false,
    ours: false,
  },
  {
    name: 'Content-Length with a plus',
    response: `${OK}Content-Length: +${OBJECT.length}\r\n\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length with leading zeros',
    response: `${OK}Content-Length: 000${OBJECT.length}\r\n\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length padded',
    response: `${OK}Content-Length:     ${OBJECT.length}   \r\n\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Length without a number',
    response: `${OK}Content-Length: many\r\n\r\n${OBJECT}`,
    curl: false,
    requests: true,
  },
  { name: 'Content-Length empty', response: `${OK}Content-Length:\r\n\r\n${OBJECT}`, curl: false, requests: true },
  { name: 'Content-Length below 0', response: `${OK}Content-Length: -1\r\n\r\n${OBJECT}`, curl: false, requests: true },
  {
    name: 'Content-Length too short',
    response: `${OK}Content-Length: 3\r\n\r\n${OBJECT}`,
    curl: false,
    requests: false,
  },
  {
    name: 'Content-Length too long',
    response: `${OK}Content-Length: 99\r\n\r\n${OBJECT}`,
    curl: false,
    requests: false,
  },
  { name: 'more octets behind the body', response: `${OK}${LENGTH}\r\n${OBJECT}more`, curl: true, requests: true },
  {
    name: 'a second answer behind the first',
    response: `${OK}${LENGTH}\r\n${OBJECT}${OK}${LENGTH}\r\nsomething  `,
    curl: true,
    requests: true,
  },
  {
    name: 'Transfer-Encoding beside a length',
    response: `${OK}${LENGTH}${CHUNKED}\r\n${CHUNKS}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Transfer-Encoding beside a wrong length',
    response: `${OK}Content-Length: 3\r\n${CHUNKED}\r\n${CHUNKS}`,
    curl: true,
    requests: true,
  },
  { name: 'Transfer-Encoding twice', response: `${OK}${CHUNKED}${CHUNKED}\r\n${CHUNKS}`, curl: true, requests: true },
  {
    name: 'Transfer-Encoding in capitals',
    response: `${OK}TRANSFER-ENCODING: CHUNKED\r\n\r\n${CHUNKS}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Transfer-Encoding of HTTP/1.0',
    response: `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n${CHUNKS}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Transfer-Encoding identity',
    response: `${OK}Transfer-Encoding: identity\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Transfer-Encoding identity, chunked',
    response: `${OK}Transfer-Encoding: identity, chunked\r\n\r\n${CHUNKS}`,
    curl: true,
    requests: true,
  },
  {
    name: 'a chunk size padded behind',
    response: `${OK}${CHUNKED}\r\n${SIZE}      \r\n${OBJECT}\r\n0     \r\n\r\n`,
    curl: true,
    requests: true,
  },
  {
    name: 'a chunk size padded with zeros',
    response: `${OK}${CHUNKED}\r\n0000000${SIZE}\r\n${OBJECT}\r\n0000\r\n\r\n`,
    curl: true,
    requests: true,
  },
  {
    name: 'a chunk size padded before',
    response: `${OK}${CHUNKED}\r\n  ${SIZE}\r\n${OBJECT}\r\n0\r\n\r\n`,
    curl: false,
    requests: true,
  },
  {
    name: 'a chunk size in capitals',
    response: `${OK}${CHUNKED}\r\n${SIZE.toUpperCase()}\r\n${OBJECT}\r\n0\r\n\r\n`,
    curl: true,
    requests: true,
  },
  {
    name: 'chunk extensions',
    response: `${OK}${CHUNKED}\r\n${SIZE};a=b;c="d e"\r\n${OBJECT}\r\n0;x\r\n\r\n`,
    curl: true,
    requests: true,
  },
  {
    name: 'chunks whose lines end in LF',
    response: `${OK}${CHUNKED}\r\n${SIZE}\n${OBJECT}\n0\n\n`,
    curl: true,
    requests: false,
  },
  {
    name: 'trailers',
    response: `${OK}${CHUNKED}\r\n${SIZE}\r\n${OBJECT}\r\n0\r\nX-Sum: 1\r\n\r\n`,
    curl: true,
    requests: true,
  },
  {
    name: 'no line behind the last chunk',
    response: `${OK}${CHUNKED}\r\n${SIZE}\r\n${OBJECT}\r\n0\r\n`,
    curl: false,
    requests: true,
  },
  { name: 'no last chunk', response: `${OK}${CHUNKED}\r\n${SIZE}\r\n${OBJECT}\r\n`, curl: false, requests: false },
  {
    name: 'a folded field',
    response: `${OK}X-Long: a\r\n b\r\n\tc\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'a folded length',
    response: `${OK}Content-Length:\r\n ${OBJECT.length}\r\n\r\n${OBJECT}`,
    curl: false,
    requests: true,
  },
  {
    name: 'a header of 20 kB',
    response: `${OK}X-Long: ${'x'.repeat(20_000)}\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'a header of 60 kB',
    response: `${OK}X-Long: ${'x'.repeat(60_000)}\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: '90 fields of 2 kB',
    response: `${OK}${`X-Long: ${'x'.repeat(2000)}\r\n`.repeat(90)}${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: '200 fields', response: `${OK}${'X: y\r\n'.repeat(200)}${LENGTH}\r\n${OBJECT}`, curl: true, requests: false },
  {
    name: 'control characters in a field',
    response: `${OK}X: a\x01\x02\x7fb\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'octets above 127 in a field',
    response: `${OK}X: \xe4\xff\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: 'NUL in a field', response: `${OK}X: a\x00b\r\n${LENGTH}\r\n${OBJECT}`, curl: false, requests: true },
  { name: 'CR in a field', response: `${OK}X: a\rb\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  {
    name: 'a field name with odd characters',
    response: `${OK}X@[y]: z\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: 'a field name with a blank', response: `${OK}X Y: z\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  {
    name: 'a field name with a blank, kept open',
    response: `${OK}X Y: z\r\n${LENGTH}\r\n${OBJECT}`,
    holds: true,
    curl: true,
    requests: false,
  },
  {
    name: 'a blank before the colon',
    response: `${OK}Content-Length : ${OBJECT.length}\r\n\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: 'an empty field name', response: `${OK}: x\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  { name: 'a line without a colon', response: `${OK}nonsense\r\n${LENGTH}\r\n${OBJECT}`, curl: false, requests: true },
  { name: 'no reason phrase', response: `HTTP/1.1 200\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  {
    name: 'a blank for a reason phrase',
    response: `HTTP/1.1 200 \r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'two blanks before the status',
    response: `HTTP/1.1  200 OK\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'octets above 127 in the reason phrase',
    response: `HTTP/1.1 200 \xfcblich\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'a long reason phrase',
    response: `HTTP/1.1 200 ${'x'.repeat(5000)}\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: 'HTTP/1.2', response: `HTTP/1.2 200 OK\r\n${LENGTH}\r\n${OBJECT}`, curl: false, requests: true },
  { name: 'HTTP/2 in clear letters', response: `HTTP/2 200\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: false },
  {
    name: 'a status of four digits',
    response: `HTTP/1.1 2000 OK\r\n${LENGTH}\r\n${OBJECT}`,
    curl: false,
    requests: false,
  },
  { name: 'a blank line first', response: `\r\n${OK}${LENGTH}\r\n${OBJECT}`, curl: false, requests: false },
  { name: 'no HTTP at all (0.9)', response: OBJECT, curl: false, requests: false },
  { name: 'ICY 200 OK', response: `ICY 200 OK\r\n\r\n${OBJECT}`, curl: false, requests: false },
  { name: 'small letters', response: `http/1.1 200 ok\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: false },
  {
    name: 'Connection: keep-alive',
    response: `${OK}Connection: keep-alive\r\n${LENGTH}\r\n${OBJECT}`,
    holds: true,
    curl: true,
    requests: true,
  },
  {
    name: 'an upgrade offered',
    response: `${OK}Connection: Upgrade\r\nUpgrade: h2c\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'a redirect without Location',
    response: `HTTP/1.1 302 Found\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  { name: 'status 203', response: `HTTP/1.1 203 Other\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  { name: 'status 206', response: `HTTP/1.1 206 Part\r\n${LENGTH}\r\n${OBJECT}`, curl: true, requests: true },
  {
    name: 'status 300 with Location',
    response: `HTTP/1.1 300 Choices\r\nLocation: /x\r\n${LENGTH}\r\n${OBJECT}`,
    curl: false,
    requests: true,
  },
  {
    name: 'Content-Encoding identity',
    response: `${OK}Content-Encoding: identity\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Encoding of another kind',
    response: `${OK}Content-Encoding: utf-8\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: true,
  },
  {
    name: 'Content-Encoding gzip that is none',
    response: `${OK}Content-Encoding: gzip\r\n${LENGTH}\r\n${OBJECT}`,
    curl: true,
    requests: false,
    ours: false,
  },
];
