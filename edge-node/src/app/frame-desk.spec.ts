import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { NodeTelemetry, SampleManifest } from '@edgeloop/contracts';
import type { Desired, TelemetryWindow } from '@edgeloop/contracts';
import { pino } from 'pino';
import { SampleSpool } from '../adapters/spool/sample-spool.ts';
import { recallLimiter } from '../adapters/spool/sampling-memory.ts';
import { openSpool } from '../adapters/spool/spool-database.ts';
import { tempFolders } from '../adapters/temp-folder.spec-kit.ts';
import { desired, release } from '../domain/updater.spec-kit.ts';
import { FrameFailedError, GenerationHungError } from '../inference/errors.ts';
import type { Inference } from '../inference/generation.ts';
import { FrameDesk } from './frame-desk.ts';
import type { LoadedRelease } from './models.ts';
import { ProbeDesk } from './probe-desk.ts';
import { TelemetryDesk } from './telemetry-desk.ts';

const folder = tempFolders();
const loaded = { digest: release('A').packageDigest, model: { name: 'm', version: 'v1', classes: ['red', 'blue'] }, loadMs: 1 };
const running = { releaseId: 'model-a', modelDigest: loaded.digest, generation: 1 };
const modelRunning = (of: typeof running): LoadedRelease => ({ release: release('a'), loaded, running: of }) as unknown as LoadedRelease;
const model = modelRunning(running);
const box = { classId: 1, cx: 0.5, cy: 0.5, w: 0.2, h: 0.2, score: 0.9, alarm: true };

const policy: Desired['policy'] = {
  policyId: 'p',
  version: 1,
  rules: [
    { kind: 'uncertain', name: 'unsure', probability: 1, perMinuteMax: 600, low: 0.2, high: 0.5 },
    { kind: 'random', name: 'any', probability: 0.25, perMinuteMax: 600 },
  ],
  nearDuplicateBits: 0,
  samplesMax: 3,
};

interface Options {
  readonly wants?: () => Desired | null;
  readonly chance?: number;
  readonly left?: (campaignId: string) => number | null;
}

async function desk(options: Options = {}) {
  const { database } = openSpool(join(await folder(), 'spool.db'), 0);
  const spool = new SampleSpool(database, { bytesMax: 1_000_000, itemsMax: 100 });
  const windows: TelemetryWindow[] = [];
  let monotonic = 0;
  const clock = { now: () => 1_767_225_600_000 + monotonic };
  const monotonicMs = (): number => monotonic;
  const telemetry = new TelemetryDesk({
    windowMs: 1_000,
    clock,
    monotonicMs,
    identify: () => ({ nodeId: 'n1', epoch: 'epoch-12345', sequence: windows.length }),
    send: (window) => void windows.push(window),
  });
  let kept = 0;
  const forgotten: string[] = [];
  const rights = { samplesLeft: options.left ?? (() => null), forget: (campaignId: string) => void forgotten.push(campaignId) };
  const made = () =>
    new FrameDesk({
      desired: options.wants ?? (() => ({ ...desired(1, null), policy })),
      spool,
      recall: (of) => recallLimiter(database, of, { wallMs: clock.now(), monotonicMs: monotonic }),
      rights,
      telemetry,
      probe: new ProbeDesk({ framesMin: 1, durationMinMs: 0, failuresMax: 0, latencyTimesMax: 1, latencyAlwaysGoodMs: 1 }, monotonicMs),
      onKept: () => void (kept += 1),
      onAnswered: () => undefined,
      monotonicMs,
      chance: () => options.chance ?? 0.5,
      log: pino({ level: 'silent' }),
    });
  return { made, spool, forgotten, telemetry, windows, keptCount: () => kept, pass: (ms: number) => void (monotonic += ms) };
}

const frame = (number: number) => ({ jpeg: Uint8Array.of(0xff, 0xd8, 0xff, number), capturedAtMs: 1_767_225_600_000, sequence: number });
const seen = (perBand: number[] = [0], boxes = [box]): Inference => ({
  picture: { width: 64, height: 48 },
  boxes,
  candidates: { count: 1, maxScorePerClass: [0.3, 0.9], perBand, malformed: 0 },
  stats: { brightness: 0.4, contrast: 0.1, sharpness: 0.01, hash: '00000000000000ff' },
  timings: { pictureMs: 1, tensorMs: 1, modelMs: 1, boxesMs: 1 },
  latencyMs: 12,
});
const answer = (number: number, inference = seen()) => ({ ok: true as const, frame: frame(number), by: loaded, inference });

