import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { Entry } from '../../../src/publish/notices/event.ts';
import { NOTHING_SAVED, type Saved } from '../../../src/publish/notices/gather.ts';
import { waitingNotices, waitingText } from '../../../src/publish/notices/waiting.ts';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'edgewise-waiting-'));
  mkdirSync(join(stateDir, 'notices', 'runs', 'net'), { recursive: true });
});
afterEach(() => rmSync(stateDir, { recursive: true }));

function down(network: string | undefined, startsAt: number): Entry {
  const labels = { ...(network === undefined ? {} : { network }), edge: `e${startsAt}` };
  const event = { name: 'edge_down', severity: 'warning', labels, summary: 'an edge fails' } as const;
  return { event, status: 'firing', summary: event.summary, startsAt, endsAt: null, count: 1 };
}

function put(file: string, saved: Partial<Saved>): void {
  writeFileSync(join(stateDir, 'notices', file), JSON.stringify({ version: 1, ...NOTHING_SAVED, ...saved }));
}

const waiting = () =>
  waitingNotices(
    { stateDir, notices: ['ops', 'quiet', 'broken', 'none'].map((name) => ({ name })) } as unknown as Config,
    'net',
  );

test('what waits for a network, in the queues of the server and of its runs', async () => {
  put('ops.json', { pending: [down('net', 30), down('other', 10)], sending: [down('net', 20), down(undefined, 5)] });
  put('runs/net/ops.json', { pending: [down('net', 40)] });
  put('quiet.json', { open: [{ event: down('net', 1).event, startsAt: 1 }] });
  writeFileSync(join(stateDir, 'notices', 'broken.json'), '{');
  put('quiet.json', { pending: [{ ...down('net', 1), status: 'resolved', endsAt: 50 }] });
  const [, quiet] = await waiting();
  expect(quiet).toEqual({ target: 'quiet', events: 1, since: 50 }); // its end waits, not its beginning
  put('quiet.json', {});
  const found = await waiting();
  expect(found).toEqual([{ target: 'ops', events: 3, since: 20 }]);
  expect(waitingText(found[0])).toBe(
    'notices: ops: 3 events wait to be sent, the oldest since 1970-01-01T00:00:20Z; /healthz and the log say why',
  );
  expect(waitingText({ ...found[0], events: 1 })).toContain(': 1 event waits to be sent');
});

test('what waits in the queues of servers that serve some networks only', async () => {
  mkdirSync(join(stateDir, 'notices', 'net+other'));
  mkdirSync(join(stateDir, 'notices', 'net'));
  mkdirSync(join(stateDir, 'notices', 'runs', 'other'));
  put('net+other/ops.json', { pending: [down('net', 30), down('other', 10)] });
  put('net/ops.json', { sending: [down('net', 40)] });
  put('runs/other/ops.json', { pending: [down('net', 1)] }); // a run of another network knows nothing of this one
  expect(await waiting()).toEqual([{ target: 'ops', events: 2, since: 30 }]);
});

test('nothing where nothing waits', async () => {
  expect(await waiting()).toEqual([]);
});
