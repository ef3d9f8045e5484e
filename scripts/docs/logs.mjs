/** docs/logs.md: every event of the log and every field, from the catalogue. */
export async function documents() {
  const { logReference } = await import('../../dist/system/log-reference.js');
  return [{ file: 'docs/logs.md', make: logReference }];
}
