/** What every zone of a network gets: SOA, NS and the labels that follow the live set. */
import { absoluteName, domainName, list, mailboxName, number, optional, relativeName, section } from './fields.ts';

export const dns = section({
  ns_records: list(absoluteName(), 'a list of name servers, each with its final dot').min(1, {
    error: 'expected at least one name server',
  }),
  // The original wrote these two as they are; without a final dot they came out relative to each zone, which nobody
  // means.
  soa_nameserver: domainName(),
  soa_mailbox: mailboxName(),
  rotate_zones: optional(list(relativeName(), 'a list of labels such as www'), []),
  ttl: optional(number('seconds', { min: 0, max: 2 ** 31 - 1 }), 60),
});
