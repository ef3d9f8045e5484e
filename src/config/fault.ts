import type { Fault } from '../system/fault.ts';

export type ConfigCode =
  | 'yaml-syntax'
  | 'toml-syntax'
  | 'unknown-key'
  | 'duplicate-key'
  | 'missing-key'
  | 'wrong-type'
  | 'out-of-range'
  | 'bad-value'
  | 'unknown-reference' // names something that is defined nowhere
  | 'ignored' // has no effect as it stands
  | 'unreadable-file'
  | 'forbidden' // by the system, as it is set up now
  | 'unsettled-file' // is still being written, or looks cut off
  | 'key-file-syntax'
  | 'open-secret' // everybody on the machine can read it
  | 'edge-name'
  | 'duplicate-edge'
  | 'no-edges'
  | 'canary-zone'
  | 'canary-address'
  | 'canary-is-edge'
  | 'families';

export type ConfigFault = Fault<ConfigCode>;

/** A fault that concerns a whole file: it is absent, forbidden or empty. Line 1, column 1, no source line to show. */
export function fileFault(
  severity: ConfigFault['severity'],
  code: ConfigCode,
  file: string,
  message: string,
): ConfigFault {
  return { severity, code, at: { file, line: 1, col: 1, text: '' }, message };
}
