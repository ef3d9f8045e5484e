import { Columns } from '../records/columns.ts';
import { RecordStore } from '../records/record-store.ts';
import { checkApex, checkOccluded, checkSpf, type ZoneKind } from './apex.ts';
import { checkDnssec } from './dnssec.ts';
import { type CheckFault, CheckReport, type LineText } from './fault.ts';
import { OUTSIDE, ZoneIndex } from './index-zone.ts';
import { checkLive } from './live.ts';
import { checkNames } from './names.ts';
import { checkRrsets } from './rrsets.ts';
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

/** `store`: the request's own, TTLs made one per RRset, or a copy without the records that are left out. */
export type CheckedZone = { readonly store: RecordStore; readonly faults: readonly CheckFault[] };

/** Every check on a read zone, in the order an operator would mend them. Rated as `named-checkzone -i local` does. */
export function checkZone({ origin, store, kind, live, lineText }: CheckRequest): CheckedZone {
  const report = new CheckReport(store, lineText);
  columns.begin();
  const left = columns.uint8(store.size);
  const index = new ZoneIndex(columns, store, origin, live, left);
  checkOutside(index, left, report);
  checkApex(index, kind, report);
  checkRrsets(index, kind, report);
  checkLive(index, left, report);
  checkNames(index, report);
  checkOccluded(index, report);
  checkTargets(index, report);
  checkSpf(index, report);
  checkDnssec(index, report);
  return { store: left.includes(1) ? without(store, left) : store, faults: report.finish() };
}

function checkOutside(index: ZoneIndex, left: Uint8Array, report: CheckReport): void {
  for (let record = 0; record < left.length; record++) {
    if (index.depth[index.store.ownerOf(record)] !== OUTSIDE) continue;
    left[record] = 1;
    report.add('warning', 'out-of-zone', record, () => `${report.owner(record)} is not in this zone: left out`);
  }
}

function without(store: RecordStore, left: Uint8Array): RecordStore {
  const kept = new RecordStore();
  kept.files.push(...store.files);
  for (let record = 0; record < store.size; record++) {
    if (left[record] === 1) continue;
    kept.add(
      kept.names.intern(store.names.octets, store.names.offsetOf(store.ownerOf(record))),
      store.typeOf(record),
      store.ttlOf(record),
      store.rdata,
      store.rdataStart(record),
      store.rdataEnd(record),
      store.fileOf(record),
      store.lineOf(record),
    );
  }
  return kept;
}
