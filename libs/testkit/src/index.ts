export { eventually, type EventuallyOptions } from './eventually.ts';
export { engineEnvironment, testEngines, type TestEngines, type TestEnginesOptions } from './test-engines.ts';
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
export { FaultProxy, type ProxyCounts, type ProxyMode } from './fault-proxy.ts';
export { type ItemFate, LedgerChecker, type LedgerEntry, type LedgerVerdict } from './ledger-checker.ts';
export { type Kill, type KillSchedule, type PlannedKill, planKills, ProcessKiller, type Victim } from './process-killer.ts';
export { yoloShapedModel, type YoloShapedOptions } from './onnx/yolo-shaped-model.ts';
export { MemoryDocuments } from './memory-documents.ts';
