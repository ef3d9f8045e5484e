import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What another reader made of a master file. `records`: as `recordKeys` gives them; null where the peer prints none. */
export type PeerResult = { readonly ok: boolean; readonly output: string; readonly records: readonly string[] | null };

function run(command: string, args: readonly string[], cwd: string): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { cwd, encoding: 'latin1', maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      // A peer may die of a line (kzonecheck does, of some); only one that cannot be started is a mistake here.
      if (error !== null && typeof error.code === 'string') reject(error);
      else resolve({ ok: error === null, output: stdout + stderr });
    });
  });
}

/** Checks of named-checkzone that are about a whole zone, or about habits, not about reading. */
const READ_ONLY = ['-i', 'none', ...['-k', '-n', '-m', '-M', '-S', '-r'].flatMap((check) => [check, 'ignore'])];

/** Reads a master file with BIND's named-compilezone. `cwd` is where `$INCLUDE` starts from, `folder` takes the files. */
export async function compileWithBind(text: string, folder: string, cwd = folder): Promise<PeerResult> {
  const zone = join(folder, 'bind.zone');
  const raw = join(folder, 'bind.raw');
  writeFileSync(zone, text, 'latin1');
  rmSync(raw, { force: true });
  const { ok, output } = await run('named-compilezone', [...READ_ONLY, '-F', 'raw', '-o', raw, 'example.', zone], cwd);
  return { ok, output, records: ok ? rawRecords(readFileSync(raw)) : null };
}

const RAW_HEADER = 24;
const SET_HEADER = 20;

/**
 * The records of a zone in BIND's raw form: after a header, one RRset after another, each with its length, class, type,
 * covered type, TTL, number of records, owner (length, name) and the records' rdata (length, octets).
 */
function rawRecords(raw: Buffer): string[] {
  const keys: string[] = [];
  for (let at = RAW_HEADER; at < raw.length; at += raw.readUInt32BE(at)) {
    const [type, ttl, count] = [raw.readUInt16BE(at + 6), raw.readUInt32BE(at + 10), raw.readUInt32BE(at + 14)];
    const ownerEnd = at + SET_HEADER + raw.readUInt16BE(at + 18);
    const owner = raw.toString('hex', at + SET_HEADER, ownerEnd);
    for (let i = 0, record = ownerEnd; i < count; i++) {
      const end = record + 2 + raw.readUInt16BE(record);
      keys.push(`${owner} ${ttl} ${type} ${raw.toString('hex', record + 2, end)}`);
      record = end;
    }
  }
  return keys.sort();
}

/** Reads a master file with Knot's kzonecheck, which only says yes or no. */
export async function checkWithKnot(text: string, folder: string): Promise<PeerResult> {
  const zone = join(folder, 'knot.zone');
  writeFileSync(zone, text, 'latin1');
  return { ...(await run('kzonecheck', ['-o', 'example.', zone], folder)), records: null };
}
