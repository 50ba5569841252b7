import { describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { FrameFailedError, GenerationDiedError } from './errors.ts';
import type { Inference } from './generation.ts';
import { FRAME_ATTEMPTS_MAX, FRAMES_IN_FLIGHT_MAX } from './limits.ts';
import { FramePipeline } from './pipeline.ts';
import type { FrameOutcome, PipelineOptions } from './pipeline.ts';
import { OfferedFrames, PromptModel, ToldModel } from './pipeline.spec-kit.ts';

const died = () => new GenerationDiedError({ code: null, signal: 'SIGKILL', stderr: '' });

function pipelineOf(options: Partial<PipelineOptions<ToldModel>> = {}) {
  const source = new OfferedFrames();
  const outcomes: FrameOutcome[] = [];
  const lost: string[] = [];
  const pipeline = new FramePipeline<ToldModel>({
    source,
    onOutcome: (outcome) => void outcomes.push(outcome),
    onModelLost: (model) => void lost.push(model.loaded.model.version),
    ...options,
  });
  const versions = () => outcomes.map((outcome) => (outcome.ok ? outcome.by.model.version : 'failed'));
  return { source, pipeline, outcomes, lost, versions };
}

describe('FramePipeline', () => {
  it('answers every frame, in order, and ends with the source', async () => {
    const { source, pipeline, outcomes } = pipelineOf();
    await pipeline.switchTo(new PromptModel('v1'));
    source.offer(20);
    source.end();
    await pipeline.run();
    expect(outcomes.map(({ frame }) => frame.sequence)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(pipeline.counts).toEqual({ taken: 20, answered: 20, failed: 0, resent: 0 });
  });

  it('takes no frame before a model serves', async () => {
    const { source, pipeline } = pipelineOf();
    source.offer(5);
    const running = pipeline.run();
    expect(source.taken).toBe(0);
    await pipeline.switchTo(new PromptModel('v1'));
    source.end();
    await running;
    expect(source.taken).toBe(5);
  });

  it('keeps no more frames under way than its depth', async () => {
    const { source, pipeline } = pipelineOf({ depth: 3 });
    const model = new ToldModel('v1');
    await pipeline.switchTo(model);
    source.offer(10);
    source.end();
    const running = pipeline.run();
    for (let answered = 0; answered < 10; answered++) {
      await eventually(() => expect(model.asked.length).toBe(Math.min(10, answered + 3)));
      model.asked[answered]!.answer();
    }
    await running;
    expect(model.mostAtOnce).toBe(3);
  });

  it('holds back new frames while a listener works', async () => {
    const gate = Promise.withResolvers<void>();
    const { source, pipeline } = pipelineOf({ onOutcome: () => gate.promise });
    await pipeline.switchTo(new PromptModel('v1'));
    source.offer(50);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(source.taken).toBe(2));
    gate.resolve();
    await running;
    expect(source.taken).toBe(50);
  });

  it('tells outcomes in frame order though a later frame is answered first', async () => {
    const { source, pipeline, outcomes } = pipelineOf();
    const model = new ToldModel('v1');
    await pipeline.switchTo(model);
    source.offer(2);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(model.asked).toHaveLength(2));
    model.asked[1]!.answer();
    model.asked[0]!.answer();
    await running;
    expect(outcomes.map(({ frame }) => frame.sequence)).toEqual([0, 1]);
  });

  it('switches between two frames: frames under way end with the old model, later ones go to the new', async () => {
    const { source, pipeline, versions } = pipelineOf();
    const [old, young] = [new ToldModel('v1'), new PromptModel('v2')];
    await pipeline.switchTo(old);
    source.offer(6);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(old.asked).toHaveLength(2));
    const switched = pipeline.switchTo(young);
    old.asked[0]!.answer();
    old.asked[1]!.answer();
    expect(await switched).toBe(old);
    await running;
    expect(versions()).toEqual(['v1', 'v1', 'v2', 'v2', 'v2', 'v2']);
    expect(pipeline.counts).toMatchObject({ taken: 6, answered: 6, failed: 0 });
  });

  it('sends the frames of a lost process to the next one and says once that it was lost', async () => {
    const { source, pipeline, versions, lost } = pipelineOf();
    const [old, young] = [new ToldModel('v1'), new PromptModel('v2')];
    await pipeline.switchTo(old);
    source.offer(5);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(old.asked).toHaveLength(2));
    old.asked[1]!.fail(died());
    old.asked[0]!.fail(died());
    await eventually(() => expect(pipeline.serving).toBeUndefined());
    await pipeline.switchTo(young);
    await running;
    expect(versions()).toEqual(['v2', 'v2', 'v2', 'v2', 'v2']);
    expect(lost).toEqual(['v1']);
    expect(pipeline.counts).toEqual({ taken: 5, answered: 5, failed: 0, resent: 2 });
  });

  it('does not call the serving model lost when the one before it dies late', async () => {
    const { source, pipeline, versions, lost } = pipelineOf();
    const [old, young] = [new ToldModel('v1'), new PromptModel('v2')];
    await pipeline.switchTo(old);
    source.offer(1);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(old.asked).toHaveLength(1));
    const switched = pipeline.switchTo(young);
    old.asked[0]!.fail(died());
    expect(await switched).toBe(old);
    await running;
    expect(versions()).toEqual(['v2']);
    expect(lost).toEqual([]);
  });

  it('gives up a frame that takes one process down after the other, and serves the next frame', async () => {
    const { source, pipeline, versions } = pipelineOf({ depth: 1 });
    source.offer(2);
    source.end();
    const running = pipeline.run();
    for (let attempt = 0; attempt < FRAME_ATTEMPTS_MAX; attempt++) {
      const model = new ToldModel(`v${attempt}`);
      await pipeline.switchTo(model);
      await eventually(() => expect(model.asked).toHaveLength(1));
      model.asked[0]!.fail(died());
      await eventually(() => expect(pipeline.serving).toBeUndefined());
    }
    await pipeline.switchTo(new PromptModel('v9'));
    await running;
    expect(versions()).toEqual(['failed', 'v9']);
  });

  it('tells a frame that alone failed, and keeps the model', async () => {
    const { source, pipeline, outcomes, lost } = pipelineOf();
    const model = new ToldModel('v1');
    await pipeline.switchTo(model);
    source.offer(1);
    source.end();
    const running = pipeline.run();
    await eventually(() => expect(model.asked).toHaveLength(1));
    model.asked[0]!.fail(new FrameFailedError('UnreadablePictureError', 'unreadable'));
    await running;
    expect(outcomes).toMatchObject([{ ok: false, error: { causeName: 'UnreadablePictureError' } }]);
    expect(lost).toEqual([]);
    expect(pipeline.serving).toBe(model);
  });

  it('stops: takes no more, answers what is under way, fails what waits for a model, closes the source', async () => {
    const { source, pipeline, versions } = pipelineOf();
    const model = new ToldModel('v1');
    await pipeline.switchTo(model);
    source.offer(10);
    const running = pipeline.run();
    await eventually(() => expect(model.asked).toHaveLength(2));
    const stopping = pipeline.stop();
    model.asked[0]!.answer();
    model.asked[1]!.fail(died());
    await stopping;
    await running;
    expect(versions()).toEqual(['v1', 'failed']);
    expect(source).toMatchObject({ taken: 2, closed: true });
  });

  it('stops while it waits for a frame, or for a model', async () => {
    const idle = pipelineOf();
    await idle.pipeline.switchTo(new PromptModel('v1'));
    const running = idle.pipeline.run();
    await idle.pipeline.stop();
    await running;
    const unserved = pipelineOf();
    const waiting = unserved.pipeline.run();
    await unserved.pipeline.stop();
    await waiting;
    expect([idle.source.closed, unserved.source.closed]).toEqual([true, true]);
  });

  it('ends with the error of a listener', async () => {
    const fault = new Error('listener');
    const { source, pipeline } = pipelineOf({ onOutcome: () => Promise.reject(fault) });
    await pipeline.switchTo(new PromptModel('v1'));
    source.offer(10);
    await expect(pipeline.run()).rejects.toBe(fault);
    expect(source.taken).toBeLessThan(10);
  });

  it('asks for the bands anew with every frame', async () => {
    const asked: unknown[] = [];
    class Noting extends PromptModel {
      override infer(picture: Uint8Array, bands?: unknown): Promise<Inference> {
        asked.push(bands);
        return super.infer(picture);
      }
    }
    let calls = 0;
    const { source, pipeline } = pipelineOf({ bands: () => [{ low: calls++, high: 1 }] });
    await pipeline.switchTo(new Noting('v1'));
    source.offer(2);
    source.end();
    await pipeline.run();
    expect(asked).toEqual([[{ low: 0, high: 1 }], [{ low: 1, high: 1 }]]);
  });

  it('refuses a depth that no model process takes', () => {
    expect(() => pipelineOf({ depth: FRAMES_IN_FLIGHT_MAX + 1 })).toThrow(RangeError);
    expect(() => pipelineOf({ depth: 0 })).toThrow(RangeError);
  });
});
