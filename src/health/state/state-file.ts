/**
 * The state file in edgemanage's form (specification section 3): one JSON object on one line. What only Edgewise needs
 * is under the one key `edgewise`, where edgemanage keeps it; keys that are unknown here are kept as well.
 */

import {
  isObject,
  isTextList,
  type JsonObject,
  numberFrom,
  numberMap,
  numbersFrom,
  otherKeys,
  parseObject,
  textMap,
  unknownForm,
  withoutNulls,
} from '../../system/json-object.ts';
import type { ActiveCanary } from '../choose/memory.ts';
import type { NetworkState } from './network-state.ts';
import { ownFrom, ownValue } from './state-file-own.ts';

/** `rotation_list` keeps this many, oldest dropped. */
export const STATE_ROTATIONS_MAX = 100;

export type ParsedState =
  | { readonly ok: true; readonly state: NetworkState }
  | { readonly ok: false; readonly problem: string };

/** Reads a state file's text. Missing keys take their defaults; so does all of an empty file. */
export function parseState(text: string): ParsedState {
  const object = parseObject(text);
  return object.ok ? stateFrom(object.value) : object;
}

const KNOWN: readonly string[] = [
  'rotation_list',
  'last_run',
  'last_live',
  'verification_failures',
  'verification_failues',
  'zone_mtimes',
  'active_canaries',
  'edgewise',
];

function stateFrom(value: JsonObject): ParsedState {
  const given = withoutNulls(value);
  const { rotation_list = [], last_live = [], verification_failures = [] } = given;
  const { zone_mtimes = {}, active_canaries = {}, edgewise = {}, last_run } = given;
  if (!Array.isArray(rotation_list)) return unknownForm('rotation_list');
  if (!isTextList(last_live)) return unknownForm('last_live');
  if (!isTextList(verification_failures)) return unknownForm('verification_failures');
  if (!isObject(zone_mtimes)) return unknownForm('zone_mtimes');
  if (!isObject(active_canaries)) return unknownForm('active_canaries');
  if (!isObject(edgewise)) return unknownForm('edgewise');
  const names = [...new Set(last_live)].sort();
  const { memory, victims, ...own } = ownFrom(edgewise, names);
  const state: NetworkState = {
    memory: {
      lastLive: names,
      rotations: numbersFrom(rotation_list).slice(-STATE_ROTATIONS_MAX),
      activeCanaries: canariesFrom(active_canaries, victims),
      ...memory,
    },
    lastRun: numberFrom(last_run),
    verificationFailures: verification_failures,
    zoneMtimes: numberMap(zone_mtimes),
    ...own,
    extra: otherKeys(value, KNOWN),
  };
  return { ok: true, state };
}

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

function canariesFrom(entries: JsonObject, victims: ReadonlyMap<string, string>): readonly ActiveCanary[] {
  return [...textMap(entries)].map(([zone, address]) => ({ zone, address, victim: victims.get(zone) ?? null }));
}
