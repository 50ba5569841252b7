import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import type { Frame, FrameSource } from '../ports.ts';
import { Generation } from './generation.ts';
import { blockPicture, writeModelFolder } from './model-folder.spec-kit.ts';
import { FramePipeline } from './pipeline.ts';
import type { FrameOutcome } from './pipeline.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeloop-pipeline-'));
  await writeModelFolder(join(root, 'v1'), { version: 'v1', model: { ballast: 20 } });
  await writeModelFolder(join(root, 'v2'), { version: 'v2', model: { ballast: 20 } });
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A camera that always has another frame; each shows a block in the cell of its number. */
class BusyCamera implements FrameSource {
  readonly #pictures: readonly Uint8Array[];
  #sequence = 0;

  constructor(pictures: readonly Uint8Array[]) {
    this.#pictures = pictures;
  }

  async next(signal: AbortSignal): Promise<Frame | undefined> {
    if (signal.aborted) return undefined;
    const sequence = this.#sequence++;
    return { jpeg: this.#pictures[sequence % this.#pictures.length]!, capturedAtMs: sequence, sequence };
  }

  async close(): Promise<void> {}
}

async function run(onModelLost: (pipeline: FramePipeline<Generation>) => void = () => undefined) {
  const pictures = await Promise.all(Array.from({ length: 10 }, (_, cell) => blockPicture('red', cell)));
  const outcomes: FrameOutcome[] = [];
  const pipeline: FramePipeline<Generation> = new FramePipeline<Generation>({
    source: new BusyCamera(pictures),
    onOutcome: (outcome) => void outcomes.push(outcome),
    onModelLost: () => onModelLost(pipeline),
  });
  const running = pipeline.run();
  return { pipeline, outcomes, running };
}

/** Every frame has its own answer: the sequence is without gap, and each box lies in the cell of its frame. */
function expectOwnAnswers(outcomes: readonly FrameOutcome[]): void {
  expect(outcomes.map(({ frame }) => frame.sequence)).toEqual(outcomes.map((_, index) => index));
  for (const outcome of outcomes) {
    if (!outcome.ok) throw outcome.error;
    expect(outcome.inference.boxes[0]!.cx).toBeCloseTo(0.05 + (outcome.frame.sequence % 10) / 10, 6);
  }
}

describe('frames under way', () => {
  it('incident: the model process is killed again and again while frames are in it. Every frame is answered, by the next process', async () => {
    const kills = 3;
    let starts = 0;
    const startAgain = (pipeline: FramePipeline<Generation>): void => {
      void Generation.start({ modelDir: join(root, 'v1') }).then((generation) => {
        starts++;
        return pipeline.switchTo(generation);
      });
    };
    const { pipeline, outcomes, running } = await run(startAgain);
    startAgain(pipeline);
    for (let kill = 1; kill <= kills; kill++) {
      const target = outcomes.length + 5;
      await eventually(() => expect(outcomes.length).toBeGreaterThan(target), { deadlineMs: 30_000 });
      process.kill(pipeline.serving!.pid!, 'SIGKILL');
      await eventually(() => expect(starts).toBe(kill + 1), { deadlineMs: 30_000 });
    }
    const target = outcomes.length + 5;
    await eventually(() => expect(outcomes.length).toBeGreaterThan(target), { deadlineMs: 30_000 });
    await pipeline.stop();
    await running;
    await pipeline.serving!.stop();
    expectOwnAnswers(outcomes);
    const { taken, answered, failed, resent } = pipeline.counts;
    expect({ answered, failed }).toEqual({ answered: taken, failed: 0 });
    // No frame was in a process when it was killed: then this test has tested nothing.
    expect(resent).toBeGreaterThan(0);
  });

  it('move from one model to the next without a frame lost or answered twice, and back', async () => {
    const [v1, v2] = await Promise.all(['v1', 'v2'].map((name) => Generation.start({ modelDir: join(root, name) })));
    const { pipeline, outcomes, running } = await run();
    const served = (version: string) => outcomes.filter((outcome) => outcome.ok && outcome.by.model.version === version).length;
    await pipeline.switchTo(v1!);
    await eventually(() => expect(served('v1')).toBeGreaterThan(5), { deadlineMs: 30_000 });
    expect(await pipeline.switchTo(v2!)).toBe(v1);
    await eventually(() => expect(served('v2')).toBeGreaterThan(5), { deadlineMs: 30_000 });
    const before = served('v1');
    expect(await pipeline.switchTo(v1!)).toBe(v2);
    await eventually(() => expect(served('v1')).toBeGreaterThan(before + 5), { deadlineMs: 30_000 });
    await pipeline.stop();
    await running;
    await Promise.all([v1!.stop(), v2!.stop()]);
    expectOwnAnswers(outcomes);
    expect(pipeline.counts.failed).toBe(0);
  });
});
