/** How a model process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/** Base of what can go wrong with a model process. */
export abstract class GenerationError extends Error {
  /** Can the same call to another process of the same model succeed? */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The model folder cannot be served: no manifest, another model than the manifest's, or one that does not load. */
export class GenerationLoadError extends GenerationError {
  readonly retryable = false;
  /** Name of the error inside the process, for example `OnnxUnreadableError`. */
  readonly causeName: string;

  constructor(causeName: string, reason: string) {
    super(`the model does not load: ${reason}`);
    this.causeName = causeName;
  }
}

/** The process ended by itself or was killed from outside. */
export class GenerationDiedError extends GenerationError {
  readonly retryable = true;
  readonly end: ProcessEnd;

  constructor(end: ProcessEnd) {
    super(`the model process ended (${end.signal ?? `status ${end.code}`})${end.stderr === '' ? '' : `: ${end.stderr.trim()}`}`);
    this.end = end;
  }
}

/** The process did not answer in time and was killed. */
export class GenerationHungError extends GenerationError {
  readonly retryable = true;
  readonly what: 'load' | 'frame';
  readonly deadlineMs: number;

  constructor(what: 'load' | 'frame', deadlineMs: number) {
    super(`the model process gave no answer to a ${what} within ${deadlineMs} ms and was killed`);
    this.what = what;
    this.deadlineMs = deadlineMs;
  }
}

/** The process passed its memory limit and ended itself. */
export class GenerationMemoryError extends GenerationError {
  readonly retryable = true;
  readonly residentBytes: number;
  readonly limitBytes: number;

  constructor(residentBytes: number, limitBytes: number) {
    super(`the model process held ${residentBytes} bytes, its limit is ${limitBytes}`);
    this.residentBytes = residentBytes;
    this.limitBytes = limitBytes;
  }
}

/** This frame cannot be answered, the next one can: an unreadable picture, or a run that failed. */
export class FrameFailedError extends GenerationError {
  readonly retryable = false;
  /** Name of the error inside the process, for example `UnreadablePictureError`. */
  readonly causeName: string;

  constructor(causeName: string, reason: string) {
    super(reason);
    this.causeName = causeName;
  }
}

/** More frames at a time than a process takes: a fault of the caller. */
export class GenerationBusyError extends GenerationError {
  readonly retryable = true;
  readonly inFlightMax: number;

  constructor(inFlightMax: number) {
    super(`${inFlightMax} frames are under way already; wait for an answer`);
    this.inFlightMax = inFlightMax;
  }
}

/** The process was asked to stop; it takes no more frames. */
export class GenerationStoppedError extends GenerationError {
  readonly retryable = true;

  constructor() {
    super('the model process was stopped');
  }
}
