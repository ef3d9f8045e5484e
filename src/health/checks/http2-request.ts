import type * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import { HEAD_MAX } from './http-response.ts';

export type Http2 = typeof http2;

/** Gets the answer as HTTP/1 writes it, so that one reader takes both and has the same bounds for both. */
export type AnswerSink = {
  readonly push: (octets: Buffer) => void;
  /** The edge ended the answer. */
  readonly close: () => void;
  readonly fail: (error: Error) => void;
};

/** Octets that the edge may send ahead of what was read. */
const WINDOW = 1_048_576;
/** Fields of an answer; more ends it. */
const PAIRS_MAX = 1000;

/** Belong to a connection of HTTP/1 (RFC 9113 section 8.2.2); `host` is the pseudo-field `:authority`. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'http2-settings',
]);

/** One GET in HTTP/2 (RFC 9113) over a connection of its own; returns what ends it. Throws for fields that cannot be sent. */
export function requestHttp2(
  { connect }: Http2,
  socket: Socket,
  path: string,
  fields: readonly (readonly [string, string])[],
  sink: AnswerSink,
): () => void {
  const authority = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
  const session = connect(`https://${authority}`, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: WINDOW, maxHeaderListSize: HEAD_MAX },
    maxHeaderListPairs: PAIRS_MAX,
  });
  session.on('error', sink.fail);
  const stream = session.request({
    ':method': 'GET',
    ':scheme': 'https',
    ':authority': authority,
    ':path': path,
    ...Object.fromEntries(
      fields.map(([name, value]) => [name.toLowerCase(), value]).filter(([name]) => !NOT_SENT.has(name)),
    ),
  });
  stream.on('headers', (headers) => sink.push(headOf(headers))); // interim answers
  stream.on('response', (headers) => sink.push(headOf(headers)));
  stream.on('data', (piece: Buffer) => sink.push(piece));
  // A stream that was reset ends, too.
  stream.on('end', () => (stream.rstCode === 0 ? sink.close() : sink.fail(resetBy(stream.rstCode))));
  stream.on('error', sink.fail);
  stream.on('close', () => sink.fail(resetBy(stream.rstCode)));
  return () => session.destroy();
}

/** RFC 9113 section 7, by Node's code for streams that were reset. */
function resetBy(code: number | undefined): Error {
  return Object.assign(new Error(`the stream was reset (error code ${code ?? 0})`), { code: 'ERR_HTTP2_STREAM_ERROR' });
}

function headOf(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) => {
    if (name.startsWith(':') || name === 'transfer-encoding' || value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`);
  });
  return Buffer.from(`HTTP/2 ${headers[':status'] ?? ''}\r\n${lines.join('')}\r\n`, 'latin1');
}

/** Whether octets are the SETTINGS that an HTTP/2 server begins with (RFC 9113 section 3.4), whatever it was sent. */
export function isHttp2(octets: Buffer): boolean {
  return octets.length >= 9 && octets[0] === 0 && octets[3] === 4 && octets.readUInt32BE(5) === 0;
}
