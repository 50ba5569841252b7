import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AskSamples, AskStartCampaign } from '@edgeloop/contracts';
import type { PayloadOf, NodeTelemetry, RolloutRelease } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { EdgeSite, PATIENCE, SITE_START_MS } from './edge-node/edge-site.ts';
import type { AgentProcess } from './edge-node/agent-process.ts';

const NODE = 'cam-1';
const TEST_MS = 180_000;

describe('an edge node among real services', () => {
  let site: EdgeSite;
  let agent: AgentProcess;
  let usedToken = '';
  let v1: RolloutRelease;
  let v2: RolloutRelease;

  beforeAll(async () => {
    site = await EdgeSite.open();
    v1 = await site.publish({ version: 'v1' });
    v2 = await site.publish({ version: 'v2', model: { ballast: 1 } });
  }, SITE_START_MS);
  afterAll(() => site.close(), 60_000);

  it(
    'joins with a token, makes its keys itself, and runs nothing until it is told to',
    async () => {
      usedToken = await site.invite(NODE);
      agent = site.start(site.environment(NODE, { EDGELOOP_JOIN_TOKEN: usedToken }));
      const beat = await site.shows(NODE, { releaseId: null });
      expect(beat).toMatchObject({ running: null, framesTotal: 0 });
      const identity = join(site.nodeFolder(NODE), 'identity');
      for (const name of await readdir(identity)) expect((await stat(join(identity, name))).mode & 0o077).toBe(0);
    },
    TEST_MS,
  );

  it.each([
    ['a token that was used', async () => ({ EDGELOOP_JOIN_TOKEN: usedToken }), /was not let in \(token-used\)/],
    ['a token that cannot be read', async () => ({ EDGELOOP_JOIN_TOKEN: 'no token' }), /join token cannot be read/],
    ['no token', async () => ({}), /has no identity yet: set EDGELOOP_NODE_ID and EDGELOOP_JOIN_TOKEN/],
    ['no such source', async () => ({ EDGELOOP_SOURCE: 'folder:/nowhere' }), /EDGELOOP_SOURCE "folder:\/nowhere" names no folder/],
  ])(
    'a newcomer with %s ends with one line that says what to do',
    async (_what, more, line) => {
      const newcomer = site.start(site.environment('cam-newcomer', await more()));
      expect(await newcomer.exited).toBe(1);
      expect(newcomer.stderr).toMatch(line);
    },
    TEST_MS,
  );

  it(
    'the folder of another node is not taken over',
    async () => {
      const stranger = site.start({ ...site.environment(NODE), EDGELOOP_NODE_ID: 'cam-9' });
      expect(await stranger.exited).toBe(1);
      expect(stranger.stderr).toMatch(/already uses|belongs to cam-1/);
    },
    TEST_MS,
  );

  it(
    'installs the desired release, and shows the weights that the model process loaded',
    async () => {
      await site.assign(NODE, v1);
      const beat = await site.shows(NODE, { releaseId: v1.releaseId });
      expect(beat.running).toMatchObject({ modelDigest: v1.modelDigest });
      expect(await site.outcomeOf(NODE, v1.releaseId)).toMatchObject({ outcome: 'committed', reason: null });
      expect(await site.currentSlot(NODE)).toBe(v1.packageDigest);
      const phases = (await site.reports(NODE)).map((report) => report.phase);
      expect(phases).toEqual(['verifying', 'downloading', 'staging', 'self-testing', 'switching', 'probing', 'committing', 'idle']);
    },
    TEST_MS,
  );

  it(
    'answers frames and tells what it sees in telemetry windows',
    async () => {
      await eventually(async () => {
        const windows = [];
        for await (const { payload } of site.bus.history('TELEMETRY', { subject: `node.v1.${NODE}.telemetry` })) {
          windows.push(...(payload as PayloadOf<typeof NodeTelemetry>).windows);
        }
        const seen = windows.findLast((window) => window.modelDigest === v1.modelDigest && window.frames > 1);
        expect(seen).toMatchObject({ releaseId: v1.releaseId, inferenceErrors: 0, emptyFrames: 0 });
        expect(seen?.classes.map(({ classId }) => classId).toSorted()).toEqual([0, 1]);
        expect(seen?.latencyMs.p95).toBeGreaterThan(0);
        const sequences = windows.map(({ sequence }) => sequence);
        expect(new Set(sequences).size).toBe(sequences.length);
      }, PATIENCE);
      await eventually(() => expect(site.lastBeat(NODE)?.framesPerSecond).toBeGreaterThan(0), PATIENCE);
    },
    TEST_MS,
  );

  it(
    'takes the next release beside the one that serves: no frame is lost, and the old slot stays as the way back',
    async () => {
      await site.assign(NODE, v2);
      await site.shows(NODE, { releaseId: v2.releaseId });
      expect(await site.outcomeOf(NODE, v2.releaseId)).toMatchObject({ outcome: 'committed' });
      expect(await site.currentSlot(NODE)).toBe(v2.packageDigest);
      await eventually(async () => expect(await readdir(join(site.nodeFolder(NODE), 'slots'))).toHaveLength(2), PATIENCE);
      expect(site.lastBeat(NODE)?.inferenceErrors).toBe(0);
    },
    TEST_MS,
  );

  it(
    'keeps frames by policy, uploads them, and forgets them only with the receipt of the collector',
    async () => {
      const rules = [{ kind: 'random', name: 'any', probability: 1, perMinuteMax: 600 }] as const;
      const policy = { policyId: 'by-hand', rules: [...rules], nearDuplicateBits: 0, samplesMax: 12 };
      const ask = { reason: 'test', policy, nodes: { all: true as const }, samplesTotal: 12, lastsMs: null };
      const { campaignId } = await site.bus.ask(AskStartCampaign, ask);
      const accepted = await eventually(async () => {
        const { samples } = await site.bus.ask(AskSamples, { limit: 100 });
        const mine = samples.filter((sample) => sample.campaignId === campaignId);
        expect(mine.length).toBeGreaterThanOrEqual(12);
        return mine;
      }, PATIENCE);
      expect(new Set(accepted.map(({ sampleId }) => sampleId)).size).toBe(accepted.length);
      expect(accepted[0]).toMatchObject({ nodeId: NODE, rule: 'any', releaseId: v2.releaseId });
      await eventually(() => expect(site.lastBeat(NODE)?.spool).toMatchObject({ items: 0, bytes: 0, shed: 0 }), PATIENCE);
    },
    TEST_MS,
  );

  it(
    'refuses a release whose golden answers are not those of its weights; it never serves a frame',
    async () => {
      const lying = await site.publish({ version: 'v3', model: { fault: 'blind', ballast: 2 }, goldensOf: {} });
      await site.assign(NODE, lying);
      expect(await site.outcomeOf(NODE, lying.releaseId)).toMatchObject({ outcome: 'failed', reason: 'golden-mismatch' });
      await site.shows(NODE, { releaseId: v2.releaseId });
      expect(servedBy(NODE)).not.toContain(lying.modelDigest);
    },
    TEST_MS,
  );

  it(
    'refuses weights that do not load',
    async () => {
      const broken = await site.publish({ version: 'v4', modelBytes: new Uint8Array(5_000).fill(7) });
      await site.assign(NODE, broken);
      expect(await site.outcomeOf(NODE, broken.releaseId)).toMatchObject({ outcome: 'failed', reason: 'load-failed' });
      await site.shows(NODE, { releaseId: v2.releaseId });
    },
    TEST_MS,
  );

  it(
    'rejects a package whose bytes are not the signed ones',
    async () => {
      const release = await site.publish({ version: 'v5', model: { ballast: 3 } });
      const key = `targets/blocks/${release.packageDigest.slice('sha256:'.length)}.blocks-v5.zip`;
      const bytes = Buffer.from(await site.store.read({ bucket: 'releases', key }));
      bytes.writeUInt8((bytes.at(-3_000) ?? 0) ^ 0xff, bytes.length - 3_000);
      await site.store.put({ bucket: 'releases', key }, bytes, { mode: 'replace' });
      await site.assign(NODE, release);
      expect(await site.outcomeOf(NODE, release.releaseId)).toMatchObject({ outcome: 'rejected', reason: 'digest-mismatch' });
      await site.shows(NODE, { releaseId: v2.releaseId });
    },
    TEST_MS,
  );

  it(
    'rejects a release that the publisher never signed, whoever desires it',
    async () => {
      await site.assign(NODE, {
        ...v1,
        releaseId: 'blocks-v99',
        version: 'v99',
        targetPath: 'blocks/blocks-v99.zip',
        packageDigest: `sha256:${'9'.repeat(64)}`,
      });
      expect(await site.outcomeOf(NODE, 'blocks-v99')).toMatchObject({ outcome: 'rejected', reason: 'target-unknown' });
      await site.assign(NODE, { ...v1, releaseId: 'blocks-v98', version: 'v98', packageDigest: `sha256:${'8'.repeat(64)}` });
      expect(await site.outcomeOf(NODE, 'blocks-v98')).toMatchObject({ outcome: 'rejected', reason: 'target-mismatch' });
      await site.shows(NODE, { releaseId: v2.releaseId });
    },
    TEST_MS,
  );

  it(
    'goes back in its trial when the new model sees nothing where the old one saw',
    async () => {
      const blind = await site.publish({ version: 'v6', model: { fault: 'blind', ballast: 4 } });
      await site.assign(NODE, blind);
      expect(await site.outcomeOf(NODE, blind.releaseId)).toMatchObject({ outcome: 'rolled-back', reason: 'sees-nothing' });
      await site.shows(NODE, { releaseId: v2.releaseId });
      expect(await site.currentSlot(NODE)).toBe(v2.packageDigest);
    },
    TEST_MS,
  );

  it(
    'a second agent on the same folder is turned away with a clear line',
    async () => {
      const second = site.start(site.environment(NODE));
      expect(await second.exited).toBe(1);
      expect(second.stderr).toMatch(/another edge agent \(process \d+\) already uses .*EDGELOOP_NODE_DIR/);
    },
    TEST_MS,
  );

  it(
    'ends cleanly on SIGTERM, and starts from its proven slot while the bus is away',
    async () => {
      expect(await agent.end('SIGTERM')).toBe(0);
      agent = site.start({ ...site.environment(NODE), NATS_URL: 'nats://127.0.0.1:1' });
      await eventually(() => {
        expect(agent.said('step done')).toContainEqual(expect.objectContaining({ step: 'resume', releaseId: v2.releaseId }));
      }, PATIENCE);
      expect(await agent.end('SIGTERM')).toBe(0);
      agent = site.start(site.environment(NODE));
      await site.shows(NODE, { releaseId: v2.releaseId });
    },
    TEST_MS,
  );

  it(
    'stands down when nothing is desired',
    async () => {
      await site.assign(NODE, null);
      await site.shows(NODE, { releaseId: null });
      expect(await site.currentSlot(NODE)).toBeNull();
    },
    TEST_MS,
  );

  it('writes no secret to its log', async () => {
    const seed = await readFile(join(site.nodeFolder(NODE), 'identity', 'node.nk'), 'utf8');
    const sealing = JSON.parse(await readFile(join(site.nodeFolder(NODE), 'identity', 'sealing.json'), 'utf8')) as { seed: string };
    const log = JSON.stringify(agent.log);
    expect(log).not.toContain(seed);
    expect(log).not.toContain(sealing.seed);
  });

  function servedBy(nodeId: string): (string | undefined)[] {
    return (site.beats.get(nodeId) ?? []).map((beat) => beat.running?.modelDigest);
  }
});
