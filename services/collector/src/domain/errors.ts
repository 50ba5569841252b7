/** The manifest is here before the object, or a store lost it: later deliveries may find it. */
export class ObjectNotYetThereError extends Error {
  override readonly name = 'ObjectNotYetThereError';
  readonly retryable = true;
  readonly key: string;
  constructor(key: string) {
    super(`${key} is not in the store (yet)`);
    this.key = key;
  }
}

export class DecoderFailedError extends Error {
  override readonly name = 'DecoderFailedError';
  readonly retryable = true;
  readonly how: 'died' | 'hung';
  constructor(how: 'died' | 'hung') {
    super(how === 'died' ? 'the picture decoder died' : 'the picture decoder hung and was ended');
    this.how = how;
  }
}
