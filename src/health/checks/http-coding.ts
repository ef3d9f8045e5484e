/** Content codings (RFC 9110 section 8.4.1), as far as edgemanage's client asks for them: gzip and deflate. */
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';
import { type Fields, listOf } from './http-response.ts';

/** What every request says it takes. */
export const ACCEPT_ENCODING = 'gzip, deflate';

/** Codings that are undone one after the other; more would be an attack rather than a habit. */
const CODINGS_MAX = 4;

const unzip = promisify<Buffer, ZlibOptions, Buffer>(gunzip);
const unzlib = promisify<Buffer, ZlibOptions, Buffer>(inflate);
const undeflate = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);

/** Some servers send deflate without its zlib wrapper; clients take both. */
const DECODERS: { readonly [coding: string]: readonly (typeof unzip)[] } = {
  gzip: [unzip],
  'x-gzip': [unzip],
  deflate: [unzlib, undeflate],
};

export type Decoded =
  | { readonly kind: 'content'; readonly content: Buffer }
  /** The body is not in the coding that it is said to be in; no client can show it. */
  | { readonly kind: 'broken'; readonly content: Buffer; readonly coding: string }
  | { readonly kind: 'too-large'; readonly coding: string };

function codingsOf(fields: Fields): readonly string[] {
  return listOf(fields, 'content-encoding')
    .map((coding) => coding.toLowerCase())
    .filter((coding) => coding !== 'identity');
}

export function isCoded(fields: Fields): boolean {
  return codingsOf(fields).length > 0;
}

/**
 * Undoes the codings of a body, none of whose steps may come to more than `most` octets. Where one is unknown, the
 * content is taken as it is from there on, as edgemanage's client does. Never rejects.
 */
export async function decodeBody(body: Buffer, fields: Fields, most: number): Promise<Decoded> {
  const codings = codingsOf(fields).slice(0, CODINGS_MAX + 1);
  let content = body;
  for (const [i, coding] of [...codings].reverse().entries()) {
    const decoders = DECODERS[coding] ?? [];
    if (decoders.length === 0) break;
    if (i === CODINGS_MAX) return { kind: 'broken', content, coding };
    if (content.length === 0) break;
    const decoded = await firstThatWorks(decoders, content, most);
    if (decoded === 'too-large') return { kind: 'too-large', coding };
    if (decoded === null) return { kind: 'broken', content, coding };
    content = decoded;
  }
  return { kind: 'content', content };
}

async function firstThatWorks(
  decoders: readonly (typeof unzip)[],
  content: Buffer,
  most: number,
): Promise<Buffer | 'too-large' | null> {
  for (const decode of decoders) {
    try {
      return await decode(content, { maxOutputLength: Math.max(1, most) });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return 'too-large';
    }
  }
  return null;
}
