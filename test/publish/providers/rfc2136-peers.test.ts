import { conformance } from './conformance.ts';
import { rfc2136Harness } from './rfc2136-fixture.ts';

conformance('rfc2136 at BIND', () => rfc2136Harness('bind'));
conformance('rfc2136 at Knot', () => rfc2136Harness('knot'));
conformance('rfc2136 at PowerDNS', () => rfc2136Harness('powerdns'));
