export { compareBoxes, type Comparison, type Deviation, type Tolerance } from './compare-boxes.ts';
export { digestOf } from './digest.ts';
export { goldenName, MANIFEST_FILE, MODEL_FILE } from './entry-names.ts';
export { GoldenSetupError, PackageInputError, PackageRefusedError, type PackageRefusal } from './errors.ts';
export {
  BOX_TOLERANCE,
  checkGoldens,
  GOLDEN_SCORE_FLOOR,
  type Golden,
  type GoldenDetector,
  type GoldenQuestion,
  GOLDENS_KEPT,
  type GoldenSet,
  type GoldenVerdict,
  makeGoldens,
  SCORE_TOLERANCE,
} from './goldens.ts';
export { ENTRIES_MAX, GOLDEN_PICTURE_BYTES_MAX, GOLDENS_MAX, MANIFEST_BYTES_MAX, PACKAGE_BYTES_MAX } from './limits.ts';
export { buildManifest, type ManifestParts, manifestText, RUNTIME_NEEDED } from './manifest.ts';
export { type ExtractedPackage, extractPackage, readPackage } from './read-package.ts';
export { type PackageParts, writePackage } from './write-package.ts';
export type { ArchiveSource } from './zip-entries.ts';
