/** Complete master files with their own SOA, served as they are. */
import { domainName, list, optional, section, text } from './fields.ts';

export const zoneKeys = {
  static_zones: optional(
    list(section({ name: domainName(), file: text('a master file') }), 'a list of {name, file}'),
    [],
  ),
  static_zone_dir: optional(text('a folder of <zone>.zone files'), null),
};
