/** @returns {import('jest').Config} */
const layer = (displayName, testMatch) => ({
  displayName,
  testMatch: testMatch.map((glob) => `<rootDir>/${glob}`),
  extensionsToTreatAsEsm: ['.ts'],
  // CommonJS packages that ES modules import may run before their neighbours: what they need of Reflect is there first.
  setupFiles: ['reflect-metadata'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2023',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
});

/** @type {import('jest').Config} */
export default {
  projects: [
    layer('unit', ['src/**/*.spec.ts', 'scripts/**/*.spec.ts', 'bench/**/*.spec.ts']),
    layer('contract', ['test/contract/**/*.spec.ts']),
    layer('medium', ['test/medium/**/*.spec.ts']),
    layer('e2e', ['test/e2e/**/*.spec.ts']),
    layer('peers', ['test/peers/**/*.spec.ts']),
  ],
  coverageDirectory: 'coverage',
  coverageReporters: ['html', 'text-summary'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
};
