import { performance } from 'node:perf_hooks';
import { lockDownPictureLoaders } from '@edgeloop/vision';
import { GenerationLoadError } from './errors.ts';
import { detectorThresholds, FrameServer } from './frame-server.ts';
import { MEMORY_CHECK_MS } from './limits.ts';
import { ModelThread, ModelThreadError } from './model-thread.ts';
import { failureOf } from './protocol.ts';
import type { Failure, FromGeneration, LoadedModel, LoadRequest, ToGeneration } from './protocol.ts';

/*
 * One process per loaded model: the runtime grows with every model it loads and never gives the memory back, and a model
 * or picture that crashes native code must not take the agent with it. Started by `Generation.start`; speaks over IPC.
 */

let server: FrameServer | undefined;

function tell(message: FromGeneration): void {
  // A send after the agent is gone fails; 'disconnect' ends this process.
  process.send?.(message, () => undefined);
}

async function load({ modelPath, digest: declared, card, threads }: LoadRequest): Promise<LoadedModel> {
  const start = performance.now();
  await lockDownPictureLoaders();
  const { name, version, classes, input, layout, thresholds: alarms, nmsIou } = card;
  const setup = { modelPath, card: { classes, input, layout }, thresholds: detectorThresholds(alarms, nmsIou), threads };
  const { thread, digest } = await ModelThread.start(setup);
  if (digest !== declared) throw new GenerationLoadError('DigestMismatchError', `${modelPath} is ${digest}, the manifest says ${declared}`);
  server = new FrameServer(thread, input, alarms);
  return { digest, model: { name, version, classes }, loadMs: performance.now() - start };
}

function watchMemory(memoryBytesMax: number): void {
  setInterval(() => {
    const residentBytes = process.memoryUsage.rss();
    if (residentBytes <= memoryBytesMax) return;
    process.send?.({ type: 'over-memory', residentBytes } satisfies FromGeneration, () => process.exit(1));
  }, MEMORY_CHECK_MS).unref();
}

async function answerFrame({ id, picture, bands }: Extract<ToGeneration, { type: 'frame' }>): Promise<void> {
  try {
    if (server === undefined) throw new Error('no model is loaded');
    tell({ type: 'answer', id, answer: await server.answer(picture, bands) });
  } catch (error) {
    tell({ type: 'frame-failed', id, failure: causeOf(error) });
  }
}

function causeOf(error: unknown): Failure {
  if (error instanceof ModelThreadError) return error.failure;
  if (error instanceof GenerationLoadError) return { name: error.causeName, message: error.message };
  return failureOf(error);
}

process.on('message', (message: ToGeneration) => {
  switch (message.type) {
    case 'load':
      if (message.memoryBytesMax !== undefined) watchMemory(message.memoryBytesMax);
      load(message).then(
        (loaded) => tell({ type: 'loaded', loaded }),
        (error: unknown) => tell({ type: 'load-failed', failure: causeOf(error) }),
      );
      return;
    case 'frame':
      void answerFrame(message);
      return;
    case 'stop':
      process.exit(0);
      return;
    default:
      message satisfies never;
  }
});

// The agent is gone, however it went.
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C and a supervisor's stop reach the whole process group; the agent decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
