/**
 * The client writes to its socket at the end of every microtask that sent something. Handlers that end one after the other, each in a
 * microtask of its own, would cost a system call each; sent together at the end of the turn they cost one.
 */
export class SendTogether {
  #waiting: (() => void)[] = [];

  /** `send` must not throw. */
  push(send: () => void): void {
    if (this.#waiting.push(send) === 1) setImmediate(this.flush);
  }

  readonly flush = (): void => {
    const sends = this.#waiting;
    this.#waiting = [];
    for (const send of sends) send();
  };
}
