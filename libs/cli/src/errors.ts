/** Something the user can mend: shown as one line, exit status 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
