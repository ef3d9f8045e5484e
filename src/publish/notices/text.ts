/** What a message says to people: a title and a line an event, as the target's template has them. Pure. */
import { createHash } from 'node:crypto';
import { SEVERITIES } from '../../config/notices/events.ts';
import { filled, type Template } from '../../config/notices/template.ts';
import { type Entry, LABELS, type Labels, type Message } from './event.ts';

/** Who sends. `host`: this machine's name; `vantage`: null for a server that decides alone. */
export type Origin = { readonly host: string; readonly vantage: string | null };
/** Who sends, and to which target. */
export type Sender = Origin & { readonly target: string };

/** Events of one kind and network that a text lists; the rest of them share a line. */
const LISTED_MAX = 20;

/** `2026-11-22T02:33:00.000Z` */
export function timeText(at: number): string {
  return new Date(Math.round(at * 1000)).toISOString();
}

/** 16 hexadecimal digits: equal for the beginning and the end of a condition, and different on another machine. */
export function fingerprint(host: string, key: string): string {
  return createHash('sha256').update(`${host}\n${key}`).digest('hex').slice(0, 16);
}

export function titleOf(message: Message, template: Template, { host, vantage, target }: Sender): string {
  const { entries } = message;
  const counted = (status: Entry['status']): number => entries.filter((entry) => entry.status === status).length;
  const [firing, resolved] = [counted('firing'), counted('resolved')];
  const parts = [
    firing === 0 ? '' : `${firing} began`,
    resolved === 0 ? '' : `${resolved} ended`,
    firing + resolved === entries.length ? '' : `${entries.length - firing - resolved} happened`,
  ].filter((part) => part !== '');
  const summary = entries.length === 1 ? entries[0].summary : `${entries.length} events (${parts.join(', ')})`;
  return filled(template.title, {
    host,
    vantage: vantage ?? '',
    as_vantage: asVantage(vantage),
    target,
    summary,
    events: String(entries.length),
    firing: String(firing),
    resolved: String(resolved),
  });
}

/** ` (vantage fra1)`; empty for a server that decides alone. */
export function asVantage(vantage: string | null): string {
  return vantage === null ? '' : ` (vantage ${vantage})`;
}

/** Lines in the order of urgency: what stands, worst first; what happened; what ended. */
export function linesOf({ entries, unlisted }: Message, template: Template): readonly string[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of [...entries].sort(byUrgency)) {
    const { event, status } = entry;
    const group = `${status} ${event.severity} ${event.name} ${event.labels.network ?? ''}`;
    const found = groups.get(group);
    if (found === undefined) groups.set(group, [entry]);
    else found.push(entry);
  }
  const lines = [...groups.values()].flatMap((group) => {
    const listed = group.slice(0, LISTED_MAX).map((entry) => lineOf(entry, template));
    if (group.length <= LISTED_MAX) return listed;
    const [{ event, status }] = group;
    const network = event.labels.network === undefined ? '' : ` of ${event.labels.network}`;
    return [...listed, `${statusWord(status)}: ${group.length - LISTED_MAX} more of the kind ${event.name}${network}`];
  });
  return unlisted === 0 ? lines : [...lines, `${unlisted} more events found no room and are not listed`];
}

export function lineOf({ event, status, summary, startsAt, endsAt, count }: Entry, { line }: Template): string {
  return filled(line, {
    status: statusWord(status),
    event: event.name,
    severity: event.severity,
    network: event.labels.network ?? '',
    subject: subjectOf(event.labels),
    summary,
    count: String(Math.max(1, count)),
    repeats: count > 1 ? ` (${count} times)` : '',
    since: timeText(startsAt),
    until: endsAt === null ? '' : timeText(endsAt),
  });
}

/** At most `max` UTF-16 units, no half characters; what is cut ends with an ellipsis. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, Math.max(0, max - 1));
  return `${/[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head}…`;
}

function statusWord(status: Entry['status']): string {
  return status === 'once' ? 'event' : status;
}

/** What it is about: the most special of the labels. */
function subjectOf(labels: Labels): string {
  return LABELS.map((label) => labels[label] ?? '').findLast((value) => value !== '') ?? '';
}

const ORDER: readonly Entry['status'][] = ['firing', 'once', 'resolved'];

function byUrgency(a: Entry, b: Entry): number {
  const rank = ({ status, event }: Entry): number =>
    ORDER.indexOf(status) * SEVERITIES.length - SEVERITIES.indexOf(event.severity);
  return rank(a) - rank(b);
}
