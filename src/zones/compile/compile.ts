import { Columns } from '../records/columns.ts';
import type { RecordStore } from '../records/record-store.ts';
import { NameTree } from './names.ts';
import type { ImageInput } from './plan.ts';
import { RdataNameTable } from './rdata-names.ts';
import { groupRecords } from './records.ts';
import { writeImage } from './write.ts';

/** For one zone at a time: compiling never waits. */
const columns = new Columns();

const A = 1;
const AAAA = 28;
const SOA = 6;

/**
 * Compiles a zone's records into an image (image/layout.ts). Cuts, wildcards, empty non-terminals, additional data and
 * glue are settled here, so that an answer only copies. Linear in the records but for sorting within one owner.
 */
export function compileZone(input: ImageInput): SharedArrayBuffer {
  const { store } = input;
  columns.begin();
  const tree = new NameTree(columns, store.names.size);
  const origin = tree.intern(input.origin, 0);
  const owners = internOwners(store, tree);
  const rdataNames = new RdataNameTable(columns, store, tree);
  const nodes = markNodes(input, tree, origin, owners);
  let soaSeen = false;
  const grouped = groupRecords(columns, store, tree, owners, (record, owner) => {
    if (nodes[owner] === 0) return false;
    const type = store.typeOf(record);
    if (nodes[owner] === 2 && (type === A || type === AAAA)) return false;
    if (type !== SOA) return true;
    // One SOA, at the apex (RFC 1035 §5.2); the checks report others.
    if (owner !== origin || soaSeen) return false;
    soaSeen = true;
    return true;
  });
  return writeImage(columns, { input, tree, origin, grouped, rdataNames, nodes });
}

/** Interns all owners. Returns their numbers by number of the name in the store, -1 for other names. */
function internOwners(store: RecordStore, tree: NameTree): Int32Array {
  const owners = columns.int32(store.names.size).fill(-1);
  for (let record = 0; record < store.size; record++) {
    const name = store.ownerOf(record);
    if (owners[name] < 0) owners[name] = tree.intern(store.names.octets, store.names.offsetOf(name));
  }
  return owners;
}

function markNodes({ store, live }: ImageInput, tree: NameTree, origin: number, owners: Int32Array): Uint8Array {
  const liveNames = (live?.names ?? []).map((name) => tree.intern(name, 0));
  const within = columns.uint8(tree.size);
  within[origin] = 1;
  // Parents have smaller numbers, so one pass in ascending order finds what lies in the zone.
  for (let id = origin + 1; id < tree.size; id++) within[id] = within[tree.parent[id]];
  const nodes = columns.uint8(tree.size);
  nodes[origin] = 1;
  const mark = (name: number) => {
    for (let id = name; within[id] === 1 && nodes[id] === 0; id = tree.parent[id]) nodes[id] = 1;
  };
  for (let record = 0; record < store.size; record++) mark(owners[store.ownerOf(record)]);
  for (const name of liveNames) {
    mark(name);
    if (within[name] === 1) nodes[name] = 2;
  }
  return nodes;
}
