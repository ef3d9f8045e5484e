import { wireNameLength } from '../../dns/name.ts';
import { type RdataName, rdataNames } from '../../dns/rdata-names.ts';
import type { Columns } from '../records/columns.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { NameTree } from './names.ts';

/** The tree's numbers of those names in rdata that an answer compresses or whose addresses it adds. */
export class RdataNameTable {
  private numbers: Int32Array;
  private used = 0;
  /** By record: where its names begin; one more at the end. */
  private readonly starts: Uint32Array;

  /** Interns them all, record by record. */
  constructor(columns: Columns, store: RecordStore, tree: NameTree) {
    this.starts = columns.uint32(store.size + 1);
    this.numbers = columns.int32(store.size + 1);
    for (let record = 0; record < store.size; record++) {
      this.starts[record] = this.used;
      const fields = rdataNames(store.typeOf(record));
      if (fields.length > 0) this.addNames(store, tree, record, fields);
    }
    this.starts[store.size] = this.used;
  }

  /** The `i`-th such name of a record. */
  of(record: number, i: number): number {
    return this.numbers[this.starts[record] + i];
  }

  private addNames(store: RecordStore, tree: NameTree, record: number, fields: readonly RdataName[]): void {
    let at = store.rdataStart(record);
    for (const { skip, compress, additional } of fields) {
      at += skip;
      if (compress || additional) this.add(tree.intern(store.rdata, at));
      at += wireNameLength(store.rdata, at);
    }
  }

  private add(number: number): void {
    if (this.used === this.numbers.length) {
      const wider = new Int32Array(2 * this.used);
      wider.set(this.numbers);
      this.numbers = wider;
    }
    this.numbers[this.used++] = number;
  }
}
