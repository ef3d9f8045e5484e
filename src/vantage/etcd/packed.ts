/** How JSON is stored: as it is, or compressed within JSON where it is long; bounded both ways. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const MIB = 2 ** 20;
const PLAIN_MAX = 64 * 1024;
/** Octets of a value: etcd takes requests of up to 1.5 MiB. */
const STORED_MAX = MIB;
/** Octets of what is compressed in a value. */
const TEXT_MAX = 16 * MIB;
const BEGIN = '{"v":1,"gzip":"';
const END = '"}';

/** `problem`: a phrase that follows the name of the value. */
export type Packed = { readonly value: string; readonly problem: null } | { readonly problem: string };

export async function pack(json: string): Promise<Packed> {
  if (Buffer.byteLength(json) <= PLAIN_MAX) return { value: json, problem: null };
  const value = `${BEGIN}${(await promisify(gzip)(json)).toString('base64')}${END}`;
  if (value.length <= STORED_MAX) return { value, problem: null };
  return { problem: `has ${value.length} octets compressed; at most ${STORED_MAX} can be stored` };
}

/** The JSON text, of which nothing is checked. */
export async function unpack(stored: Buffer): Promise<Packed> {
  if (stored.length > STORED_MAX) return { problem: `has ${stored.length} octets, and at most ${STORED_MAX} are read` };
  const text = stored.toString();
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) return { value: text, problem: null };
  try {
    const octets = Buffer.from(text.slice(BEGIN.length, -END.length), 'base64');
    const json = await promisify(gunzip)(octets, { maxOutputLength: TEXT_MAX });
    return { value: json.toString(), problem: null };
  } catch {
    return { problem: `cannot be decompressed to at most ${TEXT_MAX / MIB} MiB` };
  }
}
