/** docs/openapi.json: what `/api/v1/openapi.json` answers, a key a line. */
export async function documents() {
  const { openApi } = await import('../../dist/server/control/api/openapi.js');
  const { OPERATIONS } = await import('../../dist/server/control/operations.js');
  return [{ file: 'docs/openapi.json', make: () => `${JSON.stringify(openApi(OPERATIONS), null, 2)}\n` }];
}
