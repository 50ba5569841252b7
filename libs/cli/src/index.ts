export { DEFAULT_DATA_DIR, RUNNING_FILE, environmentOf, withBus } from './connection.ts';
export {
  DEFAULT_MODEL_NAME,
  EXAMPLE_BASE_MODEL,
  EXAMPLE_PROJECT,
  PROJECT_ROOT,
  SERVICES,
  pythonFile,
  type ServiceName,
} from './stack/programs.ts';
export { importDataset, type DatasetImportParts, type DatasetToImport, type ImportedDataset } from './import/dataset-import.ts';
export { readModelFile, type ModelFile, type ModelReading } from './import/model-file.ts';
export {
  classesOf,
  inModelClasses,
  namedClassesOf,
  readPhotoFolder,
  type LabelledPhoto,
  type PhotoFolder,
  type PhotoReading,
} from './import/photo-folder.ts';
export { failureLine, recordFailure } from './failure.ts';
export { Stack, type NodeOptions, type ServiceEnvironment, type StackOptions } from './stack/stack.ts';
export { endAsked } from './commands/up.ts';
export { nodesTable } from './commands/nodes.ts';
export { rolloutText } from './commands/rollout.ts';
export { usageErrorLine } from './output.ts';
export { wholeNumber } from './commands/shared.ts';
