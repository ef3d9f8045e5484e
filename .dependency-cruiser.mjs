/**
 * The layers (docs/architecture.md): an import goes down or stays in its layer, types included. `npm run lint` and
 * test/layers.test.ts hold the whole tree against these rules.
 */

/** From the ground up; rooms of one layer do not know each other unless a rule below says so. */
const LAYERS = [
  ['system'],
  ['dns'],
  ['config'],
  ['health', 'zones'],
  ['live'],
  ['publish', 'vantage'],
  ['server'],
  ['app'],
  ['demo'],
  ['cli'],
];

const roomsAbove = (layer) => LAYERS.slice(layer + 1).flat();
const folder = (rooms) => `^src/(${rooms.join('|')})/`;

const layerRules = LAYERS.flatMap((rooms, layer) =>
  rooms
    .map((room) => ({
      name: `layer-${room}`,
      comment: `src/${room} imports nothing from above it or from beside it`,
      severity: 'error',
      from: { path: folder([room]) },
      to: { path: folder([...rooms.filter((other) => other !== room), ...roomsAbove(layer)]) },
    }))
    .filter(({ to }) => to.path !== '^src/()/'),
);

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'no-circles',
      comment: 'two files that need each other are one file, or one of them needs less',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-beside-the-rooms',
      comment: 'every file of src belongs to a room',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: {},
    },
    {
      name: 'decisions-are-pure',
      comment: 'judging and choosing are functions of what they are given: no clock, file, socket or thread',
      severity: 'error',
      from: { path: '^src/health/(judge|choose|agreement)/' },
      // Samples are what judging is about; serials are plain arithmetic; `net` tells the families of addresses apart.
      to: {
        pathNot: '^src/health/(judge|choose|agreement)/|^src/health/checks/sample\\.ts$|^src/dns/serial\\.ts$|^net$',
      },
    },
    {
      name: 'answers-know-no-sockets',
      comment: 'one responder for all transports: it knows neither sockets nor threads nor transfers',
      severity: 'error',
      from: { path: '^src/server/answer/' },
      to: { path: '^src/server/(?!answer/|stats\\.ts$)|^(net|dgram|tls|http|https|worker_threads|fs)$' },
    },
    {
      name: 'transport-knows-no-http',
      comment: 'control looks at the server from outside',
      severity: 'error',
      from: { path: '^src/server/(answer|transfer|transport)/' },
      to: { path: '^src/server/(control|secondaries)/' },
    },
    {
      name: 'not-to-tests',
      comment: 'what ships does not import what only a checkout has',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'only-declared-packages',
      comment: 'what ships imports packages that package.json lists as dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'resolvable',
      comment: 'every import leads to a file',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
