export { eventually, type EventuallyOptions } from './eventually.ts';
export { testEngines, type TestEngines, type TestEnginesOptions } from './test-engines.ts';
export { BLOCK_CLASSES, BLOCK_PIXELS, blockDetector, type BlockDetectorOptions } from './onnx/block-detector.ts';
export {
  writeOnnx,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx/onnx-writer.ts';
