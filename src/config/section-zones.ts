/** Complete master files with their own SOA, served as they are. */
import { domainName, list, number, optional, path, section } from './fields.ts';

/** Most that a typed array of records can be asked to hold. */
const RECORDS_MAX = 100_000_000;
const OCTETS_MAX = 2 ** 31;

export const zoneKeys = {
  static_zones: optional(
    list(section({ name: domainName(), file: path('a master file') }), 'a list of {name, file}'),
    [],
  ),
  include_dirs: optional(list(path('a folder'), 'a list of folders'), []),
  zone_limits: optional(
    section({
      records: optional(number('a number of records', { min: 1, max: RECORDS_MAX }), null),
      generated: optional(number('a number of records', { min: 0, max: RECORDS_MAX }), null),
      octets: optional(number('a number of octets', { min: 1, max: OCTETS_MAX }), null),
    }),
    null,
  ),
  static_zone_dir: optional(path('a folder of <zone>.zone files'), null),
};
