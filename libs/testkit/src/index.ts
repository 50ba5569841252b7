export { eventually, type EventuallyOptions } from './eventually.ts';
export { testEngines, type TestEngines, type TestEnginesOptions } from './test-engines.ts';
