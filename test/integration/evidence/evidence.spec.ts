import { connectBus, type Bus } from '@edgeloop/bus';
import {
  AskField,
  HISTOGRAM_BINS,
  NodeDrifted,
  NodeSettled,
  NodeTelemetry,
  type PayloadOf,
  type TelemetryWindow,
} from '@edgeloop/contracts';
import { evidenceService } from '@edgeloop/evidence';
import { type RunningService, startService } from '@edgeloop/nest-bus';
import { createLogger } from '@edgeloop/runtime';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

const BASELINE_WINDOWS = 5;
const LONG = { deadlineMs: 30_000 };

let engines: TestEngines;
let bus: Bus;
const running: RunningService[] = [];
beforeAll(async () => {
  engines = await testEngines();
  const { NATS_URL: url = '', NATS_CREDS: path = '' } = engines.environment;
  bus = await connectBus({ service: 'test', url, creds: { path }, log: createLogger('test', 'silent') });
  await bus.provision();
});
afterEach(() => Promise.all(running.splice(0).map((service) => service.stop())));
afterAll(async () => {
  await bus.drain();
  await engines.stop();
});

async function startEvidence(): Promise<RunningService> {
  const limits = { EVIDENCE_BASELINE_WINDOWS: String(BASELINE_WINDOWS), EVIDENCE_RECENT_WINDOWS: '2', EVIDENCE_CONSECUTIVE: '2' };
  const service = await startService(evidenceService, { ...engines.environment, ...limits, LOG_LEVEL: 'error' });
  running.push(service);
  return service;
}

function window(nodeId: string, sequence: number, scene: { brightness: number; releaseId: string }): TelemetryWindow {
  const at = (step: number): string => new Date(Date.UTC(2026, 0, 1) + step * 2_000).toISOString();
  const { brightness, releaseId } = scene;
  return {
    nodeId,
    epoch: 'epoch-0001',
    sequence,
    from: at(sequence),
    to: at(sequence + 1),
    releaseId,
    modelDigest: null,
    frames: 10,
    emptyFrames: 0,
    framesPerSecond: 5,
    inferenceErrors: 0,
    latencyMs: { p50: 20, p95: 30 },
    brightness: { mean: brightness, min: brightness, max: brightness },
    sharpness: { mean: 0.02 },
    classes: [{ classId: 0, detections: 30, scoreHistogram: Array.from({ length: HISTOGRAM_BINS }, (_, bin) => (bin === 16 ? 30 : 0)) }],
  };
}

/** As a node does it: batches of two windows, each published twice. */
async function look(nodeId: string, from: number, count: number, scene: { brightness: number; releaseId: string }): Promise<void> {
  for (let first = from; first < from + count; first += 2) {
    const windows = [window(nodeId, first, scene), window(nodeId, first + 1, scene)];
    const payload: PayloadOf<typeof NodeTelemetry> = { nodeId, windows };
    await bus.publish(NodeTelemetry, payload, { id: `${nodeId}.${first}` });
    await bus.publish(NodeTelemetry, payload, { id: `${nodeId}.${first}.again` });
  }
}

const DAY = { brightness: 0.55, releaseId: 'm-v1' };
const NIGHT = { brightness: 0.15, releaseId: 'm-v1' };

async function said(nodeId: string): Promise<string[]> {
  const words: string[] = [];
  for await (const { contract, payload } of bus.history('LOOP', { subject: `evidence.v1.${nodeId}.*` })) {
    expect(payload).toMatchObject({ nodeId });
    words.push(contract.type);
  }
  return words;
}

async function windowsSeen(nodeId: string): Promise<number> {
  const { nodes } = await bus.ask(AskField, {});
  return nodes.find((node) => node.nodeId === nodeId)?.windows ?? 0;
}

describe('evidence', () => {
  it('says once that a node left its baseline and once that it settled under a new release, whoever of the replicas sees it', async () => {
    await Promise.all([startEvidence(), startEvidence()]);
    await look('n1', 0, 6, DAY);
    await look('n1', 6, 12, NIGHT);
    await eventually(async () => expect(await said('n1')).toEqual([NodeDrifted.type]), LONG);
    const drifted = await bus.lastOf(NodeDrifted, { nodeId: 'n1' });
    expect(drifted?.payload.measures).toMatchObject([{ measure: 'brightness', baseline: expect.closeTo(0.55), now: expect.closeTo(0.15) }]);
    expect(drifted?.context.causationId).toMatch(/^n1\./);
    await look('n1', 18, 20, { ...NIGHT, releaseId: 'm-v2' });
    await eventually(async () => expect(await windowsSeen('n1')).toBe(38), LONG);
    expect(await said('n1')).toEqual([NodeDrifted.type, NodeSettled.type]);
    expect((await bus.lastOf(NodeSettled, { nodeId: 'n1' }))?.payload.releaseId).toBe('m-v2');
    const { nodes, releases } = await bus.ask(AskField, {});
    expect(nodes.find((node) => node.nodeId === 'n1')).toMatchObject({ releaseId: 'm-v2', windows: 38, releaseWindows: 20 });
    expect(releases).toMatchObject([
      { releaseId: 'm-v1', nodes: 1, windows: 18, frames: 180, detectionsPerFrame: 3 },
      { releaseId: 'm-v2', nodes: 1, windows: 20, frames: 200, detectionsPerFrame: 3 },
    ]);
  });

  it('goes on where it was after a restart, and answers from what is kept', async () => {
    const first = await startEvidence();
    await look('n2', 0, 6, DAY);
    await eventually(async () => expect(await windowsSeen('n2')).toBe(6), LONG);
    await first.stop();
    await look('n2', 6, 10, NIGHT);
    await startEvidence();
    await eventually(async () => expect(await windowsSeen('n2')).toBe(16), LONG);
    expect(await said('n2')).toEqual([NodeDrifted.type]);
    const { nodes } = await bus.ask(AskField, {});
    expect(nodes.find((node) => node.nodeId === 'n2')).toMatchObject({
      releaseId: 'm-v1',
      frames: 160,
      detectionsPerFrame: 3,
      brightness: 0.15,
      framesPerSecond: 5,
      drifted: true,
    });
  });

  it('believes a node about itself only', async () => {
    await startEvidence();
    const windows = [{ ...window('n4', 0, DAY) }, { ...window('n3', 1, DAY) }];
    await bus.publish(NodeTelemetry, { nodeId: 'n3', windows }, { id: 'n3.mixed' });
    await eventually(async () => expect(await windowsSeen('n3')).toBe(1), LONG);
    expect(await windowsSeen('n4')).toBe(0);
  });
});
