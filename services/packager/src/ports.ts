import type { ModelCard, PackageManifest } from '@edgeloop/contracts';
import type { Golden, GoldenVerdict } from '@edgeloop/model-package';
import type { OnnxSummary, OutputShape } from '@edgeloop/vision';
import type { Refused } from './domain/packaging.ts';

export interface TrialRequest {
  readonly modelPath: string;
  readonly card: ModelCard;
  /** Paths of the pictures that golden vectors may be made of, in order of preference. */
  readonly picturePaths: readonly string[];
  readonly signal: AbortSignal;
}

/** What a first run of the model showed. */
export interface Tried {
  readonly kind: 'tried';
  readonly inspection: Pick<OnnxSummary, 'opset' | 'initializerBytes'>;
  readonly shape: OutputShape;
  readonly vectors: readonly Golden[];
  /** For each vector the path of its picture. */
  readonly picturePaths: readonly string[];
  readonly blind: boolean;
  /** Pictures that could not be read, with the reason. */
  readonly skipped: readonly string[];
}

export interface VerifyRequest {
  readonly modelPath: string;
  readonly manifest: PackageManifest;
  /** Folder in which the manifest's picture names are files. */
  readonly folder: string;
  readonly signal: AbortSignal;
}
export interface Verified {
  readonly kind: 'verified';
  readonly verdict: GoldenVerdict;
}

/**
 * Runs a model that nobody trusts yet, away from this process and within limits of time and memory. Rejects only when the signal
 * aborts or no process can be started.
 */
export interface ModelTrial {
  /** Inspects the model, runs it, and makes golden vectors. */
  make(request: TrialRequest): Promise<Tried | Refused>;
  /** Loads the packaged model in a fresh session and compares its answers with the golden vectors. */
  verify(request: VerifyRequest): Promise<Verified | Refused>;
}
