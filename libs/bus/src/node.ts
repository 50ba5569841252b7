/** The bus as a node sees it: core NATS alone, without the JetStream client that it never asks. */
export { isRetryable } from './errors.ts';
export { connectNode, type NodeBus, type NodeBusOptions, type NodeBusStatus } from './node-bus.ts';
