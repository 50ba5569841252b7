/** Reads what uv and pip print while they download, and tells how much of it is done. */
const STARTED = /^Downloading (\S+)(?: .*)? \(([\d.]+) ?([kKMG])i?B\)/;
const FINISHED = /^Downloaded (\S+)/;
const MEGA = { k: 1 / 1024, K: 1 / 1024, M: 1, G: 1024 };

export class DownloadCount {
  #sizes = new Map();
  #done = 0;
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  /** One line of output. uv loads many at once and says when each is there; pip says only what it begins. */
  take(line) {
    const [, name, amount, unit] = STARTED.exec(line) ?? [];
    if (name) this.#sizes.set(name, Number(amount) * MEGA[unit]);
    const finished = FINISHED.exec(line)?.[1];
    if (finished) this.#done += this.#sizes.get(finished) ?? 0;
    if (!name && !finished) return;
    const total = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    this.#tell(this.#done > 0 ? `${Math.round(this.#done)} of ${Math.round(total)} MB` : `${Math.round(total)} MB to load`);
  }
}
