import type { WireName } from '../dns/name.ts';

/** A zone and the serial of the version that queries see. `network`: whose live set it has; null: a static zone. */
export type ZoneVersion = {
  readonly origin: WireName;
  readonly network: string | null;
  readonly serial: number;
};

/** Zones whose serials rose together. */
export type ZoneVersions = readonly ZoneVersion[];
