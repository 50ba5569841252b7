/** Tests run on sources: no build, no aliases. Node 24 via `npm test`. */
export default {
  rootDir: '.',
  testMatch: [
    '<rootDir>/{libs,services}/*/src/**/*.spec.ts',
    '<rootDir>/edge-node/src/**/*.spec.ts',
    '<rootDir>/examples/*/src/**/*.spec.ts',
    '<rootDir>/test/{integration,fault,e2e}/**/*.spec.ts',
    '<rootDir>/scripts/**/*.spec.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: './jest.environment.mjs',
  testEnvironmentOptions: { customExportConditions: ['@edgeloop/source', 'node', 'node-addons'] },
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
      },
    ],
  },
  testTimeout: 60_000,
  maxWorkers: 2,
};
