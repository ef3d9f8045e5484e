import { problem } from '../text/problem.ts';
import type { Field } from './field.ts';

/** Groups of up to `digits` hex digits between separators, `octets` octets each, always `count` of them. */
function groups(what: string, separator: string, count: number, octets: 1 | 2): Field {
  const digits = octets * 2;
  const group = new RegExp(`^[0-9a-fA-F]{1,${digits}}$`);
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null) return failure;
      const parts = scan.tokens.asText().split(separator);
      if (parts.length !== count || !parts.every((part) => group.test(part))) {
        return problem('bad-hex', `"${scan.shown()}" is not ${what}`);
      }
      for (const part of parts) {
        const full = scan.unsigned(Number.parseInt(part, 16), octets);
        if (full !== null) return full;
      }
      return null;
    },
    print: (print) => {
      if (print.left < count * octets) return false;
      const parts = Array.from({ length: count }, () => print.take(octets).toString(16).padStart(digits, '0'));
      return print.put(parts.join(separator));
    },
  };
}

/** RFC 7043 §3, §4. */
export const eui48: Field = groups('an EUI-48 address such as 00-00-5e-00-53-2a', '-', 6, 1);
export const eui64: Field = groups('an EUI-64 address such as 00-00-5e-ef-10-00-00-2a', '-', 8, 1);
/** RFC 6742 §2.1, §2.3. */
export const locator64: Field = groups('64 bits such as 2001:db8:1140:1000', ':', 4, 2);
