import type { IncomingMessage } from 'node:http';

/** Of a request's body; what is changed here takes a few hundred. */
export const BODY_OCTETS_MAX = 16_384;

/** `too-large` before more than that is kept; `broken`: the client went away or sent no text in UTF-8. */
export type Body =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: 'too-large' | 'broken' };

/** The whole body. The server's own time limit for a request bounds how long this takes. */
export async function readBody(request: IncomingMessage, most = BODY_OCTETS_MAX): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > most) return { ok: false, why: 'too-large' };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > most) return { ok: false, why: 'too-large' };
      chunks.push(chunk);
    }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return { ok: false, why: 'broken' };
  }
}

/** The last value of each key, as a form or a query has them; several make an array. */
export function fieldsOf(encoded: string): { readonly [key: string]: string | readonly string[] } {
  const fields: Record<string, string | readonly string[]> = Object.create(null);
  for (const [key, value] of new URLSearchParams(encoded)) {
    const was = fields[key];
    fields[key] = was === undefined ? value : typeof was === 'string' ? [was, value] : [...was, value];
  }
  return fields;
}
