import type { ModelCard, PackageManifest } from '@edgeloop/contracts';
import type { RefusalCause } from '../domain/packaging.ts';
import type { Tried, Verified } from '../ports.ts';

/** The one message that the child gets. */
export type TrialQuestion =
  | { readonly kind: 'make'; readonly modelPath: string; readonly card: ModelCard; readonly picturePaths: readonly string[] }
  | { readonly kind: 'verify'; readonly modelPath: string; readonly manifest: PackageManifest; readonly folder: string };

/** The one message that it sends back. */
export type TrialAnswer = Tried | Verified | { readonly kind: 'failed'; readonly error: string; readonly message: string };

/** Errors of the vision library that say something about the model, by their name: classes do not cross a process border. */
const CAUSES: Readonly<Record<string, RefusalCause>> = {
  OnnxUnreadableError: 'unreadable-model',
  OnnxExternalDataError: 'external-data',
  ModelShapeError: 'wrong-shape',
  TensorSizeError: 'wrong-shape',
  TooManyRowsError: 'wrong-shape',
  LayoutMismatchError: 'layout-mismatch',
  ModelRunError: 'does-not-run',
  NotFiniteError: 'not-finite',
  GoldenSetupError: 'golden-pictures-missing',
};

export function causeOf(errorName: string): RefusalCause {
  return CAUSES[errorName] ?? 'crashed';
}
