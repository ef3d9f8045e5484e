import { DEFAULT_TEMPLATE } from '../../../src/config/notices/template.ts';
import type { NoticeConfig } from '../../../src/config/section-notices.ts';
import type { Entry, Message, NoticeEvent } from '../../../src/publish/notices/event.ts';

export const START = Date.parse('2026-11-29T10:00:00Z') / 1000;

export function edgeDown(edge: string, why = 'it answers 500'): NoticeEvent {
  return {
    name: 'edge_down',
    severity: 'warning',
    labels: { network: 'mynet', edge },
    summary: `${edge} of mynet is down: ${why}`,
  };
}

export function firing(event: NoticeEvent, count = 1): Entry {
  return { event, status: 'firing', summary: event.summary, startsAt: START, endsAt: null, count };
}

export function resolved(event: NoticeEvent, summary = 'it passes again'): Entry {
  return { event, status: 'resolved', summary, startsAt: START, endsAt: START + 60, count: 0 };
}

export function once(summary: string): Entry {
  const event: NoticeEvent = { name: 'live_set_changed', severity: 'info', labels: { network: 'mynet' }, summary };
  return { event, status: 'once', summary, startsAt: START, endsAt: null, count: 1 };
}

export function message(entries: readonly Entry[], unlisted = 0): Message {
  return { id: '7', at: START + 61, entries, unlisted };
}

export const COMMON = {
  name: 'ops',
  events: null,
  networks: null,
  minSeverity: 'info',
  gather: 0,
  perMinute: 600,
  timeoutMs: 10_000,
  template: DEFAULT_TEMPLATE,
} as const satisfies Partial<NoticeConfig>;
