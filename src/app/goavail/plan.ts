import { edgemanageYaml } from '../../config/goavail-convert.ts';
import type { Goavail } from '../../config/goavail-file.ts';
import { parseConfig } from '../../config/load.ts';
import type { ProbePlan } from '../../health/checks/protocol.ts';
import { probePlan } from '../../health/pools/probe-plan.ts';
import { type Fault, hasErrors, plainFault } from '../../system/fault.ts';

const NETWORK = 'goavail';

export type GoavailPlan =
  | { readonly ok: true; readonly plan: ProbePlan }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** What each address is asked: exactly what the configuration that `edgewise convert` prints would ask it. */
export function goavailPlan(goavail: Goavail): GoavailPlan {
  const { config, faults } = parseConfig(goavail.file, edgemanageYaml(goavail, NETWORK), () => ({
    ok: false,
    code: 'ENOENT',
    message: 'no such file',
  }));
  if (config === null) {
    // Their places are in a text that nobody has seen.
    const errors = faults.filter((fault) => hasErrors([fault]));
    const cannot = `${goavail.file}: this version cannot check so`;
    return { ok: false, faults: errors.map(({ code, message }) => plainFault(code, `${cannot}: ${message}`)) };
  }
  const plan = probePlan(config, NETWORK, { objects: new Map(), authorities: new Map() });
  if (goavail.use.type === 'tcp') return { ok: true, plan };
  // An echo without reply when the next is due has failed.
  const timeout = Math.min(plan.timeout, goavail.intervalSeconds);
  return { ok: true, plan: { ...plan, timeout, checks: plan.checks.map((check) => ({ ...check, timeout })) } };
}
