import { Columns } from '../records/columns.ts';
import type { RecordStore } from '../records/record-store.ts';
import { checkApex, checkOccluded, checkSpf, type ZoneKind } from './apex.ts';
import { checkDnssec, checkSigned } from './dnssec.ts';
import { type CheckFault, CheckReport, type LineText } from './fault.ts';
import { OUTSIDE, ZoneIndex } from './index-zone.ts';
import { checkLive } from './live.ts';
import { checkNames } from './names.ts';
import type { Changes } from './normalize.ts';
import { checkRecordSizes, checkRrsets } from './rrsets.ts';
import { checkTargets } from './targets.ts';

/** For one zone at a time: checking never waits. */
const columns = new Columns();

export type CheckRequest = {
  readonly origin: Uint8Array;
  readonly store: RecordStore;
  readonly kind: ZoneKind;
  /** Names (wire, in the zone) that the live set answers. */
  readonly live: readonly Uint8Array[];
  readonly lineText: LineText;
};

/** `changes` are valid until the next zone is checked. */
export type CheckedZone = { readonly changes: Changes; readonly faults: readonly CheckFault[] };

/**
 * Every check on a read zone, in the order an operator would mend them. Rated as `named-checkzone -i local` does. The
 * records stay as they are: what is to be changed about them is in `changes`.
 */
export function checkZone({ origin, store, kind, live, lineText }: CheckRequest): CheckedZone {
  const report = new CheckReport(store, lineText);
  columns.begin();
  const omitted = columns.uint8(store.size);
  const ttls: number[] = [];
  const index = new ZoneIndex(columns, store, origin, live, omitted);
  checkOutside(index, omitted, report);
  checkApex(index, kind, report);
  checkRecordSizes(index, report);
  checkRrsets(index, kind, ttls, report);
  checkLive(index, omitted, report);
  checkNames(index, report);
  checkOccluded(index, report);
  checkTargets(index, report);
  checkSpf(index, report);
  checkDnssec(index, report);
  checkSigned(index, report);
  return { changes: { omitted, ttls }, faults: report.finish() };
}

function checkOutside(index: ZoneIndex, omitted: Uint8Array, report: CheckReport): void {
  for (let record = 0; record < omitted.length; record++) {
    if (index.depth[index.store.ownerOf(record)] !== OUTSIDE) continue;
    omitted[record] = 1;
    report.add('warning', 'out-of-zone', record, () => `${report.owner(record)} is not in this zone: left out`);
  }
}
