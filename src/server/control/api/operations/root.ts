import { type AnyOperation, operation } from '../../http/operation.ts';

/** What `/` answers to others than browsers. */
export const INDEX = `Edgewise

/                                      the status page, in a browser
/networks/NET/edges/EDGE               a page about one edge: why it is live or not, its samples, its past
/networks/NET/replay                   a page that tries other settings on recorded rounds
/login                                 where those who may change things sign in
/livez                                 200 while the process works: for whoever would start it again
/readyz                                200 while DNS queries are answered: for whoever sends them here
/healthz                               200 when all is well, 503 with the reasons when not: for whoever is on duty
/metrics                               for Prometheus; ?exclude[]=zones leaves out what has a sample for each zone
/api/v1/status                         this server in a few lines
/api/v1/networks                       the networks and what is live in them
/api/v1/networks/NET                   one network: edges, judgements and the reasons for them, canaries, changes
/api/v1/networks/NET/edges/EDGE        one edge: samples by phase, mode, what would change its state
/api/v1/networks/NET/edges/EDGE/mode   its mode, with the ETag that a change needs
/api/v1/networks/NET/changes           changes of the live set with their reasons
/api/v1/networks/NET/replay            recorded rounds decided again under other settings
/api/v1/zones                          the zones, their serials and faults
/api/v1/zones/ZONE                     one zone
/api/v1/vantage                        several vantage points: who decides, which views count, who says what of suspect edges
/api/v1/secondaries                    serials of the secondaries
/api/v1/publish                        sets that are kept at other people's DNS
/api/v1/openapi.json                   all of this and what may be changed, as OpenAPI 3.1
/api/dnet/list                         names of the networks, for clients of deflect-api
/api/edge/list                         edges of ?dnet=NET, for the same
`;

export const ROOT: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/index.txt',
    summary: 'What there is',
    tag: null,
    access: 'open',
    answers: { 200: { description: 'The paths', type: 'text/plain' } },
    handle: () => ({ status: 200, type: 'text/plain; charset=utf-8', body: INDEX }),
  }),
];
