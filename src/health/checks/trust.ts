import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { certificateFault } from '../../system/pem.ts';
import { FILE_MAX, readFileNow } from '../../system/read-file.ts';

/** The system's store of certificate authorities, where distributions keep it; the first that can be read counts. */
const SYSTEM_STORES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Alpine, Arch
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // SUSE
  '/etc/ssl/cert.pem', // OpenBSD's LibreSSL, also on Alpine
];

/** Contexts kept for a network's own authorities; each holds the whole of its store. */
const KEPT_MAX = 8;

/**
 * Makes the function that gives the context to verify certificates with. `null` stands for the usual authorities: those
 * that Node.js brings (Mozilla's) and those of the system's store, where an operator adds private ones
 * (`update-ca-certificates`). Making a context reads every certificate, so each is made once.
 */
export function makeTrust(stores: readonly string[] = SYSTEM_STORES): (ca: string | null) => SecureContext {
  const kept = new Map<string | null, SecureContext>();
  return (ca) => {
    const have = kept.get(ca);
    if (have !== undefined) return have;
    const context = ca === null ? usual(stores) : createSecureContext({ ca });
    for (const oldest of kept.keys()) {
      if (kept.size < KEPT_MAX) break;
      kept.delete(oldest);
    }
    kept.set(ca, context);
    return context;
  };
}

function usual(stores: readonly string[]): SecureContext {
  for (const store of stores) {
    const read = readFileNow(store, FILE_MAX.config);
    if (!read.ok) continue; // another system's
    const pem = read.octets.toString('latin1');
    // OpenSSL passes over what it cannot read, and says nothing.
    if (certificateFault(pem) === null) return createSecureContext({ ca: [...rootCertificates, pem] });
  }
  return createSecureContext();
}
