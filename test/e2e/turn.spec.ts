import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { playTurn } from './turn/play-turn.ts';
import type { PlayedTurn, Report } from './turn/play-turn.ts';

/** Of the demo, training included, on a slow and busy machine. */
const TURN_LIMIT_MS = 25 * 60_000;
/** Of mAP50, on frames that were never collected. */
const DAY_FALL_MAX = 0.06;
const SERVICES = 8;
const ENGINES = 2;

let turn: PlayedTurn;
let report: Report;
let printed: string;

beforeAll(async () => {
  turn = await playTurn(['--chaos']);
  ({ report, printed } = turn);
}, TURN_LIMIT_MS);

afterAll(() => turn.clear());

describe('one unattended turn of the loop, with everything killed once', () => {
  it('ends with a scorecard that calls the new model better, and with exit status 0', () => {
    expect(printed.slice(-4000)).toContain('scored on');
    expect({ better: report.better, status: turn.status }).toMatchObject({ better: { verdict: true }, status: 0 });
  });

  it('made a model that sees the night and has not forgotten the day', () => {
    const [round] = report.rounds;
    expect(round?.gate.verdict).toBe('passed');
    expect((round?.candidate?.night ?? 0) - (round?.incumbent.night ?? 1)).toBeGreaterThan(0.2);
    expect((round?.incumbent.day ?? 1) - (round?.candidate?.day ?? 0)).toBeLessThanOrEqual(DAY_FALL_MAX);
    expect(round?.candidate?.digest).not.toBe(round?.incumbent.digest);
  });

  it('was set going by drift and labels, not by the script', () => {
    expect(report.rounds[0]?.trigger).toMatch(/new labels/);
    expect(printed).toMatch(/cam-\d left its baseline/);
  });

  it('killed every service, both engines and a node', () => {
    expect(new Set((report.chaos?.killed ?? []).map((each) => each.name)).size).toBe(SERVICES + ENGINES + 1);
  });

  it('lost nothing and doubled nothing, though things were delivered again', () => {
    expect(report.samples).toMatchObject({ lost: 0, doubled: 0 });
    expect(report.samples.accepted).toBeGreaterThan(50);
    expect(report.samples.redelivered).toBeGreaterThan(0);
    expect(report.releases).toMatchObject({ published: 2, lost: 0, doubled: 0 });
  });

  it('left every node running the new release', () => {
    expect(report.nodes).toHaveLength(3);
    for (const node of report.nodes)
      expect(node).toMatchObject({ running: expect.stringMatching(/^hardhat-v[2-9]$/), frames: expect.any(Number) });
  });

  it('kept what anyone needs to score it again', async () => {
    const releases = await readdir(join(turn.kept, 'releases'));
    expect(releases).toEqual(expect.arrayContaining(['hardhat-v1.onnx', 'hardhat-v1.zip']));
    expect((await readdir(join(turn.kept, 'datasets'))).length).toBeGreaterThanOrEqual(2);
    expect(await readdir(turn.kept)).toEqual(expect.arrayContaining(['before.png', 'after.png']));
  });
});
