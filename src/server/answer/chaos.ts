import { CLASS, HEADER_LENGTH, TYPE } from '../../dns/message.ts';

const NAMES_VERSION: readonly Uint8Array[] = [wire('version', 'bind'), wire('version', 'server')];
const NAMES_ID: readonly Uint8Array[] = [wire('id', 'server'), wire('hostname', 'bind')];
const TXT_MAX = 255;

/**
 * The TXT records of class CH with a server's version and identifier (RFC 4892), where the operator configures them.
 * Not on the usual path.
 */
export class ChaosNames {
  private version: Uint8Array | null = null;
  private id: Uint8Array | null = null;

  configure(version: string | null, id: string | null): void {
    this.version = text(version);
    this.id = text(id);
  }

  /**
   * The text for the question name `query[12..12 + length)`, compared without case, and this type; null: there is none.
   */
  find(query: Uint8Array, length: number, type: number): Uint8Array | null {
    if (type !== TYPE.txt && type !== TYPE.any) return null;
    if (this.version !== null && isOneOf(query, length, NAMES_VERSION)) return this.version;
    if (this.id !== null && isOneOf(query, length, NAMES_ID)) return this.id;
    return null;
  }
}

/** Writes the one TXT record owned by the question at `out[at]`; returns the offset after it. */
export function writeChaosText(out: Uint8Array, at: number, value: Uint8Array): number {
  out.set([0xc0, HEADER_LENGTH, 0, TYPE.txt, 0, CLASS.ch, 0, 0, 0, 0, 0, 1 + value.length, value.length], at);
  out.set(value, at + 13);
  return at + 13 + value.length;
}

function wire(...labels: string[]): Uint8Array {
  return new TextEncoder().encode(`${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`);
}

function text(value: string | null): Uint8Array | null {
  return value === null ? null : new TextEncoder().encode(value).slice(0, TXT_MAX);
}

function isOneOf(query: Uint8Array, length: number, names: readonly Uint8Array[]): boolean {
  return names.some(
    (name) =>
      name.length === length && name.every((octet, i) => octet === (query[HEADER_LENGTH + i] | lowerBit(octet))),
  );
}

/** The bit that makes a letter lowercase; length octets are compared as they are. */
function lowerBit(octet: number): number {
  return octet >= 0x61 ? 0x20 : 0;
}
