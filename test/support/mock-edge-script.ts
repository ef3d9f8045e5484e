/** What a mock edge does with a request, or instead of taking one. Each is answered over one connection, then closed. */
export type MockBehaviour =
  /** 200 with the object, `delayMs` after the request. */
  | { readonly kind: 'ok'; readonly delayMs?: number }
  /** 200 with another body of the same length. */
  | { readonly kind: 'tampered' }
  | { readonly kind: 'status'; readonly status: number; readonly delayMs?: number }
  /** The object in ten pieces, evenly over `ms`. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** The object without Content-Length, ended by the connection's end. */
  | { readonly kind: 'until-close' }
  /** The object in well-formed chunks. */
  | { readonly kind: 'chunked' }
  /** Nobody listens. */
  | { readonly kind: 'refuse' }
  /** Takes connections and requests and says nothing; over a plain edge also a TLS handshake that never answers. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'stall-header' }
  | { readonly kind: 'stall-body' }
  /** A body without end, as fast as it is read. */
  | { readonly kind: 'endless' }
  /** `head`, then `piece` again and again, as fast as it is read. Latin1 octets. */
  | { readonly kind: 'flood'; readonly head: string; readonly piece: string }
  /** A FIN without a word. */
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'reset'; readonly when: 'accept' | 'request' | 'header' | 'body' }
  /** Ends the connection inside the header or the body. */
  | { readonly kind: 'truncate'; readonly when: 'header' | 'body' }
  /** These octets, then the connection's end. `{port}` stands for the edge's port. */
  | { readonly kind: 'raw'; readonly text: string; readonly hold?: boolean }
  /** A header of this many octets. */
  | { readonly kind: 'huge-header'; readonly octets: number }
  /** Redirects to `location`, but answers with the object under a path that ends like it. */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number; readonly delayMs?: number }
  /** `/hop/1` … `/hop/N`, then the object. */
  | { readonly kind: 'redirect-chain'; readonly hops: number; readonly delayMs?: number }
  | { readonly kind: 'redirect-loop' };

/** What is written when (`atMs` after the request; latin1 octets), and what becomes of the connection afterwards. */
export type MockScript = {
  readonly steps: readonly { readonly atMs: number; readonly text: string }[];
  readonly end: 'fin' | 'hold' | 'reset' | 'endless';
  /** What is written again and again where it has no end. */
  readonly piece?: string;
};

const CHUNK = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

/** The answer to a request for `path` of an edge whose object is `body`. */
export function mockScript(behaviour: MockBehaviour, path: string, body: string, port: number): MockScript {
  const octets = Buffer.from(body).toString('latin1');
  const object = head(200, [`Content-Length: ${octets.length}`]) + octets;
  switch (behaviour.kind) {
    case 'refuse':
    case 'silent':
      return { steps: [], end: 'hold' };
    case 'ok':
      return answer(object, behaviour.delayMs);
    case 'tampered':
      return answer(object.slice(0, -1) + (object.endsWith('x') ? 'y' : 'x'));
    case 'status':
      return answer(`${head(behaviour.status, ['Content-Length: 4'])}no\r\n`, behaviour.delayMs);
    case 'until-close':
      return answer(head(200, []) + octets);
    case 'chunked': {
      const length = octets.length.toString(16);
      return answer(`${head(200, ['Transfer-Encoding: chunked'])}${length}\r\n${octets}\r\n0\r\n\r\n`);
    }
    case 'drip':
      return { steps: drip(object, behaviour.ms), end: 'fin' };
    case 'stall-header':
      return { ...answer(CUT_HEADER), end: 'hold' };
    case 'stall-body':
      return { ...answer(object.slice(0, -2)), end: 'hold' };
    case 'endless':
      return { ...answer(head(200, ['Transfer-Encoding: chunked'])), end: 'endless', piece: CHUNK };
    case 'flood':
      return { ...answer(behaviour.head), end: 'endless', piece: behaviour.piece };
    case 'hang-up':
      return { steps: [], end: 'fin' };
    case 'reset':
      if (behaviour.when === 'accept' || behaviour.when === 'request') return { steps: [], end: 'reset' };
      return { ...answer(behaviour.when === 'header' ? CUT_HEADER : object.slice(0, -2)), end: 'reset' };
    case 'truncate':
      return answer(behaviour.when === 'header' ? CUT_HEADER : object.slice(0, -2));
    case 'raw':
      return { ...answer(behaviour.text.replaceAll('{port}', String(port))), end: behaviour.hold ? 'hold' : 'fin' };
    case 'huge-header':
      return answer(head(200, [`X-Padding: ${'x'.repeat(behaviour.octets)}`, 'Content-Length: 0']));
    case 'redirect': {
      const location = behaviour.location.replaceAll('{port}', String(port));
      if (location.endsWith(path)) return answer(object);
      return answer(redirect(behaviour.status ?? 302, location), behaviour.delayMs);
    }
    case 'redirect-chain': {
      const hop = Number(/^\/hop\/(\d+)$/.exec(path)?.[1] ?? '0');
      return answer(hop >= behaviour.hops ? object : redirect(302, `/hop/${hop + 1}`), behaviour.delayMs);
    }
    case 'redirect-loop':
      return answer(redirect(301, path === '/a' ? '/b' : '/a'));
  }
}

const CUT_HEADER = 'HTTP/1.1 200 OK\r\nContent-Le';

function answer(text: string, delayMs = 0): MockScript {
  return { steps: [{ atMs: delayMs, text }], end: 'fin' };
}

function head(status: number, fields: readonly string[]): string {
  return `${[`HTTP/1.1 ${status} Mock`, 'Connection: close', ...fields].join('\r\n')}\r\n\r\n`;
}

function redirect(status: number, location: string): string {
  return head(status, [`Location: ${location}`, 'Content-Length: 0']);
}

function drip(text: string, ms: number): MockScript['steps'] {
  const size = Math.ceil(text.length / 10);
  return Array.from({ length: 10 }, (_, i) => ({ atMs: (ms * i) / 9, text: text.slice(i * size, (i + 1) * size) }));
}
