/** What notices say: an event, and what became of it by the time of a message. Plain values, kept as JSON. */
import { type ChosenEvent, SEVERITIES, type Severity } from '../../config/notices/events.ts';

export type { Severity } from '../../config/notices/events.ts';

/**
 * `delivery_in_doubt` and `test` concern one target and reach it whatever it has chosen: a message that was under way
 * when the process ended, and the sample of `edgewise notice test`.
 */
export type EventName = ChosenEvent | 'delivery_in_doubt' | 'test';

/** In the order in which keys and messages have them. */
export const LABELS = ['network', 'edge', 'zone', 'secondary', 'provider', 'days'] as const;
export type Labels = { readonly [label in (typeof LABELS)[number]]?: string };

/** Something that began, or that happened once. `summary`: one sentence without final stop. */
export type NoticeEvent = {
  readonly name: EventName;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly summary: string;
};

/** `once`: it has no end. */
export type Status = 'firing' | 'resolved' | 'once';

/**
 * One event of a message. `summary`: the event's, or of a resolved one the sentence that says how it ended. Times are
 * epoch seconds; `endsAt` null: it goes on, or has no end. `count`: how often it began since the message before.
 */
export type Entry = {
  readonly event: NoticeEvent;
  readonly status: Status;
  readonly summary: string;
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly count: number;
};

/** What a target is sent at once. `id`: unique for the target. `unlisted`: events that found no room in its queue. */
export type Message = {
  readonly id: string;
  readonly at: number;
  readonly entries: readonly Entry[];
  readonly unlisted: number;
};

/** What opens and resolves: equal for both. `edge_down{network="mynet",edge="edge1"}` */
export function keyOf({ name, labels }: Pick<NoticeEvent, 'name' | 'labels'>): string {
  const pairs = LABELS.flatMap((label) => {
    const value = labels[label];
    return value === undefined ? [] : [`${label}=${JSON.stringify(value)}`];
  });
  return `${name}{${pairs.join(',')}}`;
}

/** Whether `severity` is `least` or worse. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
}
