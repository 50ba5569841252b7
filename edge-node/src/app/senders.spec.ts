import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { InvalidMessageError, PublishUnknownError } from '@edgeloop/bus';
import { NodeReport } from '@edgeloop/contracts';
import type { TelemetryWindow } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { pino } from 'pino';
import { openSpool } from '../adapters/spool/spool-database.ts';
import { ReportSpool } from '../adapters/spool/report-spool.ts';
import type { Report } from '../ports.ts';
import { tempFolders } from '../adapters/temp-folder.spec-kit.ts';
import { ToldBus } from './bus.spec-kit.ts';
import { SendReports } from './send-reports.ts';
import { SendTelemetry, WINDOWS_MAX } from './send-telemetry.ts';

const folder = tempFolders();
const log = pino({ level: 'silent' });
const chance = () => 0;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function running(duty: { run(signal: AbortSignal): Promise<void> }): void {
  const stopping = new AbortController();
  const done = duty.run(stopping.signal);
  stops.push(async () => {
    stopping.abort();
    await done;
  });
}

const report = (sequence: number): Report => ({
  nodeId: 'n1',
  epoch: 'epoch-12345',
  sequence,
  at: '2026-01-01T00:00:00.000Z',
  generation: 1,
  rolloutId: null,
  releaseId: 'm-v1',
  phase: 'idle',
  outcome: null,
  reason: null,
  detail: null,
  running: null,
});

const window = (sequence: number): TelemetryWindow => ({
  nodeId: 'n1',
  epoch: 'epoch-12345',
  sequence,
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-01T00:00:01.000Z',
  releaseId: null,
  modelDigest: null,
  frames: 1,
  emptyFrames: 1,
  framesPerSecond: 1,
  inferenceErrors: 0,
  latencyMs: { p50: 1, p95: 1 },
  brightness: { mean: 0, min: 0, max: 0 },
  sharpness: { mean: 0 },
  classes: [],
});

describe('reports', () => {
  async function sender(bus: ToldBus) {
    const spool = new ReportSpool(openSpool(join(await folder(), 'spool.db'), 0).database);
    const duty = new SendReports({ bus, spool, chance, log });
    return { spool, duty };
  }

  it('wait for the bus, go out in order, and leave the spool when acknowledged', async () => {
    const bus = new ToldBus();
    bus.away = true;
    const { spool, duty } = await sender(bus);
    spool.put([report(0), report(1)]);
    running(duty);
    expect(spool.pending(9)).toHaveLength(2);
    bus.comeBack();
    await eventually(() => expect(spool.pending(9)).toEqual([]));
    expect(bus.published.map(({ id }) => id)).toEqual(['n1.epoch-12345.report.0', 'n1.epoch-12345.report.1']);
  });

  it('go out again under the same id when nobody knows whether they were stored', async () => {
    const bus = new ToldBus();
    bus.failures.push(new PublishUnknownError('s', 'id', undefined));
    const { spool, duty } = await sender(bus);
    spool.put([report(7)]);
    running(duty);
    await eventually(() => expect(bus.published.map(({ id }) => id)).toEqual(['n1.epoch-12345.report.7']));
    await eventually(() => expect(spool.pending(9)).toEqual([]));
  });

  it('that can never be sent do not hold up the others', async () => {
    const bus = new ToldBus();
    bus.failures.push(new InvalidMessageError(NodeReport, ['detail: too long']));
    const { spool, duty } = await sender(bus);
    spool.put([report(0), report(1)]);
    running(duty);
    await eventually(() => expect(spool.pending(9)).toEqual([]));
    expect(bus.published).toMatchObject([{ payload: { sequence: 1 } }]);
  });
});

describe('telemetry', () => {
  const sequencesOf = (bus: ToldBus): number[][] =>
    bus.published.map(({ payload }) => (payload as { windows: TelemetryWindow[] }).windows.map(({ sequence }) => sequence));

  it('gathers while the bus is away and goes out in batches, each window once', async () => {
    const bus = new ToldBus();
    bus.away = true;
    const duty = new SendTelemetry({ bus, nodeId: 'n1', chance, log });
    for (let sequence = 0; sequence < 130; sequence += 1) duty.add(window(sequence));
    running(duty);
    bus.comeBack();
    await eventually(() => expect(sequencesOf(bus).flat()).toHaveLength(130));
    expect(sequencesOf(bus).flat()).toEqual(Array.from({ length: 130 }, (_, index) => index));
    expect(Math.max(...sequencesOf(bus).map((batch) => batch.length))).toBeLessThanOrEqual(60);
  });

  it('sheds the oldest windows, counts them, and never changes a batch whose fate is unknown', async () => {
    const bus = new ToldBus();
    bus.failures.push(new PublishUnknownError('s', 'id', undefined));
    const duty = new SendTelemetry({ bus, nodeId: 'n1', chance, log });
    duty.add(window(0));
    running(duty);
    await eventually(() => expect(bus.failures).toEqual([]));
    for (let sequence = 1; sequence <= WINDOWS_MAX + 3; sequence += 1) duty.add(window(sequence));
    await eventually(() => expect(sequencesOf(bus).flat()).toHaveLength(WINDOWS_MAX + 1));
    expect(sequencesOf(bus)[0]).toEqual([0]);
    expect(duty.shed).toBe(3);
    expect(sequencesOf(bus).flat().at(1)).toBe(4);
  });

  it('is flushed when the agent stops', async () => {
    const bus = new ToldBus();
    const duty = new SendTelemetry({ bus, nodeId: 'n1', chance, log });
    const stopping = new AbortController();
    const done = duty.run(stopping.signal);
    stopping.abort();
    duty.add(window(5));
    await done;
    expect(sequencesOf(bus).flat()).toEqual([5]);
  });
});
