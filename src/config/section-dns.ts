/** What every zone of a network gets: SOA, NS and the labels that follow the live set. */
import { absoluteName, domainName, list, mailboxName, number, optional, relativeName, section } from './fields.ts';
import { edgemanageKey, key } from './key-docs.ts';

export const dns = edgemanageKey(
  section({
    ns_records: edgemanageKey(
      list(absoluteName(), 'a list of name servers, each with its final dot').min(1, {
        error: 'expected at least one name server',
      }),
      'The name servers of every zone, each with its final dot.',
      { example: '[ns1.example.net., ns2.example.net.]' },
    ),
    // The original wrote these two as they are; without a final dot they came out relative to each zone, which nobody
    // means.
    soa_nameserver: edgemanageKey(domainName(), 'The primary that the SOA names.', { example: 'ns1.example.net.' }),
    soa_mailbox: edgemanageKey(mailboxName(), 'The mailbox in the SOA, as a name or as an address.', {
      example: 'hostmaster.example.net.',
    }),
    rotate_zones: edgemanageKey(
      optional(list(relativeName(), 'a list of labels such as www'), []),
      'Labels that follow the live set, beside the name of each zone.',
      { otherwise: 'none', example: '[www]' },
    ),
    ttl: key(
      optional(number('seconds', { min: 0, max: 2 ** 31 - 1 }), 60),
      'How long resolvers may keep the live addresses.',
    ),
  }),
  'What every zone of a network gets.',
);
