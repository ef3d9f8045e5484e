/** Whom a connection's address stands for: whoever has a /64 of IPv6 addresses is one client. */
export function clientPrefix(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head] = address.split('%');
  const [left, right = ''] = head.split('::');
  const groups = left.split(':').filter((group) => group !== '');
  const missing = 8 - groups.length - right.split(':').filter((group) => group !== '').length;
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0')].slice(0, 4).join(':');
}
