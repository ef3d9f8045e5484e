import type { Config } from '../config/types.ts';

/** What a running server cannot change on SIGHUP, as the keys the operator knows and the part of `Config` they make. */
const KEYS: readonly (readonly [key: string, of: (config: Config) => unknown])[] = [
  ['server.listen', ({ server }) => server.listen],
  ['server.tls_listen', ({ server }) => server.tlsListen],
  ['server.udp_workers', ({ server }) => server.udpWorkers],
  ['server.user', ({ server }) => server.user],
  ['http.listen', ({ http }) => http?.listen ?? null],
  ['http.hosts', ({ http }) => http?.hosts ?? []],
  ['http.tls', ({ http }) => (http?.tls ?? null) !== null],
  ['lockfile', ({ lockfile }) => lockfile],
  ['statefile', ({ statefile }) => statefile],
  ['state_dir', ({ stateDir }) => stateDir],
  ['healthdata_store', ({ healthdataStore }) => healthdataStore],
  ['logpath', ({ logpath }) => logpath],
  ['log_level', ({ logLevel }) => logLevel],
  ['named_dir', ({ namedDir }) => namedDir],
  ['vantage.engine', ({ vantage }) => vantage?.engine ?? null],
];

/** The keys that a running server goes on with as they were until it is started again. */
export const RESTART_KEYS: readonly string[] = KEYS.map(([key]) => key);

/**
 * The new settings as far as a running server takes them over: what needs a restart stays as it runs, so that no part
 * goes by another lock file or state folder than the others do. `restart`: the keys that differ, for the log.
 */
export function untilRestart(
  running: Config,
  wanted: Config,
): { readonly config: Config; readonly restart: readonly string[] } {
  const text = (value: unknown): string => JSON.stringify(value);
  const restart = KEYS.filter(([, of]) => text(of(running)) !== text(of(wanted))).map(([key]) => key);
  const { listen, tlsListen, udpWorkers, user } = running.server;
  const { lockfile, statefile, stateDir, healthdataStore, logpath, logLevel, namedDir } = running;
  const config: Config = {
    ...wanted,
    lockfile,
    statefile,
    stateDir,
    healthdataStore,
    logpath,
    logLevel,
    namedDir,
    server: { ...wanted.server, listen, tlsListen, udpWorkers, user },
    http: httpUntilRestart(running.http, wanted.http),
    // Whether zones take their serials from others is settled as they are loaded first.
    ...(wanted.vantage?.engine === running.vantage?.engine ? {} : { vantage: running.vantage }),
  };
  return { config, restart };
}

/** Addresses and names stay, and so does whether there is TLS; files and who may do what are taken over. */
function httpUntilRestart(running: Config['http'], wanted: Config['http']): Config['http'] {
  if (running === null || wanted === null) return running;
  const { listen, hosts } = running;
  const isSame = (running.tls === null) === (wanted.tls === null);
  return { ...wanted, listen, hosts, tls: isSame ? wanted.tls : running.tls };
}
