import type { Contract } from '@edgeloop/contracts';

/** The bus does not answer, or does not let this program in. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly retryable = true;
  readonly url: string;
  constructor(url: string, cause: unknown) {
    super(
      `no connection to the bus at ${url} (${wordsOf(cause)}): start it, or set NATS_URL and NATS_CREDS to one that lets this program in`,
      {
        cause,
      },
    );
    this.url = url;
  }
}

/** The connection was closed for good: this program is stopping. */
export class BusClosedError extends Error {
  override readonly name = 'BusClosedError';
  readonly retryable = true;
  constructor(cause?: unknown) {
    super('the connection to the bus is closed: the program is stopping', { cause });
  }
}

/** A message that this program wanted to send breaks its contract; a bug of the sender. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
  readonly retryable = false;
  readonly type: string;
  readonly problems: readonly string[];
  constructor(contract: Contract, problems: readonly string[]) {
    super(`${contract.type} breaks its contract and is not sent: ${problems.join('; ')}`);
    this.type = contract.type;
    this.problems = problems;
  }
}

/** A message that arrived cannot be read: no JSON, another type, a broken contract, or a body that contradicts its subject. */
export class UnreadableMessageError extends Error {
  override readonly name = 'UnreadableMessageError';
  readonly retryable = false;
  readonly subject: string;
  constructor(subject: string, reason: string) {
    super(`message on ${subject} cannot be read: ${reason}`);
    this.subject = subject;
  }
}

export class MessageTooLargeError extends Error {
  override readonly name = 'MessageTooLargeError';
  readonly retryable = false;
  readonly subject: string;
  readonly bytes: number;
  readonly bytesMax: number;
  constructor(subject: string, bytes: number, bytesMax: number) {
    super(
      `message of ${bytes} bytes on ${subject} is over the server's limit of ${bytesMax}: put the bytes into the object store and send a reference`,
    );
    this.subject = subject;
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** No receipt within all attempts: the message may or may not be stored. Publish again with the same id. */
export class PublishUnknownError extends Error {
  override readonly name = 'PublishUnknownError';
  readonly retryable = true;
  readonly subject: string;
  readonly messageId: string;
  constructor(subject: string, messageId: string, cause: unknown) {
    super(`no receipt for ${messageId} on ${subject}: it may or may not be stored; publish it again with the same id`, { cause });
    this.subject = subject;
    this.messageId = messageId;
  }
}

/** Nobody stores this subject (yet). */
export class StreamUnavailableError extends Error {
  override readonly name = 'StreamUnavailableError';
  readonly retryable = true;
  readonly subject: string;
  constructor(subject: string, cause: unknown) {
    super(`no stream stores ${subject}: is the bus provisioned and JetStream up?`, { cause });
    this.subject = subject;
  }
}

/** The stream refused the message. */
export class PublishRefusedError extends Error {
  override readonly name = 'PublishRefusedError';
  readonly retryable: boolean;
  readonly subject: string;
  readonly errorCode: number;
  constructor(subject: string, refusal: { errorCode: number; status: number; words: string }) {
    super(`the stream refused ${subject}: ${refusal.words} (${refusal.errorCode})`);
    this.subject = subject;
    this.errorCode = refusal.errorCode;
    this.retryable = refusal.status >= 500;
  }
}

/** The broker does not let this program send or hear on the subject. */
export class ForbiddenSubjectError extends Error {
  override readonly name = 'ForbiddenSubjectError';
  readonly retryable = false;
  readonly subject: string;
  constructor(subject: string, cause: unknown) {
    super(`the credentials of this program do not allow ${subject}`, { cause });
    this.subject = subject;
  }
}

/** The bus did not answer a read within all attempts. */
export class BusSilentError extends Error {
  override readonly name = 'BusSilentError';
  readonly retryable = true;
  constructor(cause: unknown) {
    super('the bus does not answer: is JetStream up?', { cause });
  }
}

/** Somebody else wrote first. */
export class RevisionConflictError extends Error {
  override readonly name = 'RevisionConflictError';
  readonly retryable = true;
  readonly subject: string;
  readonly expected: number;
  constructor(subject: string, expected: number) {
    super(`${subject} is no longer at revision ${expected}: load it again and decide anew`);
    this.subject = subject;
    this.expected = expected;
  }
}

export class AskTimeoutError extends Error {
  override readonly name = 'AskTimeoutError';
  readonly retryable = true;
  readonly subject: string;
  readonly timeoutMs: number;
  constructor(subject: string, timeoutMs: number, cause?: unknown) {
    super(`no answer on ${subject} within ${timeoutMs} ms; it may have been worked on all the same`, { cause });
    this.subject = subject;
    this.timeoutMs = timeoutMs;
  }
}

export class NoResponderError extends Error {
  override readonly name = 'NoResponderError';
  readonly retryable = true;
  readonly subject: string;
  constructor(subject: string, cause?: unknown) {
    super(`nobody answers ${subject}: is the service running?`, { cause });
    this.subject = subject;
  }
}

/** The responder said no, with a code for programs and words for people. */
export class AskRefusedError extends Error {
  override readonly name = 'AskRefusedError';
  readonly retryable: boolean;
  readonly subject: string;
  readonly code: string;
  constructor(subject: string, refusal: { code: string; words: string; retryable: boolean }) {
    super(refusal.words);
    this.subject = subject;
    this.code = refusal.code;
    this.retryable = refusal.retryable;
  }
}

/** Thrown by a request handler to say no; the asker gets an `AskRefusedError` with the same code and words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly retryable: boolean;
  constructor(code: string, words: string, options: { retryable?: boolean } = {}) {
    super(words);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

export class UnreadableReplyError extends Error {
  override readonly name = 'UnreadableReplyError';
  readonly retryable = false;
  readonly subject: string;
  constructor(subject: string, reason: string) {
    super(`the answer on ${subject} cannot be read: ${reason}`);
    this.subject = subject;
  }
}

/** A stored state document does not fit its schema. */
export class UnreadableDocumentError extends Error {
  override readonly name = 'UnreadableDocumentError';
  readonly retryable = false;
  readonly bucket: string;
  readonly key: string;
  constructor(bucket: string, key: string, reason: string) {
    super(`document ${bucket}/${key} cannot be read: ${reason}`);
    this.bucket = bucket;
    this.key = key;
  }
}

export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
  readonly retryable = false;
  constructor(bucket: string, key: string) {
    super(
      `${JSON.stringify(key)} cannot be a key of ${bucket}: use letters, digits, "-", "_", "=", "/" and "." (not first, last or doubled)`,
    );
  }
}

/** The consumer's wiring makes no sense; refuses to start. */
export class WiringError extends Error {
  override readonly name = 'WiringError';
  readonly retryable = false;
}

/** The node has no connection to the bus now; everything goes on, and this call can be repeated later. */
export class BusAwayError extends Error {
  override readonly name = 'BusAwayError';
  readonly retryable = true;
  constructor() {
    super('the bus is away: keep the message and send it again when it is back');
  }
}

/** One line of any thrown thing. In Jest, Node core errors are not `instanceof Error`, so the shape decides. */
export function wordsOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'message' in cause && typeof cause.message === 'string') return cause.message;
  return String(cause);
}

/** Name of an error class as a string; the client's classes may come from another realm. */
export function nameOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : '';
}

/** Everything is worth another try unless it says otherwise. */
export function isRetryable(cause: unknown): boolean {
  return !(typeof cause === 'object' && cause !== null && 'retryable' in cause && cause.retryable === false);
}
