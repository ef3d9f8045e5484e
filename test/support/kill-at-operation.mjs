/**
 * Loaded before a program (`node --import`): kills it with SIGKILL at its EDGEWISE_KILL_AT-th change of a file, opening for
 * writing, flushing, renaming and the like; of a write half is done first. So each place between two of them can be met,
 * which lie microseconds apart. EDGEWISE_COUNT_IN: the file that gets their number when the program ends by itself.
 * The log is left out: nobody relies on a line of it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { EDGEWISE_KILL_AT = '0', EDGEWISE_COUNT_IN } = process.env;
const killAt = Number(EDGEWISE_KILL_AT);
let operations = 0;

function isLast() {
  operations += 1;
  return operations === killAt;
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** `writes`: whether a call with these arguments changes anything. */
function watch(object, name, writes = () => true) {
  const original = object[name];
  object[name] = function watched(...args) {
    if (writes(...args) && isLast()) die();
    return original.apply(this, args);
  };
}

const opensToWrite = (_path, flags = 'r') => flags !== 'r';

if (isMainThread) {
  const { writeFileSync } = fs;
  for (const name of ['renameSync', 'unlinkSync', 'linkSync', 'mkdirSync', 'fsyncSync', 'chmodSync']) watch(fs, name);
  for (const name of ['rename', 'unlink', 'link', 'mkdir', 'appendFile']) watch(fs.promises, name);
  watch(fs, 'openSync', opensToWrite);
  watch(fs.promises, 'open', opensToWrite);
  const { writeSync } = fs;
  fs.writeSync = (fd, data, ...rest) => {
    if (isLast()) {
      writeSync(fd, data.subarray(0, data.length >> 1));
      die();
    }
    return writeSync(fd, data, ...rest);
  };

  const handle = await fs.promises.open(process.execPath);
  const methods = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ['sync', 'chmod', 'close']) watch(methods, name);
  const { writeFile } = methods;
  methods.writeFile = async function watchedWrite(data, ...rest) {
    if (!isLast()) return writeFile.call(this, data, ...rest);
    const octets = Buffer.from(data);
    await writeFile.call(this, octets.subarray(0, octets.length >> 1));
    return die();
  };
  syncBuiltinESMExports();
  process.once('exit', () => {
    if (EDGEWISE_COUNT_IN !== undefined) writeFileSync(EDGEWISE_COUNT_IN, String(operations));
  });
}
