import { dirname, join, resolve } from 'node:path';

/** A path of the configuration with `{dnet}` replaced by the network's name. */
export function forNetwork(path: string, network: string): string {
  return path.replaceAll('{dnet}', () => network);
}

/** Relative paths are relative to the configuration file's own folder, whatever the working directory is. */
export function besideConfig(configFile: string, path: string): string {
  return resolve(dirname(configFile), path);
}

/** The nearest folder above `path` that is the same for every network. */
export function commonFolder(path: string): string {
  let folder = dirname(path);
  while (folder.includes('{dnet}')) folder = dirname(folder);
  return folder;
}

/**
 * Whether a file name can be a network: no hidden files, no editors' leavings, nothing that leads out of the folder.
 */
export function isNetworkName(name: string): boolean {
  return name !== '' && !/^[.#]|[/\\]|~$|\.(?:bak|orig|rej|swp|tmp|rpmnew|rpmsave|dpkg-(?:old|new|dist))$/.test(name);
}

/** Where the histories of live sets, the journal of zones and the serials of catalogs are kept. */
export function journalFolder({ stateDir }: { readonly stateDir: string }): string {
  return join(stateDir, 'journal');
}
