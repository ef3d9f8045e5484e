/**
 * Frame Streams, the framing that dnstap is carried in (https://github.com/farsightsec/fstrm): each data frame is a length of
 * four octets, big-endian, and as many octets. A length of 0 escapes a control frame: its own length, its type, and fields.
 *
 * A sender on a socket and its receiver go through READY → ACCEPT ← START → data … STOP → FINISH ←; a file holds what the
 * sender would send from START to STOP.
 */

export const CONTENT_TYPE = 'protobuf:dnstap.Dnstap';

export const CONTROL = { accept: 1, start: 2, stop: 3, ready: 4, finish: 5 } as const;
export type ControlType = (typeof CONTROL)[keyof typeof CONTROL];

const CONTROL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(CONTROL).map(([name, type]) => [type, name.toUpperCase()]),
);

const FIELD_CONTENT_TYPE = 1;
/** The longest control frame, after its escape and length; the reference implementation has the same limit. */
const CONTROL_MAX = 512;

/** A control frame as it is sent; all but STOP and FINISH name the content type. */
export function controlFrame(type: ControlType): Buffer {
  const content = type === CONTROL.stop || type === CONTROL.finish ? null : Buffer.from(CONTENT_TYPE);
  const frame = Buffer.alloc(12 + (content === null ? 0 : 8 + content.length));
  frame.writeUInt32BE(0, 0);
  frame.writeUInt32BE(frame.length - 8, 4);
  frame.writeUInt32BE(type, 8);
  if (content === null) return frame;
  frame.writeUInt32BE(FIELD_CONTENT_TYPE, 12);
  frame.writeUInt32BE(content.length, 16);
  frame.set(content, 20);
  return frame;
}

/** A control frame that came, or why what came is none. */
export type Control =
  | { readonly type: ControlType; readonly contentTypes: readonly string[] }
  | { readonly error: string };

/**
 * Reads what a receiver sends back, control frames and nothing else, in any segmentation. It keeps at most one frame; after
 * an error it reads no more.
 */
export class ControlReader {
  private kept: Buffer = Buffer.alloc(0);
  private failed = false;

  /** The control frames that the octets complete, in order; an error is the last. */
  read(chunk: Uint8Array): Control[] {
    const found: Control[] = [];
    let rest = Buffer.concat([this.kept, chunk]);
    while (!this.failed) {
      const length = frameLength(rest);
      if (length === null) break;
      if (typeof length !== 'number') {
        found.push(this.fail(length.error));
        break;
      }
      if (rest.length < 8 + length) break;
      const control = parseControl(rest.subarray(8, 8 + length));
      found.push('error' in control ? this.fail(control.error) : control);
      rest = rest.subarray(8 + length);
    }
    this.kept = this.failed ? Buffer.alloc(0) : Buffer.from(rest);
    return found;
  }

  private fail(error: string): Control {
    this.failed = true;
    return { error };
  }
}

/** Of the control frame that begins here; null: its length has not come yet. */
function frameLength(octets: Buffer): number | null | { readonly error: string } {
  // Nonsense is told from a control frame by its first octets, without waiting for more of it.
  for (let i = 0; i < Math.min(4, octets.length); i++) {
    if (octets[i] !== 0) return { error: 'what it sent is no control frame of Frame Streams' };
  }
  if (octets.length < 8) return null;
  const length = octets.readUInt32BE(4);
  if (length < 4 || length > CONTROL_MAX) return { error: `it sent a control frame of ${length} octets` };
  return length;
}

function parseControl(frame: Buffer): Control {
  const type = frame.readUInt32BE(0);
  if (!isControlType(type)) return { error: `it sent a control frame of the unknown type ${type}` };
  const contentTypes: string[] = [];
  let at = 4;
  while (at < frame.length) {
    if (at + 8 > frame.length) return { error: `its ${controlName(type)} frame ends within a field` };
    const field = frame.readUInt32BE(at);
    const length = frame.readUInt32BE(at + 4);
    at += 8;
    if (length > frame.length - at) return { error: `its ${controlName(type)} frame ends within a field` };
    if (field === FIELD_CONTENT_TYPE) contentTypes.push(frame.toString('latin1', at, at + length));
    at += length;
  }
  return { type, contentTypes };
}

/** `ACCEPT` */
export function controlName(type: ControlType): string {
  return CONTROL_NAMES.get(type) ?? String(type);
}

function isControlType(type: number): type is ControlType {
  return CONTROL_NAMES.has(type);
}
