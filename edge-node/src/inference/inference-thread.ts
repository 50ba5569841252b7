import { parentPort, workerData } from 'node:worker_threads';
import { Detector } from '@edgeloop/vision';
import type { CandidateQuestion, DetectResult, PictureBand } from '@edgeloop/vision';
import { failureOf } from './protocol.ts';
import type { Failure, InferenceSetup } from './protocol.ts';

/** A picture for the model, in memory that both threads see. */
export interface ThreadQuestion {
  readonly id: number;
  readonly band: PictureBand;
  readonly question: CandidateQuestion;
}

export type ThreadAnswer =
  | { readonly type: 'ready'; readonly digest: string }
  | { readonly type: 'load-failed'; readonly failure: Failure }
  | { readonly type: 'result'; readonly id: number; readonly result: DetectResult }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };

/**
 * The thread of the model. `session.run` blocks its thread for the whole inference; here it blocks nobody, and the next
 * picture is decoded meanwhile.
 */
async function serve(setup: InferenceSetup): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('inference-thread must be started as a worker thread');
  const answer = (message: ThreadAnswer): void => port.postMessage(message);
  let detector: Detector;
  try {
    const { classes, input, layout } = setup.card;
    detector = await Detector.load({
      modelPath: setup.modelPath,
      classes,
      input,
      layout,
      thresholds: setup.thresholds,
      threads: setup.threads,
    });
  } catch (error) {
    answer({ type: 'load-failed', failure: failureOf(error) });
    return;
  }
  port.on('message', ({ id, band, question }: ThreadQuestion) => {
    detector.infer(band, { question }).then(
      (result) => answer({ type: 'result', id, result }),
      (error: unknown) => answer({ type: 'failed', id, failure: failureOf(error) }),
    );
  });
  answer({ type: 'ready', digest: detector.digest });
}

await serve(workerData as InferenceSetup);
