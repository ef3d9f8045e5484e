/**
 * The form of Alertmanager's webhook, version 4, as Prometheus documents it. What happened once is an alert that is
 * resolved as soon as it began, since nothing would ever close it.
 */
import type { Template } from '../../../config/notices/template.ts';
import type { AlertmanagerConfig } from '../../../config/section-notices.ts';
import { type Entry, type EventName, keyOf, type Message } from '../event.ts';
import { fingerprint, lineOf, type Origin, type Sender, timeText, titleOf } from '../text.ts';
import { HttpPost } from './http-post.ts';
import type { NoticeTarget } from './send.ts';

type Texts = Readonly<Record<string, string>>;
type Alert = {
  readonly status: 'firing' | 'resolved';
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
};
export type AlertmanagerBody = {
  readonly version: '4';
  readonly groupKey: string;
  readonly truncatedAlerts: number;
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Texts;
  readonly commonLabels: Texts;
  readonly commonAnnotations: Texts;
  readonly externalURL: string;
  readonly alerts: readonly Alert[];
};

/** Go's zero time: the end of what goes on. */
const NO_END = '0001-01-01T00:00:00Z';

export function alertmanagerBody(
  message: Message,
  template: Template,
  sender: Sender,
  externalUrl: string,
): AlertmanagerBody {
  const { host, target } = sender;
  const alerts = message.entries.map((entry) => alertOf(entry, template, sender, externalUrl));
  return {
    version: '4',
    groupKey: `{}:{instance=${JSON.stringify(host)}}`,
    truncatedAlerts: message.unlisted,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: target,
    groupLabels: { instance: host },
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: {
      ...common(alerts.map(({ annotations }) => annotations)),
      title: titleOf(message, template, sender),
    },
    externalURL: externalUrl,
    alerts,
  };
}

export function alertmanagerTarget(config: AlertmanagerConfig, origin: Origin): NoticeTarget {
  const { template, externalUrl } = config;
  const http = new HttpPost(config);
  const sender = { ...origin, target: config.name };
  const page = externalUrl ?? `http://${origin.host}/`;
  return {
    send: (message, signal) => http.post(JSON.stringify(alertmanagerBody(message, template, sender, page)), {}, signal),
    close: () => http.close(),
  };
}

function alertOf(entry: Entry, template: Template, { host, vantage }: Origin, externalUrl: string): Alert {
  const { event, status, summary, startsAt, endsAt } = entry;
  return {
    status: status === 'firing' ? 'firing' : 'resolved',
    labels: {
      alertname: alertName(event.name),
      severity: event.severity,
      instance: host,
      ...(vantage === null ? {} : { vantage }),
      ...event.labels,
    },
    annotations: { summary, description: lineOf(entry, template) },
    startsAt: timeText(startsAt),
    endsAt: status === 'firing' ? NO_END : timeText(endsAt ?? startsAt),
    generatorURL: externalUrl,
    fingerprint: fingerprint(host, keyOf(event)),
  };
}

/** `EdgewiseEdgeDown` */
function alertName(name: EventName): string {
  const words = name.split('_').map((word) => `${word[0].toUpperCase()}${word.slice(1)}`);
  return `Edgewise${words.join('')}`;
}

/** What all of them have. */
function common(all: readonly Texts[]): Texts {
  const [first = {}, ...others] = all;
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => others.every((one) => one[key] === value)));
}
