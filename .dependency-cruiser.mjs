/** Imports run one way; the domain knows nothing but words. Checked by `npm run lint`. */
const PURE = '(^|/)domain/';
export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-is-pure',
      comment: 'decisions are functions of (state, input): no Node, no framework, no bus',
      severity: 'error',
      from: { path: PURE, pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'domain-keeps-to-itself',
      severity: 'error',
      from: { path: '(^|/)(services/[^/]+|edge-node)/src/domain/', pathNot: '\\.spec\\.ts$' },
      to: { path: '/(app|adapters|executors)/' },
    },
    {
      name: 'domain-knows-contracts-only',
      comment: 'the words of the bus are data; the bus, the store and the clock are inputs that others bring',
      severity: 'error',
      from: { path: PURE, pathNot: '\\.(spec|fixture)\\.ts$' },
      to: { path: '^libs/(?!contracts/)([^/]+)/', pathNot: '/domain/' },
    },
    {
      name: 'use-cases-know-ports',
      comment: 'what a use-case needs of the world it names in ports.ts; the wiring brings it',
      severity: 'error',
      from: { path: '(^|/)(services/[^/]+|edge-node)/src/app/', pathNot: '\\.spec(-kit)?\\.ts$' },
      to: { path: '/src/adapters/' },
    },
    {
      name: 'services-are-strangers',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    { name: 'no-nest-on-the-edge', severity: 'error', from: { path: '^edge-node/' }, to: { path: '@nestjs|libs/nest-bus' } },
    {
      name: 'contracts-stand-alone',
      severity: 'error',
      from: { path: '^libs/contracts/' },
      to: { path: '^(libs/(?!contracts)|services|edge-node|examples)' },
    },
    {
      name: 'testkit-only-in-tests',
      severity: 'error',
      from: { pathNot: '\\.spec(-kit)?\\.ts$|^test/|^libs/testkit/' },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'no-deep-imports',
      comment: 'some packages have a second, lighter entry in their exports',
      severity: 'error',
      from: { path: '^(libs|services|examples)/([^/]+)/' },
      to: {
        path: '^(libs|services)/[^/]+/(?:src|dist)/(?!index)',
        pathNot: [
          '^$1/$2/',
          '^libs/trust/src/node-user',
          '^libs/store/src/uploader',
          '^libs/bus/src/node\\.',
          '^libs/model-package/src/reader\\.',
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@edgeloop/source', 'import', 'node', 'default'] },
  },
};
