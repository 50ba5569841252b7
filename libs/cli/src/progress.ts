/** Shorter work is done before anybody would read about it. */
const SILENT_MS = 2_000;
const REDRAW_MS = 250;
/** Without a terminal every line stays, so there are few. */
const PLAIN_EVERY_MS = 5_000;

export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Says how far long work is: on a terminal one line that is redrawn, elsewhere a line now and then. Silent for the first two seconds. */
export class Progress {
  readonly #out: ProgressOutput;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #shown = '';
  #shownAt = -Infinity;

  constructor(out: ProgressOutput = process.stderr, now: () => number = Date.now) {
    this.#out = out;
    this.#now = now;
    this.#startedAt = now();
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS).unref();
  }

  /** What is being done now; shown at once or at the next redrawing. */
  tell(text: string): void {
    this.#text = text;
    this.#draw();
  }

  /** Takes the line away. Idempotent. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#shown !== '' && this.#out.isTTY) this.#out.write('\r\u001b[2K');
    this.#shown = '';
    this.#text = '';
  }

  #draw(): void {
    const now = this.#now();
    if (this.#text === this.#shown || now - this.#startedAt < SILENT_MS) return;
    if (now - this.#shownAt < (this.#out.isTTY ? REDRAW_MS : PLAIN_EVERY_MS)) return;
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${this.#text}` : `${this.#text}\n`);
    this.#shown = this.#text;
    this.#shownAt = now;
  }
}

/** Works with a line of progress that is gone afterwards, whatever happened. */
export async function withProgress<T>(work: (progress: Progress) => Promise<T>): Promise<T> {
  const progress = new Progress();
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}
