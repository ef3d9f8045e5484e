import { X509Certificate } from 'node:crypto';

/** `line`, `col`: where in the text, from 1. */
export type PemFault = { readonly line: number; readonly col: number; readonly message: string };

const BLOCK = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]*-----END \1-----/g;

/** What is wrong with a file of certificates in PEM; null: every one can be read, and there is one at least. */
export function certificateFault(pem: string): PemFault | null {
  let read = 0;
  for (const { 0: block, index } of pem.matchAll(BLOCK)) {
    try {
      new X509Certificate(block);
      read += 1;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const why = text.split(':').at(-1)?.trim() ?? text; // of error:0480006C:PEM routines::no start line
      return { ...placeOf(pem, index), message: `certificate ${read + 1} cannot be read: ${why}` };
    }
  }
  const begun = pem.split('-----BEGIN ').length - 1;
  if (read === 0) return { line: 1, col: 1, message: 'no certificate in PEM (-----BEGIN CERTIFICATE-----)' };
  const cut = pem.lastIndexOf('-----BEGIN CERTIFICATE-----');
  if (begun > read && cut !== -1 && !pem.slice(cut).includes('-----END CERTIFICATE-----')) {
    return { ...placeOf(pem, cut), message: `certificate ${read + 1} has no end` };
  }
  return null;
}

function placeOf(text: string, offset: number): { readonly line: number; readonly col: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, col: (before.at(-1)?.length ?? 0) + 1 };
}
