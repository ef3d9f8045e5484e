/**
 * Whether text can be a host's name for the system resolver: labels of letters, digits, hyphen and underscore, at most
 * 63 octets each and 253 together, and not all-numeric at the end (RFC 1123 §2.1: then it is meant as an address).
 * Underscores are not allowed in host names (RFC 952), but edges have them in theirs and every resolver takes them.
 */
export function isHostName(text: string): boolean {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  if (bare.length === 0 || bare.length > 253) return false;
  const labels = bare.split('.');
  if (/^\d+$/.test(labels[labels.length - 1])) return false;
  return labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}

/** Whether a name is the domain or below it. Both in lower case, without a final dot. */
export function isInDomain(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
