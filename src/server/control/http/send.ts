import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guard } from '../../../system/guard.ts';
import { ENDING_MS } from './connections.ts';
import type { Reply, StreamReply } from './operation.ts';

/** For whatever does not say otherwise: nothing is kept, guessed, framed or run. */
const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** An answer as a whole; or 304 where the client has it already. */
export function send(request: IncomingMessage, response: ServerResponse, reply: Reply, isLast: boolean): void {
  const etag = reply.headers?.['etag'];
  const known = request.headers['if-none-match'];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  // Of what nobody may keep, a tag says which version a change is based on, and not that nothing else is new.
  const isKept = reply.headers?.['cache-control'] !== undefined;
  const isKnown = isRead && isKept && reply.status === 200 && typeof etag === 'string' && known !== undefined;
  if (isKnown && matchesWeakly(known, etag)) {
    response.writeHead(304, { ...SAFE_HEADERS, ...reply.headers, ...(isLast ? { connection: 'close' } : {}) });
    response.end();
    return;
  }
  const body = octetsOf(reply);
  // A body that was not read is not waited for.
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': body.length,
    ...SAFE_HEADERS,
    ...reply.headers,
    ...((hasBody && !request.readableEnded) || isLast ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const encoded = new WeakMap<Reply, Uint8Array>();

/** Those who share a reply share its octets: two hundred slow readers of one large answer hold it once. */
function octetsOf(reply: Reply): Uint8Array {
  if (typeof reply.body !== 'string') return reply.body;
  const octets = encoded.get(reply) ?? Buffer.from(reply.body, 'utf8');
  encoded.set(reply, octets);
  return octets;
}

/** RFC 9110 section 13.1.2. */
function matchesWeakly(list: string, etag: string): boolean {
  const strong = (tag: string): string => tag.trim().replace(/^W\//, '');
  return list.trim() === '*' || list.split(',').some((each) => strong(each) === strong(etag));
}

/** What a client that reads nothing may have waiting, octets. */
const STREAM_OCTETS = 65_536;

/** An answer without an end: its connection has no limit of time, and is the first to go when there are too many. */
export function stream(request: IncomingMessage, response: ServerResponse, reply: StreamReply, guard: Guard): void {
  response.writeHead(200, {
    'content-type': reply.type,
    ...SAFE_HEADERS,
    ...reply.headers,
    connection: 'close',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  request.socket.setTimeout(0);
  const { grant } = reply;
  const end = guard.protect('http', () => {
    response.end();
    // Whoever reads nothing is not waited for.
    request.socket.setTimeout(ENDING_MS);
  });
  const ended = reply.stream({
    write: (text) => {
      if (response.writableEnded) return false;
      if (grant?.isValid() === false) {
        end();
        return false;
      }
      if (response.writableLength > STREAM_OCTETS) return false;
      response.write(text);
      return true;
    },
    end,
  });
  grant?.ended?.addEventListener('abort', end, { once: true });
  response.once(
    'close',
    guard.protect('http', () => {
      grant?.ended?.removeEventListener('abort', end);
      ended();
    }),
  );
}
