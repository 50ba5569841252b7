export { DEFAULT_DATA_DIR, RUNNING_FILE, connect, environmentOf, withBus } from './connection.ts';
export { EXAMPLE_BASE_MODEL, EXAMPLE_PROJECT, PROJECT_ROOT, SERVICES, pythonFile, type ServiceName } from './stack/programs.ts';
export { failureLine, recordFailure } from './failure.ts';
export { Stack, type NodeOptions, type ServiceEnvironment, type StackOptions } from './stack/stack.ts';
export { endAsked } from './commands/up.ts';
export { nodesTable } from './commands/nodes.ts';
export { rolloutText } from './commands/rollout.ts';
export { usageErrorLine } from './output.ts';
export { wholeNumber } from './commands/shared.ts';
