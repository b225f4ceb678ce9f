const drivers = '^(pg|neo4j-driver|chromadb|nano|undici|http-proxy-agent|https-proxy-agent|socks-proxy-agent)$';
const driverFiles = '(^|/)node_modules/(pg|neo4j-driver|chromadb|nano|undici|https?-proxy-agent|socks-proxy-agent)/';

/** The rules of the house (ARCHITECTURE.md); `npm run check` runs them. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'neighbours-through-ports',
      comment: 'A module reaches another only through its port, its dto or its module file.',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/', pathNot: ['^src/modules/$1/', '\\.(port|dto|module)\\.ts$'] },
    },
    {
      name: 'drivers-behind-adapters',
      comment: 'What talks to the outside lives under src/adapters.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/|\\.spec\\.ts$' },
      to: { path: [drivers, driverFiles, '^(node:)?child_process$'] },
    },
    {
      name: 'adapters-picked-in-one-place',
      comment: 'Only the composition knows which adapter stands behind a port.',
      severity: 'error',
      from: {
        path: '^(src/|ormconfig)',
        pathNot: [
          '^src/adapters/',
          '^src/(app\\.module|application|http-application|main|cli)\\.ts$',
          '^ormconfig\\.ts$',
          '\\.spec\\.ts$',
        ],
      },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'kernel-knows-no-module',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/(modules|adapters|config)/' },
    },
    {
      name: 'config-stands-alone',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/(modules|adapters)/' },
    },
    {
      name: 'code-without-tests',
      comment: 'The application imports nothing that only tests need.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|bench)/|\\.spec\\.ts$' },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
