import type { StatusView } from '../views/views.ts';
import { counter, type Family, gauge } from './metric-family.ts';

/** Messages to people, by target. */
export function addNoticeMetrics(families: Family[], view: StatusView): void {
  counter(families, {
    name: 'notices_sent_total',
    help: 'Messages that the target took',
    labels: ['target'],
    series: { product: ['notice targets'] },
    collect: (put) => {
      for (const [target, { sent }] of view.notices()) put({ target }, sent);
    },
  });
  counter(families, {
    name: 'notices_failed_total',
    help: 'Attempts to send the target a message that failed; each is made again',
    labels: ['target'],
    series: { product: ['notice targets'] },
    collect: (put) => {
      for (const [target, { failed }] of view.notices()) put({ target }, failed);
    },
  });
  gauge(families, {
    name: 'notices_pending',
    help: 'Events that wait to be sent to the target',
    labels: ['target'],
    series: { product: ['notice targets'] },
    collect: (put) => {
      for (const [target, { pending }] of view.notices()) put({ target }, pending);
    },
  });
}
