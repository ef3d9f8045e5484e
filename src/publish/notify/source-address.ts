import { createSocket } from 'node:dgram';
import { addressOctets } from '../../system/address.ts';
import { isWildcard } from '../../system/client-address.ts';
import { isMapped } from '../../system/prefix.ts';

type Scope = 'loopback' | 'link-local' | 'global';
type Parsed = {
  readonly text: string;
  readonly isV6: boolean;
  readonly scope: Scope;
  /** `eth0` of `fe80::1%eth0`; '' without one. */
  readonly link: string;
  /** The same for every spelling; '' for what is no address. */
  readonly key: string;
};

/** An IPv4 address that is written as IPv6 (`::ffff:a.b.c.d`) is one of IPv4. */
function parse(text: string): Parsed {
  const [bare, link = ''] = text.split('%');
  const given = addressOctets(bare) ?? new Uint8Array(0);
  const octets = isMapped(given) ? given.slice(12) : given;
  const key = Buffer.from(octets).toString('hex');
  if (octets.length === 4) return { text, isV6: false, scope: octets[0] === 127 ? 'loopback' : 'global', link, key };
  const isLoopback = octets.length === 16 && octets[15] === 1 && octets.every((octet, i) => i === 15 || octet === 0);
  const isLinkLocal = octets[0] === 0xfe && (octets[1] & 0xc0) === 0x80;
  return { text, isV6: true, scope: isLoopback ? 'loopback' : isLinkLocal ? 'link-local' : 'global', link, key };
}

/** An address as text without the spelling: IPv4 in IPv6 as IPv4, no scope. Equal for equal addresses; null: none. */
export function peerKey(address: string): string | null {
  return parse(address).key || null;
}

/** The address as the system wants it: IPv4 in IPv6 as IPv4, everything else as it is. */
export function plainAddress(address: string): string {
  const octets = addressOctets(address);
  return octets !== null && isMapped(octets) ? octets.slice(12).join('.') : address;
}

/**
 * The address that a NOTIFY to `to` should come from, one of `listen`, since secondaries know us by where we answer;
 * null: whatever the kernel takes. `route`: the address that the kernel would send from, null where it does not say.
 *
 * That one is taken where the server listens on it; a loopback address only to loopback, since the kernel refuses to
 * send from it elsewhere; a link-local one only on its own link.
 */
export function sourceAddress(to: string, listen: readonly string[], route: string | null): string | null {
  const target = parse(to);
  const family = listen.map(parse).filter(({ isV6 }) => isV6 === target.isV6);
  if (family.some(({ text }) => isWildcard(text))) return null; // it listens wherever the kernel sends from
  const routed = route === null ? undefined : family.find(({ key }) => key === parse(route).key);
  const first = (scope: Scope): Parsed | undefined =>
    family.find((own) => own.scope === scope && (scope !== 'link-local' || own.link === target.link));
  const found = routed ?? (target.scope === 'global' ? first('global') : (first(target.scope) ?? first('global')));
  return found?.text ?? null;
}

/** The address that the kernel would send from to `to`, without sending anything; null: it has no way there. */
export function kernelSource(to: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (address: () => string | null): void => {
      if (ended) return;
      ended = true;
      try {
        resolve(address());
      } catch {
        resolve(null); // the interface went down meanwhile
      } finally {
        socket.close();
      }
    };
    // Not `once`: a second error that finds no listener would be thrown.
    socket.on('error', () => end(() => null));
    socket.once('connect', () => end(() => socket.address().address));
    socket.connect(9, to); // any port: nothing is sent
  });
}
