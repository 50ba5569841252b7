import type { ModelCard, PackageManifest, PredictedBox } from '@edgeloop/contracts';
import type { CandidateSummary, PictureStats, ScoreBand, Size, StepTimings, Thresholds } from '@edgeloop/vision';

/** A box the model saw, as fractions of the picture. */
export interface InferredBox extends PredictedBox {
  /** At or above its class's alarm threshold. Others are kept down to the floor of golden answers, as pre-labels. */
  readonly alarm: boolean;
}

/** What a model process says about one frame. */
export interface FrameAnswer {
  readonly picture: Size;
  /** Best first. */
  readonly boxes: readonly InferredBox[];
  /** Raw candidates, before suppression: best per class, count per asked band, and `malformed` above 0 where the model is broken. */
  readonly candidates: CandidateSummary;
  readonly stats: PictureStats;
  readonly timings: StepTimings;
}

/** What was loaded. */
export interface LoadedModel {
  /** `sha256:<hex>` of the bytes that serve. */
  readonly digest: string;
  readonly model: Pick<ModelCard, 'name' | 'version' | 'classes'>;
  readonly loadMs: number;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** The model to load, as its package's manifest describes it. */
export interface LoadRequest {
  readonly type: 'load';
  readonly modelPath: string;
  /** Of the bytes that must lie there. */
  readonly digest: string;
  readonly card: Pick<PackageManifest['model'], 'name' | 'version' | 'classes' | 'input' | 'layout' | 'thresholds' | 'nmsIou'>;
  readonly threads: number;
  readonly memoryBytesMax: number | undefined;
}

/** Agent to model process. */
export type ToGeneration =
  | LoadRequest
  | { readonly type: 'frame'; readonly id: number; readonly picture: Uint8Array; readonly bands: readonly ScoreBand[] }
  | { readonly type: 'stop' };

/** Model process to agent. */
export type FromGeneration =
  | { readonly type: 'loaded'; readonly loaded: LoadedModel }
  | { readonly type: 'load-failed'; readonly failure: Failure }
  | { readonly type: 'answer'; readonly id: number; readonly answer: FrameAnswer }
  | { readonly type: 'frame-failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'over-memory'; readonly residentBytes: number };

/** How the thread of the model is set up. */
export interface InferenceSetup {
  readonly modelPath: string;
  readonly card: Pick<ModelCard, 'classes' | 'input' | 'layout'>;
  readonly thresholds: Thresholds;
  readonly threads: number;
}

export function failureOf(error: unknown): Failure {
  const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown };
  return { name: typeof name === 'string' ? name : 'Error', message: String(message ?? error) };
}