describe('what happens to an answered frame', () => {
  it('keeps it by policy, with everything that its manifest needs', async () => {
    const { made, spool, keptCount } = await desk();
    made().take(answer(1, seen([2])), model);
    const [sample] = spool.atStage('kept', 9);
    const manifest = { ...sample?.facts, nodeId: 'n1', epoch: 'epoch-12345', sequence: 1 };
    const object = { bucket: 'samples', key: 'k', digest: `sha256:${sample?.facts.sampleId}`, bytes: 4 };
    expect(SampleManifest.parse({ ...manifest, object })).toMatchObject({
      sampleId: createHash('sha256').update(frame(1).jpeg).digest('hex'),
      model: running,
      why: { rule: 'unsure', inclusionProbability: 1, policyVersion: 1 },
      predictions: [{ classId: 1, score: 0.9 }],
      picture: { width: 64, height: 48, dhash: '00000000000000ff' },
    });
    expect(keptCount()).toBe(1);
  });

  it('lets chance decide, and stays within the budget also after a restart', async () => {
    const never = await desk();
    never.made().take(answer(1), model);
    expect(never.spool.stats().items).toBe(0);
    const { made, spool } = await desk({ chance: 0 });
    for (let number = 0; number < 10; number += 1) made().take(answer(number), model);
    expect(spool.stats().items).toBe(3);
  });

  it('stays within the budget when the campaign is announced anew; another campaign has its own', async () => {
    let wanted: Desired = { ...desired(1, null), policy };
    const { made, spool, forgotten } = await desk({ wants: () => wanted, chance: 0 });
    const looking = made();
    for (let number = 0; number < 5; number += 1) looking.take(answer(number), model);
    wanted = { ...wanted, policy: { ...policy, version: 2 } };
    for (let number = 5; number < 10; number += 1) looking.take(answer(number), model);
    for (let number = 10; number < 15; number += 1) made().take(answer(number), model);
    expect(spool.stats().items).toBe(3);
    expect(forgotten).toEqual(['base']);
    wanted = { ...wanted, campaignId: 'drift-3', policy: { ...policy, version: 3 } };
    for (let number = 15; number < 20; number += 1) looking.take(answer(number), model);
    expect(spool.stats().items).toBe(6);
  });

  it('keeps no more than the collector takes, counting what waits for its upload', async () => {
    let left: number | null = 2;
    const { made, spool } = await desk({ chance: 0, left: () => left });
    const looking = made();
    for (let number = 0; number < 5; number += 1) looking.take(answer(number), model);
    expect(spool.stats().items).toBe(2);
    left = 0;
    looking.take(answer(6), model);
    expect(spool.stats().items).toBe(2);
    left = null;
    looking.take(answer(7), model);
    expect(spool.stats().items).toBe(3);
  });

  it('keeps nothing before it knows what is wanted, nor by candidates that were counted for another policy', async () => {
    const early = await desk({ wants: () => null, chance: 0 });
    early.made().take(answer(1), model);
    const { made, spool } = await desk({ chance: 0 });
    made().take(answer(1, seen([])), model);
    expect([early.spool.stats().items, spool.stats().items]).toEqual([0, 0]);
  });

  it('counts frames and errors, but not pictures that nobody can read', async () => {
    const { made, pass } = await desk();
    const counting = made();
    expect(counting.counts).toEqual({ framesTotal: 0, inferenceErrors: 0, lastInferenceAgoMs: null });
    counting.take(answer(1), model);
    counting.take({ ok: false, frame: frame(2), error: new FrameFailedError('UnreadablePictureError', 'torn') }, model);
    counting.take({ ok: false, frame: frame(3), error: new GenerationHungError('frame', 1) }, model);
    pass(250);
    expect(counting.counts).toEqual({ framesTotal: 1, inferenceErrors: 1, lastInferenceAgoMs: 250 });
  });

  it('becomes a telemetry window of its model; another model begins another', async () => {
    const { made, windows, telemetry, pass } = await desk();
    const counting = made();
    counting.take(answer(1), model);
    pass(500);
    counting.take(answer(2), model);
    counting.take(answer(3), modelRunning({ ...running, releaseId: 'model-b' }));
    expect(windows).toHaveLength(1);
    expect(NodeTelemetry.payload.parse({ nodeId: 'n1', windows }).windows[0]).toMatchObject({
      releaseId: 'model-a',
      frames: 2,
      framesPerSecond: 4,
      latencyMs: { p50: 12 },
    });
    expect(telemetry.framesPerSecond).toBe(4);
    const stop = new AbortController();
    const ended = telemetry.run(stop.signal);
    stop.abort();
    await ended;
    expect(windows.at(-1)).toMatchObject({ releaseId: 'model-b', frames: 1 });
  });
});
