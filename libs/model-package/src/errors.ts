/** Why an archive is no package. */
export type PackageRefusal =
  | 'not-a-zip'
  | 'too-large'
  | 'too-many-entries'
  | 'bad-name'
  | 'not-a-regular-file'
  | 'compressed'
  | 'encrypted'
  | 'overlapping-entries'
  | 'duplicate-name'
  | 'manifest-missing'
  | 'manifest-invalid'
  | 'entries-differ'
  | 'size-differs'
  | 'digest-differs';

/** The archive is not exactly what its manifest says. Nothing of it may be used. */
export class PackageRefusedError extends Error {
  override readonly name = 'PackageRefusedError';
  readonly retryable = false;
  readonly refusal: PackageRefusal;

  constructor(refusal: PackageRefusal, detail: string, options?: ErrorOptions) {
    super(`package refused (${refusal}): ${detail}`, options);
    this.refusal = refusal;
  }
}

/** The parts given cannot make a package: the caller is wrong, not an archive. */
export class PackageInputError extends Error {
  override readonly name = 'PackageInputError';
  readonly retryable = false;
}

/** The detector cannot be compared with golden vectors as it was loaded. */
export class GoldenSetupError extends Error {
  override readonly name = 'GoldenSetupError';
  readonly retryable = false;
}
