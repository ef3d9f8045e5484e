import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { nextSerial } from '../../../src/dns/serial.ts';
import { Locks } from '../../../src/system/lock.ts';
import { type LedgerOptions, ledgerLock, SerialLedger } from '../../../src/zones/store/serial-ledger.ts';
import { install, key } from './store-fixture.ts';

const NOW = 1_763_778_000;
const [A, B] = [key('a.test.'), key('b.test.')];
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-ledger-'));
  file = join(folder, 'edgewise-zones.json');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function open(options: Partial<LedgerOptions> = {}): Promise<SerialLedger> {
  return (await SerialLedger.open(file, { now: NOW, ...options })).ledger;
}

/** As another process would see it. */
async function saved(): Promise<readonly number[]> {
  const ledger = await open();
  return [ledger.serialOf(A), ledger.serialOf(B)];
}

describe('a file of serials that several processes have open', () => {
  test('keeps what each of them wrote', async () => {
    const [one, two] = [await open(), await open()];
    one.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW });
    await one.save(NOW);
    two.serialFor(B, 'two', 'h', { liveSerial: 0, now: NOW + 1 });
    await two.save(NOW);
    expect(await saved()).toEqual([NOW, NOW + 1]);
    expect([two.serialOf(A), one.serialOf(B)]).toEqual([NOW, 0]);
    one.serialFor(A, 'one', 'i', { liveSerial: 0, now: NOW + 5 });
    await one.save(NOW);
    expect(await saved()).toEqual([NOW + 5, NOW + 1]);
  });

  test('a zone that two gave a serial at once has a new one above both', async () => {
    const [one, two] = [await open(), await open()];
    one.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW + 9 });
    two.serialFor(A, 'two', 'i', { liveSerial: 0, now: NOW });
    await one.save(NOW);
    await two.save(NOW);
    expect(two.serialOf(A)).toBe(NOW + 10);
    expect((await saved())[0]).toBe(NOW + 10);
  });

  test('what a zone was given in another network is exceeded, even by a live set that is new', async () => {
    const ledger = await open();
    ledger.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW + 100 });
    const order = { liveSerial: NOW, now: NOW, isNewLive: true };
    expect(ledger.serialFor(A, 'two', 'h', order).serial).toBe(NOW + 101);
    expect(ledger.serialFor(B, 'two', 'h', order).serial).toBe(NOW);
  });

  test('a server whose zone another process has raised meanwhile serves it under a serial above that', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    const { ledger } = await SerialLedger.open(here.serialFile, { now: here.now });
    const raised = ledger.serialFor(A, 'other', 'h', { liveSerial: here.now + 500, now: here.now }).serial;
    await ledger.save(here.now);
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    await here.store.reload();
    expect(here.entry('a.test.').serial).toBe(nextSerial(raised, here.now));
    expect(readFileSync(here.serialFile, 'utf8')).toContain(`"serial":${here.entry('a.test.').serial}`);
  });

  test('waits for the lock; who cannot have it says so, and keeps what it has for the next time', async () => {
    const [mine, theirs] = [Locks.open(join(folder, 'lock')), Locks.open(join(folder, 'lock'))];
    const ledger = await open({ lock: ledgerLock(mine, file) });
    const other = ledgerLock(theirs, file);
    expect(other.tryLock()).toBe(true);
    ledger.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW });
    const saving = ledger.save(NOW);
    other.unlock();
    expect(await saving).toBe(true);
    expect(other.tryLock()).toBe(true);
    expect(await ledger.change(NOW, () => ledger.raise(A, NOW + 7))).toMatch(
      /^another process has had the file for 5 s/,
    );
    expect(await saved()).toEqual([NOW, 0]);
    other.unlock();
    expect(await ledger.change(NOW, () => undefined)).toBe(null);
    expect(await saved()).toEqual([NOW + 7, 0]);
    expect(other.tryLock()).toBe(true);
    mine.close();
    theirs.close();
  });

  test('spoilt while it is open, it is set aside and written anew with all that is known', async () => {
    const ledger = await open();
    ledger.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW });
    await ledger.save(NOW);
    writeFileSync(file, 'null');
    expect(await ledger.change(NOW, () => ledger.serialFor(B, 'one', 'h', { liveSerial: 0, now: NOW }))).toBe(null);
    expect(await saved()).toEqual([NOW, NOW]);
    expect(ledger.takeDamage()?.message).toContain(`${file}.bad-${NOW}`);
    expect(ledger.takeDamage()).toBe(null);
    expect(readdirSync(folder)).toContain(`edgewise-zones.json.bad-${NOW}`);
    rmSync(file);
    await ledger.change(NOW, () => ledger.raise(A, NOW + 3));
    expect(await saved()).toEqual([NOW + 3, NOW]);
  });

  test.each([
    ['null', null],
    ['a text for a serial', { hash: 'h', serial: '7' }],
    ['a serial that is none', { hash: 'h', serial: 2 ** 32 }],
    ['no hash', { serial: 7 }],
    ['a network that is no name', { network: 7, hash: 'h', serial: 7 }],
    ['a time that is none', { hash: 'h', serial: 7, gone_at: 'x' }],
  ])('one entry that is spoilt (%s) costs that one only, and is said', async (_, entry) => {
    const good = { network: 'one', hash: 'h', serial: NOW + 50 };
    writeFileSync(file, JSON.stringify({ version: 1, zones: { 'a.test.': good, 'b.test.': entry } }));
    const { ledger, fault } = await SerialLedger.open(file, { now: NOW });
    expect(fault?.message).toMatch(
      /the entry of "b\.test\." does not make sense .*kept as .*Serials of 1 zones are known/,
    );
    expect([ledger.serialOf(A), ledger.serialOf(B)]).toEqual([NOW + 50, 0]);
    expect(await ledger.save(NOW)).toBe(true);
    expect(await saved()).toEqual([NOW + 50, 0]);
  });

  test('a zone that is back with the content it had keeps its serial in a run', async () => {
    const ledger = await open();
    ledger.serialFor(A, 'one', 'h', { liveSerial: 0, now: NOW });
    ledger.gone(A, NOW);
    const order = { liveSerial: 0, now: NOW + 60, returns: true };
    expect(ledger.serialFor(A, 'one', 'h', order)).toEqual({ serial: NOW, isNew: false });
    await ledger.save(NOW);
    expect(readFileSync(file, 'utf8')).not.toContain('gone_at');
  });
});
