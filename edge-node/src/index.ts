export { startAgent } from './agent.ts';
export { NodeConfig, helpText, readNodeConfig } from './config.ts';
export type { Frame, FrameSource } from './ports.ts';
