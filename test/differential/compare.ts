import { line, type Message, type Row } from '../support/dns-message.ts';

/** What two servers' answers are compared by. Order and case say nothing. */
export type Outcome = {
  readonly rcode: string;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  readonly opt: boolean;
  readonly dnssecOk: boolean;
};

export function outcomeOf(message: Message): Outcome {
  return {
    rcode: message.rcode,
    aa: message.aa,
    tc: message.tc,
    answer: lines(message.answer),
    authority: lines(message.authority),
    additional: lines(message.additional),
    opt: message.opt !== null,
    dnssecOk: message.opt !== null && (message.opt.flags & 0x8000) !== 0,
  };
}

function lines(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => line(row).toLowerCase()).sort();
}

export type Field = keyof Outcome;

/** The fields in which two outcomes differ. */
export function differences(ours: Outcome, theirs: Outcome): readonly Field[] {
  return (Object.keys(ours) as Field[]).filter(
    (field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]),
  );
}
