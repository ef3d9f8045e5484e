import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { SecondaryJson } from '../../src/server/control/api/json.ts';
import type { Primary } from './primary.ts';

const CHECK = join(import.meta.dirname, '..', '..', 'nagios', 'check_edgewise_secondaries');

/** What the API says of the first secondary and zone; undefined: of none. */
export async function firstRow(primary: Primary): Promise<SecondaryJson | undefined> {
  const { text } = await primary.server.get('/api/v1/secondaries');
  return (JSON.parse(text) as { secondaries: SecondaryJson[] }).secondaries[0];
}

/** Exit status and output of the Nagios check. */
export function nagiosCheck(primary: Primary, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CHECK, '-u', primary.server.http, ...args], (error, stdout) =>
      resolve(`${error === null ? 0 : error.code} ${stdout.trim()}`),
    );
  });
}
