/** Addresses in the order of the edges' names, canary last. Each `v4` entry holds 4 octets, each `v6` entry 16. */
export type LiveAddresses = { readonly v4: readonly Uint8Array[]; readonly v6: readonly Uint8Array[] };

/**
 * One version of a slot, copied out. `serial` 0: no edge was ever live, so live names answer SERVFAIL. `unanswered`:
 * the one family that is answered with SERVFAIL, because its edges have addresses and none has ever worked; its list is
 * empty.
 */
export type LiveVersion = LiveAddresses & { readonly serial: number; readonly unanswered?: 'v4' | 'v6' };
