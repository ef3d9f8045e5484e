/** Complete master files with their own SOA, served as they are. */
import { domainName, list, number, optional, path, section } from './fields.ts';
import { key } from './key-docs.ts';
import { ZONE_LIMITS } from './limits.ts';

/** Most that a typed array of records can be asked to hold. */
const RECORDS_MAX = 100_000_000;
const OCTETS_MAX = 2 ** 31;

export const zoneKeys = {
  static_zones: key(
    optional(
      list(
        section({
          name: key(domainName(), 'The name of the zone.', { example: 'static.example.net' }),
          file: key(path('a master file'), 'Its master file, SOA included.', {
            example: 'static/static.example.net.zone',
          }),
        }),
        'a list of {name, file}',
      ),
      [],
    ),
    'Complete zones with their own SOA, served as they are.',
    { otherwise: 'none' },
  ),
  include_dirs: key(
    optional(list(path('a folder'), 'a list of folders'), []),
    'Folders that `$INCLUDE` in zone files may read from, besides the folder of the zone itself.',
    { otherwise: 'none', example: '[/etc/edgewise/shared]' },
  ),
  zone_limits: key(
    optional(
      section({
        records: key(
          optional(number('a number of records', { min: 1, max: RECORDS_MAX }), ZONE_LIMITS.records),
          'Records of one zone.',
        ),
        generated: key(
          optional(number('a number of records', { min: 0, max: RECORDS_MAX }), ZONE_LIMITS.generated),
          'Records that the `$GENERATE` lines of one zone make together.',
        ),
        octets: key(
          optional(number('a number of octets', { min: 1, max: OCTETS_MAX }), ZONE_LIMITS.octets),
          'Names and data of one zone; a million records take some 40 MB.',
        ),
      }),
      null,
    ),
    'How large one zone may become. Beyond it the zone does not load, since it could take the memory of all others.',
    { otherwise: 'the defaults of its keys' },
  ),
  static_zone_dir: key(
    optional(path('a folder of <zone>.zone files'), null),
    'A folder whose `<zone>.zone` files are all served as they are.',
    { otherwise: 'none' },
  ),
};
