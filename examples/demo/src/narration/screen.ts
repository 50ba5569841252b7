import pc from 'picocolors';
import type { Progress, Said } from './story.ts';

const BAR_WIDTH = 28;
const ARROW_WIDTH = 9;
/** Without a terminal, progress is told in so many steps at most. */
const PLAIN_STEPS = 5;
const COLUMNS_DEFAULT = 140;

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Lines that stay, and under them one line of progress that is redrawn on a terminal and thinned without one. */
export class Screen {
  readonly #out: Output;
  readonly #startedAt: number;
  readonly #now: () => number;
  #bar: string | undefined;
  #plainShown = new Map<string, number>();

  constructor(out: Output, now: () => number = Date.now) {
    this.#out = out;
    this.#now = now;
    this.#startedAt = now();
  }

  heading(text: string): void {
    this.line(`\n${pc.bold(text)}`);
  }

  line(text: string): void {
    this.#clearBar();
    this.#out.write(`${text}\n`);
    if (this.#bar !== undefined) this.#drawBar(this.#bar);
  }

  say({ arrow, text, tone }: Said): void {
    if (this.#bar !== undefined) this.endProgress();
    const paint = tone === 'good' ? pc.green : tone === 'bad' ? pc.yellow : (plain: string): string => plain;
    this.line(`${pc.dim(this.#clock())}  ${pc.cyan(arrow.padEnd(ARROW_WIDTH))} ${pc.dim('▸')} ${paint(text)}`);
  }

  note(text: string): void {
    this.line(`${pc.dim(this.#clock())}  ${' '.repeat(ARROW_WIDTH)}   ${pc.dim(text)}`);
  }

  progress({ arrow, label, done, total, note }: Progress): void {
    const share = Math.max(0, Math.min(1, done / total));
    const filled = Math.round(share * BAR_WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    const text = `${this.#clock()}  ${arrow.padEnd(ARROW_WIDTH)} ▸ ${label} ${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${done}/${total}${note ? `  ${note}` : ''}`;
    if (this.#out.isTTY) this.#drawBar(text);
    else this.#plainProgress(`${arrow} ${label}`, share, text);
  }

  endProgress(): void {
    this.#clearBar();
    this.#bar = undefined;
    this.#plainShown.clear();
  }

  #plainProgress(key: string, share: number, text: string): void {
    const step = Math.floor(share * PLAIN_STEPS);
    if (step <= (this.#plainShown.get(key) ?? -1)) return;
    this.#plainShown.set(key, step);
    this.#out.write(`${text}\n`);
  }

  #drawBar(text: string): void {
    this.#clearBar();
    this.#bar = text;
    this.#out.write(text.slice(0, (this.#out.columns ?? COLUMNS_DEFAULT) - 1));
  }

  #clearBar(): void {
    if (this.#bar !== undefined && this.#out.isTTY) this.#out.write('\r\u001b[2K');
  }

  #clock(): string {
    const seconds = Math.floor((this.#now() - this.#startedAt) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
