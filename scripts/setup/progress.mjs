/** One line that tells what is being done and for how long, so that nothing is silent for over two seconds. */
const TERMINAL_TICK_MS = 250;
const PIPE_TICK_MS = 10_000;
/** What is quicker than this needs no line. */
const QUIET_MS = 1_500;

export class Progress {
  #tasks = new Map();
  #stream;
  #timer;

  constructor(stream = process.stdout) {
    this.#stream = stream;
  }

  /** Runs the task with a line of its own; `detail` of the handle that the task gets is shown behind the seconds. */
  async during(name, task) {
    const entry = { startedAt: Date.now(), detail: '' };
    this.#tasks.set(name, entry);
    this.#timer ??= setInterval(() => this.#draw(), this.#stream.isTTY ? TERMINAL_TICK_MS : PIPE_TICK_MS);
    try {
      const outcome = await task((detail) => (entry.detail = detail));
      this.#finish(name, entry, outcome);
      return outcome;
    } finally {
      this.#tasks.delete(name);
      if (this.#tasks.size === 0) this.close();
    }
  }

  line(text) {
    this.#clear();
    this.#stream.write(`${text}\n`);
  }

  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  #finish(name, entry, outcome) {
    const elapsed = Date.now() - entry.startedAt;
    if (elapsed > QUIET_MS) this.line(`  ${name}: ${outcome?.told ?? 'done'} (${seconds(elapsed)})`);
  }

  #draw() {
    const parts = [...this.#tasks].map(
      ([name, { startedAt, detail }]) => `${name} ${seconds(Date.now() - startedAt)}${detail && ` ${detail}`}`,
    );
    if (parts.length === 0) return;
    const text = `  … ${parts.join(' · ')}`;
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    else this.#stream.write(`${text}\n`);
  }

  #clear() {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}

function seconds(ms) {
  return `${Math.round(ms / 1000)} s`;
}
