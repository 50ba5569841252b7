export {
  FrameFailedError,
  GenerationBusyError,
  GenerationDiedError,
  GenerationError,
  GenerationHungError,
  GenerationLoadError,
  GenerationMemoryError,
  GenerationStoppedError,
  type ProcessEnd,
} from './inference/errors.ts';
export { Generation, type GenerationOptions, type Inference, type ServingModel } from './inference/generation.ts';
export { FramePipeline, type FrameOutcome, type PipelineCounts, type PipelineOptions } from './inference/pipeline.ts';
export type { FrameAnswer, InferredBox, LoadedModel } from './inference/protocol.ts';
export type { Frame, FrameSource } from './ports.ts';
export { startAgent } from './agent.ts';
export { helpText, NodeConfig, readNodeConfig } from './config.ts';
