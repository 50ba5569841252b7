import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RolloutRelease } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import type { AgentProcess } from '../integration/edge-node/agent-process.ts';
import { EdgeSite, PATIENCE, SITE_START_MS } from '../integration/edge-node/edge-site.ts';

const TEST_MS = 240_000;
/** Phases in which the agent is killed once each, as its own heartbeats and reports show them. */
const MOMENTS = ['verifying', 'downloading', 'staging', 'self-testing', 'switching', 'probing', 'committing'] as const;

// Incident: the power of a camera goes in the middle of an install. After every cut exactly one whole package is active, the trial is decided, and
// nothing is reported twice.
describe('an agent that is killed with SIGKILL in the middle of an install', () => {
  let site: EdgeSite;
  let v1: RolloutRelease;
  /** What is proven on cam-1, which goes through all the moments. */
  let running: RolloutRelease;
  let version = 1;
  let kills = 0;

  beforeAll(async () => {
    site = await EdgeSite.open();
    v1 = await site.publish({ version: 'v1' });
    running = v1;
    await (await proven('cam-1')).end('SIGTERM');
  }, SITE_START_MS);
  afterAll(() => site.close(), 60_000);

  const start = (nodeId: string): AgentProcess => site.start(site.environment(nodeId));

  async function proven(nodeId: string): Promise<AgentProcess> {
    const agent = await site.join(nodeId);
    await site.shows(nodeId, { releaseId: null });
    await site.assign(nodeId, v1);
    await site.shows(nodeId, { releaseId: v1.releaseId });
    return agent;
  }

  async function next(): Promise<RolloutRelease> {
    version += 1;
    return site.publish({ version: `v${version}`, model: { ballast: version } });
  }

  async function kill(agent: AgentProcess): Promise<void> {
    await agent.end('SIGKILL');
    kills += 1;
  }

  /** The link on the disk names a whole slot: that of the proven release or of the one on trial. */
  async function expectOneActivePackage(nodeId: string, allowed: readonly RolloutRelease[]): Promise<void> {
    const current = await site.currentSlot(nodeId);
    expect(allowed.map(({ packageDigest }) => packageDigest)).toContain(current);
    const slot = join(site.nodeFolder(nodeId), 'slots', String(current).slice('sha256:'.length));
    for (const name of ['manifest.json', 'model.onnx', 'slot-seal.json']) expect(existsSync(join(slot, name))).toBe(true);
  }

  it.each(MOMENTS)(
    'at %s: one whole package is active, and the install is brought to its end',
    async (phase) => {
      const before = running;
      const release = await next();
      const agent = start('cam-1');
      await site.shows('cam-1', { releaseId: before.releaseId });
      await site.assign('cam-1', release);
      await eventually(
        async () => {
          const reports = await site.reports('cam-1');
          expect(reports.some((report) => report.releaseId === release.releaseId && report.phase === phase)).toBe(true);
        },
        { deadlineMs: 60_000, pollMs: 5 },
      );
      await kill(agent);
      await expectOneActivePackage('cam-1', [before, release]);
      const again = start('cam-1');
      expect(await site.outcomeOf('cam-1', release.releaseId)).toMatchObject({ outcome: 'committed' });
      await site.shows('cam-1', { releaseId: release.releaseId });
      running = release;
      await eventually(async () => expect(await readdir(join(site.nodeFolder('cam-1'), 'staging'))).toEqual([]), PATIENCE);
      await expectOneActivePackage('cam-1', [release]);
      const reports = await site.reports('cam-1');
      expect(reports.filter((report) => report.releaseId === release.releaseId && report.outcome !== null)).toHaveLength(1);
      expect(new Set(reports.map(({ sequence }) => sequence)).size).toBe(reports.length);
      await kill(again);
    },
    TEST_MS,
  );

  it(
    'at any moment of an install, again and again: it always comes back with what is proven, and is decided in the end',
    async () => {
      const nodeId = 'cam-anytime';
      let agent = await proven(nodeId);
      const release = await next();
      await site.assign(nodeId, release);
      // The pauses sweep over the start of an agent and the whole install, which together last a few seconds.
      for (const pauseMs of [150, 900, 1_300, 1_700, 2_100, 2_500]) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await kill(agent);
        await expectOneActivePackage(nodeId, [v1, release]);
        agent = start(nodeId);
      }
      const { outcome } = await site.outcomeOf(nodeId, release.releaseId);
      await site.shows(nodeId, { releaseId: outcome === 'committed' ? release.releaseId : v1.releaseId });
      await expectOneActivePackage(nodeId, [outcome === 'committed' ? release : v1]);
      await agent.end('SIGTERM');
    },
    TEST_MS,
  );

  it(
    'in each of its trial starts: after the third it is rolled back, and says why',
    async () => {
      const nodeId = 'cam-trial';
      let agent = await proven(nodeId);
      await agent.end('SIGTERM');
      const release = await next();
      // A trial that needs more frames than it will get is killed while it is probing.
      const patient = site.environment(nodeId, { EDGELOOP_PROBE_FRAMES: '1000' });
      agent = site.start(patient);
      await site.assign(nodeId, release);
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        await site.shows(nodeId, { releaseId: release.releaseId, phase: 'probing' });
        await kill(agent);
        agent = site.start(patient);
      }
      expect(await site.outcomeOf(nodeId, release.releaseId)).toMatchObject({ outcome: 'rolled-back', reason: 'trial-crash' });
      await site.shows(nodeId, { releaseId: v1.releaseId });
      await expectOneActivePackage(nodeId, [v1]);
      await agent.end('SIGTERM');
    },
    TEST_MS,
  );

  it(
    'the model process alone: the proven release is loaded again, and frames go on',
    async () => {
      const nodeId = 'cam-child';
      const agent = await proven(nodeId);
      const pids = await childrenOf(agent.child.pid as number);
      expect(pids).toHaveLength(1);
      const before = site.lastBeat(nodeId)?.framesTotal ?? 0;
      process.kill(pids[0] as number, 'SIGKILL');
      kills += 1;
      await eventually(() => expect(agent.said('the model that served is lost')).toHaveLength(1), PATIENCE);
      const beat = await site.shows(nodeId, { releaseId: v1.releaseId });
      await eventually(() => expect(site.lastBeat(nodeId)?.framesTotal).toBeGreaterThan(Math.max(before, beat.framesTotal)), PATIENCE);
      await agent.end('SIGTERM');
    },
    TEST_MS,
  );

  it(
    'leaves no model process behind',
    async () => {
      const nodeId = 'cam-orphan';
      const agent = await proven(nodeId);
      const [pid] = await childrenOf(agent.child.pid as number);
      await kill(agent);
      await eventually(() => expect(existsSync(`/proc/${pid}`)).toBe(false), PATIENCE);
    },
    TEST_MS,
  );

  it('was really killed', () => {
    expect(kills).toBeGreaterThanOrEqual(2 * MOMENTS.length + 6 + 3 + 2);
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}
