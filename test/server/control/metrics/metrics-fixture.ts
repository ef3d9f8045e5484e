import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { network } from '../api/api-fixture.ts';

/** Faults and contained errors, with quotation marks and line ends in their words. */
export const TROUBLED: Partial<StatusView> = {
  networks: () => [{ ...network, name: '"q\\"\n' }],
  partFaults: () => [
    { part: 'publish', message: 'zone files: "a"\n: no space' },
    { part: 'publish', message: 'live list: no space' },
    { part: 'secondaries', message: 'NOTIFY of a.test. is refused' },
  ],
  contained: () => [
    { part: 'the main thread', count: 3, message: 'x', at: 0 },
    { part: 'network "q\\"\n', count: 1, message: 'y', at: 0 },
    { part: 'network that-is-gone', count: 2, message: 'y', at: 0 },
    { part: 'network gone-as-well', count: 3, message: 'y', at: 0 },
  ],
};

const odd = 'a"b\\c\nd';
const foreign = 'ä"\\\n';
/** Labels with quotation marks, backslashes and line ends, and a network that is called none. */
export const ODD_LABELS: Partial<StatusView> = {
  networks: () => [
    { ...network, name: odd },
    { ...network, name: foreign },
  ],
  statsNetworks: () => [null, 'none'],
};
