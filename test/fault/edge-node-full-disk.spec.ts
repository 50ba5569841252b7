import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AskStartCampaign } from '@edgeloop/contracts';
import type { RolloutRelease } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { EdgeSite, PATIENCE, SITE_START_MS } from '../integration/edge-node/edge-site.ts';

const NODE = 'cam-full';
const TEST_MS = 180_000;
const DISK = '48m';

/** A small disk of its own; undefined where this machine does not let us mount one. */
function mountSmallDisk(path: string): boolean {
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`skipped: a full disk cannot be tried, this user may not mount one at ${path}\n`);
    return false;
  }
}

// Incident: logs of another program fill the card of a camera.
describe('a node whose disk is full', () => {
  let site: EdgeSite;
  let mounted = false;
  let v1: RolloutRelease;
  let v2: RolloutRelease;

  beforeAll(async () => {
    site = await EdgeSite.open();
    mounted = mountSmallDisk(site.nodeFolder(NODE));
    v1 = await site.publish({ version: 'v1' });
    v2 = await site.publish({ version: 'v2', model: { ballast: 1 } });
  }, SITE_START_MS);
  afterAll(async () => {
    await site.stopAgents();
    if (mounted) execFileSync('umount', [site.nodeFolder(NODE)]);
    await site.close();
  }, 60_000);

  const ballast = (): string => join(site.nodeFolder(NODE), 'logs-of-others');

  async function fill(leaveBytes: number): Promise<void> {
    await rm(ballast(), { force: true });
    const { bavail, bsize } = await statfs(site.nodeFolder(NODE));
    await writeFile(ballast(), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
  }

  it(
    'refuses to begin what it cannot hold, says how many bytes are missing, and goes on with what it has',
    async () => {
      if (!mounted) return;
      await site.join(NODE);
      await site.shows(NODE, { releaseId: null });
      await site.assign(NODE, v1);
      await site.shows(NODE, { releaseId: v1.releaseId });
      await fill(4_000_000);
      await site.assign(NODE, v2);
      expect(await site.outcomeOf(NODE, v2.releaseId)).toMatchObject({
        outcome: 'failed',
        reason: 'no-space',
        detail: expect.stringMatching(/\d+ bytes are needed .* free \d+ bytes/),
      });
      await site.shows(NODE, { releaseId: v1.releaseId });
    },
    TEST_MS,
  );

  it(
    'with not one byte left it keeps inferring; state and reports are not lost',
    async () => {
      if (!mounted) return;
      await fill(0);
      const policy = {
        policyId: 'all',
        rules: [{ kind: 'random' as const, name: 'any', probability: 1, perMinuteMax: 600 }],
        nearDuplicateBits: 0,
        samplesMax: null,
      };
      await site.bus.ask(AskStartCampaign, { reason: 'test', policy, nodes: { all: true }, samplesTotal: null, lastsMs: null });
      await site.assign(NODE, v2, 'rollout-second');
      const before = site.lastBeat(NODE)?.framesTotal ?? 0;
      await eventually(() => expect(site.lastBeat(NODE)?.framesTotal).toBeGreaterThan(before + 10), PATIENCE);
      expect(site.lastBeat(NODE)?.running?.releaseId).toBe(v1.releaseId);
      await rm(ballast());
      expect(await site.outcomeOf(NODE, v2.releaseId, 'rollout-second')).toMatchObject({
        outcome: expect.stringMatching(/failed|committed/),
      });
    },
    TEST_MS,
  );

  it(
    'heals when there is space again',
    async () => {
      if (!mounted) return;
      await site.assign(NODE, v2, 'rollout-third');
      await site.shows(NODE, { releaseId: v2.releaseId });
      expect(await site.outcomeOf(NODE, v2.releaseId, 'rollout-third')).toMatchObject({ outcome: 'committed' });
    },
    TEST_MS,
  );
});
