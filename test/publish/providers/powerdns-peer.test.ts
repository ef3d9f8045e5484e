import { conformance } from './conformance.ts';
import { powerdnsHarness } from './powerdns-fixture.ts';

conformance('powerdns', powerdnsHarness);
