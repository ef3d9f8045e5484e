import type { CheckReport } from './fault.ts';
import { HAS, OUTSIDE, TYPE, type ZoneIndex } from './index-zone.ts';

/**
 * Edgewise's own rule: the names that the live set answers belong to it. Address records there are omitted with a
 * warning (`omitted` is set), since the live answer replaces them; an alias or a cut at or above such a name would hide
 * the live answer, and is an error.
 */
export function checkLive(index: ZoneIndex, omitted: Uint8Array, report: CheckReport): void {
  const { names, store } = index;
  for (let name = 0; name < index.has.length; name++) {
    if ((index.has[name] & HAS.live) === 0 || index.depth[name] === OUTSIDE) continue;
    const hidden = index.hiddenBy(names.octets, names.offsetOf(name), index.depth[name]);
    if (hidden >= 0) {
      const alias = index.first[hidden];
      report.add(
        'error',
        'live-alias',
        alias,
        () => `${report.owner(alias)} hides a name below it that the live edges answer`,
      );
    }
    for (let record = index.first[name]; record >= 0; record = index.next[record]) {
      const at = record;
      switch (store.typeOf(at)) {
        case TYPE.A:
        case TYPE.AAAA:
          omitted[at] = 1;
          report.add(
            'warning',
            'live-address',
            at,
            () => `${report.owner(at)} is answered with the live edges: this record is left out`,
          );
          break;
        case TYPE.CNAME:
          report.add(
            'error',
            'live-alias',
            at,
            () => `${report.owner(at)} is answered with the live edges and cannot be an alias`,
          );
          break;
        case TYPE.NS:
          if (name === index.apex) break;
          report.add(
            'error',
            'live-alias',
            at,
            () => `${report.owner(at)} is answered with the live edges and cannot be delegated`,
          );
          break;
        default:
          break;
      }
    }
  }
}
