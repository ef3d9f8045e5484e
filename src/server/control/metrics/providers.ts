import { TARGET_STATES } from '../../../publish/providers/target-status.ts';
import type { StatusView } from '../views/views.ts';
import { inCode } from './description.ts';
import { counter, type Family, gauge } from './metric-family.ts';

/** Sets that are kept at other people's DNS, a target each (`publish:`). */
export function addProviderMetrics(families: Family[], view: StatusView): void {
  const labels = ['target', 'network'];
  gauge(families, {
    name: 'provider_state',
    help: '1 for the state that the target is in; right: every set is as it should be',
    labels: [...labels, 'state'],
    values: { state: inCode(TARGET_STATES) },
    series: { product: ['publish targets', TARGET_STATES.length] },
    collect: (put) => {
      for (const { name, network, state } of view.providers()) {
        for (const each of TARGET_STATES) put({ target: name, network, state: each }, each === state);
      }
    },
  });
  gauge(families, {
    name: 'provider_last_right_timestamp_seconds',
    help: 'When all sets of the target were last seen as they should be, seconds since 1970',
    labels,
    series: { product: ['publish targets'] },
    collect: (put) => {
      for (const { name, network, lastRight } of view.providers()) put({ target: name, network }, lastRight);
    },
  });
  counter(families, {
    name: 'provider_corrections_total',
    help: 'Sets that were created, changed or removed at the provider',
    labels,
    series: { product: ['publish targets'] },
    collect: (put) => {
      for (const { name, network, corrections } of view.providers()) put({ target: name, network }, corrections);
    },
  });
  counter(families, {
    name: 'provider_failures_total',
    help: 'Times that a target could not be brought up to date; each is tried again',
    labels,
    series: { product: ['publish targets'] },
    collect: (put) => {
      for (const { name, network, failures } of view.providers()) put({ target: name, network }, failures);
    },
  });
  counter(families, {
    name: 'provider_foreign_changes_total',
    help: 'Sets that somebody else had changed when they were read',
    labels,
    series: { product: ['publish targets'] },
    collect: (put) => {
      for (const { name, network, foreignChanges } of view.providers()) put({ target: name, network }, foreignChanges);
    },
  });
}
