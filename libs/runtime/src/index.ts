export { BusConfig, InvalidConfigError, StoreConfig, StsConfig, readConfig, required } from './config.ts';
export { jsonVariable } from './json-variable.ts';
export { createLogger, type Logger } from './log.ts';
export { SHUTDOWN_BUDGET_MS, endFailedStart, runProgram, type Program } from './lifecycle.ts';
export { isoOf, systemClock, type Clock } from './clock.ts';
export { repeat, type RepeatedTask, type Repeating } from './repeat.ts';
export { backoffMs, orAborted, sleep } from './wait.ts';
