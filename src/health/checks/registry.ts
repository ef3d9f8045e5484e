import type { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import type { Attempt, Check, ProbeTools, Target } from './check.ts';
import { type CommandTest, commandCheck } from './command.ts';
import { type DnsTest, dnsCheck } from './dns.ts';
import { httpCheck } from './http.ts';
import type { HttpTest } from './http-fail.ts';
import { type IcmpTest, icmpCheck } from './icmp.ts';
import type { FailReason } from './sample.ts';
import { type TcpTest, tcpCheck } from './tcp.ts';

/** What one address is asked, by kind. */
export type CheckTest = HttpTest | TcpTest | IcmpTest | CommandTest | DnsTest;

type TestOf<Kind> = Extract<CheckTest, { readonly kind: Kind }>;

/**
 * Every kind of check. A new one is a file here (its `Check`, its test in the union above, its reasons in `sample.ts`),
 * a schema in `src/config/checks/`, what that schema becomes in `pools/probe-plan.ts`, and a part of
 * `docs/checks.md`.
 */
const CHECKS: { readonly [Kind in keyof typeof CHECK_SCHEMAS]: Check<TestOf<Kind>, FailReason> } = {
  http: httpCheck,
  tcp: tcpCheck,
  icmp: icmpCheck,
  command: commandCheck,
  dns: dnsCheck,
};

/** One try of a check, whatever its kind. */
export function probeOnce(
  target: Target<CheckTest>,
  deadline: number,
  tools: ProbeTools,
): Promise<Attempt<FailReason>> {
  // A test's kind leads to the check that takes it; the types cannot follow.
  const check = CHECKS[target.test.kind] as Check<CheckTest, FailReason>;
  return check.probe(target, deadline, tools);
}
