/** What the letters of failures mean: the legend of the page. How they are made is `health/checks/fail-code.ts`. */

/** Every code, without what may follow its slash, in the order of layers. */
export const FAIL_CODES: { readonly [code: string]: string } = {
  NOADDR: 'the name has no address',
  L3TOUT: 'no reply to ping',
  L3LOSS: 'too many pings lost',
  L4CON: 'connection refused or host unreachable',
  L4TOUT: 'no connection in time',
  L4RST: 'connection reset',
  L6RSP: 'TLS handshake failed',
  L6TOUT: 'TLS handshake not in time',
  L6CERT: 'certificate not accepted',
  L7TOUT: 'no complete answer in time',
  L7RSP: 'not a valid answer',
  L7STS: 'wrong status or response code, which follows the slash',
  L7DATA: 'another content than expected',
  L7SIZE: 'answer too large',
  L7CUT: 'answer cut short',
  L7RDIR: 'redirects lead nowhere',
  PROCERR: 'program reports failure',
  PROCTOUT: 'program not done in time',
  SOCKERR: 'trouble on our own side',
};

/** What `L7STS/503` means. */
export function codeMeaning(code: string): string {
  return FAIL_CODES[code.split('/', 1)[0]] ?? 'failed';
}
