/**
 * The state file in edgemanage's form (specification section 3): one JSON object on one line. What only Edgewise needs
 * is under the one key `edgewise`, where edgemanage keeps it; keys that are unknown here are kept as well.
 */

import { z } from 'zod';
import { otherKeys, parseObject } from '../../system/json-object.ts';
import { listOf, mapOf, NUMBER, objectOf, readParts, TEXT } from '../../system/json-parts.ts';
import type { NetworkState } from './network-state.ts';
import { memberOfName, OWN_STATE, ownValue } from './state-file-own.ts';

/** `rotation_list` keeps this many, oldest dropped. */
export const STATE_ROTATIONS_MAX = 100;

/** `dropped`: what of the file makes no sense and took its default, with its key. */
export type ParsedState =
  | { readonly ok: true; readonly state: NetworkState; readonly dropped: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** Reads a state file's text. Missing keys take their defaults; so does all of an empty file, and what makes no sense. */
export function parseState(text: string): ParsedState {
  const object = parseObject(text);
  if (!object.ok) return object;
  const parts = readParts(STATE, object.value);
  if (parts === null) return { ok: false, problem: 'nothing of it makes sense' };
  return { ok: true, state: { ...parts.value, extra: otherKeys(object.value, KNOWN) }, dropped: parts.dropped };
}

const STATE_FILE = objectOf({
  rotation_list: listOf(NUMBER).default([]),
  last_run: NUMBER.nullable().default(null),
  last_live: listOf(TEXT).optional(),
  verification_failures: listOf(TEXT).default([]),
  verification_failues: z.unknown().optional(), // misspelt and unused, as edgemanage writes it
  zone_mtimes: mapOf(NUMBER).default(new Map()),
  active_canaries: mapOf(TEXT).default(new Map()),
  edgewise: OWN_STATE,
});

const KNOWN: readonly string[] = Object.keys(STATE_FILE.shape);

const STATE = STATE_FILE.transform((file): Omit<NetworkState, 'extra'> => {
  const { memory, victims, live: published, ...own } = file.edgewise;
  // A file that edgemanage wrote has names only; those that are addresses can be served.
  const named = file.last_live === undefined ? null : [...new Set(file.last_live)].sort();
  const live = published ?? (named ?? []).flatMap(memberOfName);
  return {
    memory: {
      lastLive: named ?? live.map(({ edge }) => edge).sort(),
      rotations: file.rotation_list.slice(-STATE_ROTATIONS_MAX),
      activeCanaries: Array.from(file.active_canaries, ([zone, address]) => {
        return { zone, address, victim: victims.get(zone) ?? null };
      }),
      answered: new Map(live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }])),
      ...memory,
    },
    lastRun: file.last_run,
    verificationFailures: file.verification_failures,
    zoneMtimes: file.zone_mtimes,
    live,
    ...own,
  };
});

/** The file's text, keys in the original's order and ours at the end. */
export function printState(state: NetworkState): string {
  const { memory } = state;
  const value = {
    rotation_list: memory.rotations.slice(-STATE_ROTATIONS_MAX),
    last_run: state.lastRun,
    last_live: memory.lastLive,
    verification_failues: [], // misspelt and unused, but the original's readers expect it
    zone_mtimes: Object.fromEntries(state.zoneMtimes),
    active_canaries: Object.fromEntries(memory.activeCanaries.map(({ zone, address }) => [zone, address])),
    verification_failures: state.verificationFailures,
    ...Object.fromEntries(state.extra),
    edgewise: ownValue(state),
  };
  return `${JSON.stringify(value)}\n`;
}
