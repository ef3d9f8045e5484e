import { recordTypeByName } from '../../src/zones/types/record-type.ts';

/** Types that only queries and pseudo-records have. */
const META: ReadonlyMap<string, number> = new Map([
  ['OPT', 41],
  ['TKEY', 249],
  ['TSIG', 250],
  ['IXFR', 251],
  ['AXFR', 252],
  ['MAILB', 253],
  ['MAILA', 254],
  ['ANY', 255],
]);

/** `A`, `TYPE666` or the number itself. */
export function typeCode(type: string | number): number {
  if (typeof type === 'number') return type;
  const code = META.get(type) ?? (type.startsWith('TYPE') ? Number(type.slice(4)) : recordTypeByName(type));
  if (code === null || Number.isNaN(code)) throw new Error(`no type ${type}`);
  return code;
}
