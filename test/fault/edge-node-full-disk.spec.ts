import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AskStartCampaign } from '@edgeloop/contracts';
import type { RolloutRelease } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import sharp from 'sharp';
import { EdgeSite, PATIENCE, SITE_START_MS } from '../integration/edge-node/edge-site.ts';

const NODE = 'cam-full';
const TEST_MS = 180_000;
const DISK = '48m';
const LARGE_FRAMES = 16;
const LARGE_SIDE = 1_000;

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

/** Noise, which no picture format makes small: together more than any free page of the spool holds. */
async function writeLargeFrames(folder: string): Promise<void> {
  for (let index = 0; index < LARGE_FRAMES; index += 1) {
    const raw = { width: LARGE_SIDE, height: LARGE_SIDE, channels: 3 as const };
    const picture = sharp(randomBytes(LARGE_SIDE * LARGE_SIDE * 3), { raw });
    await picture.jpeg({ quality: 95 }).toFile(join(folder, `large-${index}.jpg`));
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

  async function keepEveryFrame(): Promise<void> {
    const before = site.lastBeat(NODE)?.policyVersion ?? 0;
    const policy = {
      policyId: 'all',
      rules: [{ kind: 'random' as const, name: 'any', probability: 1, perMinuteMax: 600 }],
      nearDuplicateBits: 0,
      samplesMax: null,
    };
    await site.bus.ask(AskStartCampaign, { reason: 'test', policy, nodes: { all: true }, samplesTotal: null, lastsMs: null });
    await eventually(() => expect(site.lastBeat(NODE)?.policyVersion).toBeGreaterThan(before), PATIENCE);
  }

  async function fill(leaveBytes: number): Promise<void> {
    await rm(ballast(), { force: true });
    const { bavail, bsize } = await statfs(site.nodeFolder(NODE));
    // The node writes meanwhile: what no longer fits is what was asked for.
    await writeFile(ballast(), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes))).catch((cause: { code?: string }) => {
      if (cause.code !== 'ENOSPC') throw cause;
    });
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
    'with not one byte left it keeps inferring, counts the frames it could not keep, and loses neither state nor reports',
    async () => {
      if (!mounted) return;
      await keepEveryFrame();
      await fill(0);
      await site.assign(NODE, v2, 'rollout-second');
      await writeLargeFrames(site.frames);
      const before = site.lastBeat(NODE)?.framesTotal ?? 0;
      await eventually(() => expect(site.lastBeat(NODE)?.framesTotal).toBeGreaterThan(before + 10), PATIENCE);
      await eventually(() => expect(site.lastBeat(NODE)?.spool.shed).toBeGreaterThan(0), PATIENCE);
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
