import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DecoderFailedError } from '../domain/errors.ts';
import type { Decoded, PictureDecoder } from '../ports.ts';
import type { DecodeAnswer } from './decoder-protocol.ts';

export interface ChildDecoderOptions {
  readonly pixelsMax: number;
  /** A decode that takes longer is ended with its process. */
  readonly decodeMsMax: number;
  /** Another program in the place of the decoder, for tests of dying and hanging. */
  readonly program?: string;
}

/** Beside this file, as source in tests and as built file in the product. */
const PROGRAM = fileURLToPath(new URL(`./decoder-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** One process that decodes one picture at a time; started when first needed, and again after it died. */
export class ChildDecoder implements PictureDecoder {
  readonly #options: ChildDecoderOptions;
  #child: ChildProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #lastId = 0;
  #closed = false;

  constructor(options: ChildDecoderOptions) {
    this.#options = options;
  }

  decode(bytes: Uint8Array): Promise<Decoded> {
    const answer = this.#turn.then(() => this.#decodeNow(bytes));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child?.kill('SIGKILL');
    await this.#turn;
  }

  #decodeNow(bytes: Uint8Array): Promise<Decoded> {
    if (this.#closed) return Promise.reject(new DecoderFailedError('died'));
    const child = (this.#child ??= this.#start());
    const id = ++this.#lastId;
    return new Promise<Decoded>((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        end();
      };
      const onMessage = (answer: DecodeAnswer): void => {
        if (answer.id === id)
          settle(() =>
            resolve(answer.ok ? { ok: true, width: answer.width, height: answer.height } : { ok: false, reason: answer.reason }),
          );
      };
      const onExit = (): void => settle(() => reject(new DecoderFailedError('died')));
      const onTimeout = (): void => {
        this.#abandon(child);
        settle(() => reject(new DecoderFailedError('hung')));
      };
      const timer = setTimeout(onTimeout, this.#options.decodeMsMax);
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send({ id, bytes, pixelsMax: this.#options.pixelsMax }, (failure) => {
        if (failure !== null) this.#abandon(child);
      });
    });
  }

  /** No secret of the service reaches the child; threads of the image library stay few. */
  #start(): ChildProcess {
    const child = fork(this.#options.program ?? PROGRAM, [], {
      env: { PATH: process.env['PATH'], VIPS_CONCURRENCY: '1' },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.once('exit', () => this.#forget(child));
    child.once('error', () => this.#abandon(child));
    return child;
  }

  #abandon(child: ChildProcess): void {
    this.#forget(child);
    child.kill('SIGKILL');
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
  }
}
