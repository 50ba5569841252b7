import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportFrames } from '@edgeloop/worksite';
import { playTurn } from './turn/play-turn.ts';
import type { PlayedTurn } from './turn/play-turn.ts';

/** Of two rounds and a first model, all trained, on a slow and busy machine. */
const TURN_LIMIT_MS = 30 * 60_000;
const KNOWN_PHOTOS = 120;
const STREAM_PHOTOS = 150;
/** A short training: what is looked at is the way of a photo through the loop, not how good a model becomes. */
const TRAINING = { train: { epochs: 12, 'first-epochs': 3, replay: 60, 'learning-rate': 0.001, 'replace-classes': 'true' } };

let folder: string;
let turn: PlayedTurn;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-photos-'));
  await exportFrames({ folder: join(folder, 'known'), frames: KNOWN_PHOTOS, seed: 71, light: 'day' });
  await exportFrames({ folder: join(folder, 'stream'), frames: STREAM_PHOTOS, seed: 72, light: 'day' });
  turn = await playTurn(['--dataset', join(folder, 'known'), '--stream', join(folder, 'stream'), '--rounds', '2'], {
    TRAINER_PARAMETERS: JSON.stringify(TRAINING),
  });
}, TURN_LIMIT_MS);

afterAll(async () => {
  await turn.clear();
  await rm(folder, { recursive: true, force: true });
});

describe('two rounds on a folder of photos, without a model to begin with', () => {
  it('trains the first model and ends with a scorecard', () => {
    expect(turn.printed.slice(-4000)).toContain('scored on');
    expect(turn.printed).toContain('there is no model yet');
    expect(turn.status).toBe(turn.report.better.verdict ? 0 : 1);
  });

  it('turns twice, each time because of new labels that a drift had asked for', () => {
    expect(turn.report.rounds).toHaveLength(2);
    for (const round of turn.report.rounds)
      expect(round).toMatchObject({ trigger: expect.stringMatching(/new labels/), gate: expect.anything() });
    expect(turn.printed).toMatch(/Night falls[^]*left its baseline[^]*Day breaks[^]*left its baseline/);
  });

  it('goes on from what each round left in service', () => {
    const [first, second] = turn.report.rounds;
    expect(second?.incumbent.version).toBe((first?.candidate ?? first?.incumbent)?.version);
    const running = second?.candidate?.version ?? second?.incumbent.version;
    for (const node of turn.report.nodes) expect(node.running).toBe(`hardhat-${running}`);
  });

  it('learns the night in the first round', () => {
    const [first] = turn.report.rounds;
    expect(first?.gate.verdict).toBe('passed');
    expect((first?.candidate?.night ?? 0) - (first?.incumbent.night ?? 1)).toBeGreaterThan(0.05);
  });

  it('lost nothing and doubled nothing', () => {
    expect(turn.report.samples).toMatchObject({ lost: 0, doubled: 0 });
    expect(turn.report.releases).toMatchObject({ lost: 0, doubled: 0 });
  });
});
