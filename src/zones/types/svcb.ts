import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import { TOKEN } from '../text/tokens.ts';
import type { Field } from './field.ts';
import { PARAMETERS, parameterName, readParameter, textOfParameter } from './svcb-parameter.ts';

const EQUALS = 0x3d;
const HEAD = 4; // key and length

/** What is wrong with the parameters taken together, which each is right for itself (RFC 9460 §7.1.1, §8). */
function listProblem(parameters: ReadonlyMap<number, Uint8Array>): Problem | null {
  const mandatory = parameters.get(PARAMETERS.mandatory) ?? new Uint8Array();
  for (let i = 0; i < mandatory.length; i += 2) {
    const key = mandatory[i] * 256 + mandatory[i + 1];
    if (key === PARAMETERS.mandatory || !parameters.has(key)) {
      return problem('bad-rdata', `"mandatory" names ${parameterName(key)}, which is not there (RFC 9460 §8)`);
    }
  }
  return parameters.has(PARAMETERS.noDefaultAlpn) && !parameters.has(PARAMETERS.alpn)
    ? problem('bad-rdata', 'no-default-alpn needs alpn beside it (RFC 9460 §7.1.1)')
    : null;
}

/** The parameters of SVCB and HTTPS, RFC 9460 §2.1: `key` or `key=value` in any order, on the wire sorted by key. */
export const svcParameters: Field = {
  read: (scan) => {
    const parameters = new Map<number, Uint8Array>();
    while (scan.more()) {
      const failure = readOne(scan, parameters);
      if (failure !== null) return failure;
    }
    const broken = listProblem(parameters);
    if (broken !== null) return broken;
    for (const key of [...parameters.keys()].sort((a, b) => a - b)) {
      const value = parameters.get(key) ?? new Uint8Array();
      const failure = scan.unsigned(key, 2) ?? scan.unsigned(value.length, 2) ?? scan.octets(value);
      if (failure !== null) return failure;
    }
    return null;
  },
  print: (print) => {
    const parameters = new Map<number, Uint8Array>();
    for (let last = -1; print.left > 0; ) {
      if (print.left < HEAD) return false;
      const key = print.take(2);
      const value = print.octets(print.take(2));
      const text = value === null || key <= last ? null : textOfParameter(key, value);
      if (value === null || text === null) return false;
      print.put(text === '' ? parameterName(key) : `${parameterName(key)}=${text}`);
      parameters.set(key, value);
      last = key;
    }
    return listProblem(parameters) === null;
  },
};

/** Reads the rest of the parameter whose word was just read: a quoted value may follow its `=` directly. */
function readOne(scan: RdataScan, parameters: Map<number, Uint8Array>): Problem | null {
  const { tokens } = scan;
  const { text, start, end } = tokens;
  const found = text.subarray(start, end).indexOf(EQUALS);
  const equals = found < 0 ? end : start + found;
  const name = Buffer.from(text.subarray(start, equals)).toString('latin1');
  let value = text.subarray(Math.min(equals + 1, end), end);
  if (equals === end - 1 && scan.moreText()) {
    if (tokens.kind === TOKEN.quoted && tokens.start === end + 1) value = text.subarray(tokens.start, tokens.end);
    else tokens.hold();
  }
  const parameter = readParameter(name, value);
  if ('code' in parameter) return parameter;
  if (parameters.has(parameter.key)) return problem('bad-rdata', `"${name}" is there twice`);
  parameters.set(parameter.key, parameter.octets);
  return null;
}
