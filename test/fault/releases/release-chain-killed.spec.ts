import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PackageBuilt, ReleasePublished, RunCompleted } from '@edgeloop/contracts';
import { spawnGuarded, type GuardedProcess } from '@edgeloop/engines';
import { RELEASES_BUCKET } from '@edgeloop/store';
import { ProcessKiller, blockDetector, eventually } from '@edgeloop/testkit';
import type { TrustError } from '@edgeloop/trust';
import { jetstreamManager } from '@nats-io/jetstream';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BLOCK_CARD, ReleaseFixture } from '../../integration/releases/release-fixture.ts';

// Incident: the machine of a publisher loses power between two files of a release; nodes must never see metadata that does not
// fit together, and the release must be there in the end, once.
const RELEASES = 6;
/** The publisher is killed when the repository holds this many files: 4 of the first start, then 4 a release. */
const KILL_AT_FILES = [6, 11, 17];
const STOP_GRACE_MS = 5_000;
const CHAIN_DEADLINE_MS = 150_000;

let fixture: ReleaseFixture;
const running = new Map<string, GuardedProcess>();

beforeAll(async () => {
  fixture = await ReleaseFixture.start();
}, 120_000);
afterAll(async () => {
  for (const process of running.values()) await process.stop(STOP_GRACE_MS);
  await fixture?.stop();
});

async function startProgram(name: 'publisher' | 'packager'): Promise<void> {
  const main = fileURLToPath(new URL(`../../../services/${name}/dist/main.js`, import.meta.url));
  if (!existsSync(main)) throw new Error(`${main} is not there: run "npm run build" first`);
  const logPath = join(fixture.engines.dataDir, `${name}.log`);
  running.set(name, await spawnGuarded({ command: process.execPath, args: [main], env: fixture.environment(), logPath }));
}
function killer(name: string): ProcessKiller {
  return new ProcessKiller([{ name, pid: () => (running.get(name)?.isAlive() ? running.get(name)?.pid : undefined) }]);
}

async function filesInRepository(): Promise<number> {
  let files = 0;
  for await (const _ of fixture.store.list(RELEASES_BUCKET, '')) files += 1;
  return files;
}

/** Deliveries beyond the first: without any, no kill hit work under way. */
async function redeliveries(durable: string, events: number): Promise<number> {
  const manager = await jetstreamManager(fixture.bus.connection);
  const { delivered } = await manager.consumers.info('LOOP', durable);
  return delivered.consumer_seq - events;
}

/** Reads the repository as a node would, again and again, until told to stop; gives every refusal that an honest repository cannot cause. */
function watchAsNode(): { stop(): Promise<readonly string[]> } {
  const alarms: string[] = [];
  let stopped = false;
  const watch = async (): Promise<void> => {
    const node = await eventually(async () => await fixture.freshNode());
    while (!stopped) {
      const refusal = await node.refresh(await fixture.links(), { now: Date.now() }).then(
        () => undefined,
        (cause: TrustError) => cause,
      );
      // A list of links may be older than the timestamp it leads to; the node asks for a new one.
      if (refusal !== undefined && refusal.code !== 'metadata-unavailable') alarms.push(`${refusal.code}: ${refusal.message}`);
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      stopped = true;
      await watching;
      return alarms;
    },
  };
}

describe('a publisher that is killed while it publishes', () => {
  it(
    'leaves no torn repository and loses no release',
    async () => {
      await startProgram('publisher');
      const watch = watchAsNode();
      const packages = [];
      for (let index = 1; index <= RELEASES; index += 1) packages.push(await fixture.packageOf(`v${index}`, index));
      await Promise.all(packages.map(async (built) => await fixture.bus.publish(PackageBuilt, built, { id: built.packageId })));
      const kills = killer('publisher');
      for (const threshold of KILL_AT_FILES) {
        await eventually(async () => expect(await filesInRepository()).toBeGreaterThanOrEqual(threshold), {
          deadlineMs: CHAIN_DEADLINE_MS,
          pollMs: 5,
        });
        await kills.kill('publisher');
        await startProgram('publisher');
      }
      const told = await eventually(
        async () => {
          const found = await fixture.events(ReleasePublished);
          expect(new Set(found.map((release) => release.releaseId)).size).toBe(RELEASES);
          return found;
        },
        { deadlineMs: CHAIN_DEADLINE_MS },
      );
      expect(told).toHaveLength(RELEASES);
      expect(await watch.stop()).toEqual([]);
      const [node, links] = [await fixture.freshNode(), await fixture.links()];
      for (const built of packages) {
        const { version } = built.manifest.model;
        expect((await node.verifiedTarget(`blocks/blocks-${version}.zip`, links, { now: Date.now() })).digest).toBe(built.archive.digest);
      }
      expect(kills.kills).toHaveLength(KILL_AT_FILES.length);
      expect(await redeliveries('publisher-LOOP', RELEASES)).toBeGreaterThan(0);
    },
    2 * CHAIN_DEADLINE_MS,
  );
});

describe('a packager that is killed while a model is on trial', () => {
  it(
    'makes the package after all, once, and leaves no process and no files behind',
    async () => {
      await startProgram('packager');
      const model = await fixture.putModel(blockDetector({ ballast: 40 }));
      const kills = killer('packager');
      await fixture.complete('run-killed', model, { card: { ...BLOCK_CARD, version: 'v99' } });
      const work = join(fixture.engines.dataDir, 'packager');
      for (let kill = 0; kill < 2; kill += 1) {
        await eventually(async () => expect(await readdir(work)).toHaveLength(1), { deadlineMs: CHAIN_DEADLINE_MS, pollMs: 5 });
        await kills.kill('packager');
        expect(await readdir(work)).toHaveLength(1);
        await startProgram('packager');
        await eventually(async () => expect(await readdir(work)).toEqual([]), { deadlineMs: CHAIN_DEADLINE_MS, pollMs: 5 });
      }
      const built = await eventually(
        async () => {
          const found = (await fixture.events(PackageBuilt)).filter(({ runId }) => runId === 'run-killed');
          expect(found.length).toBeGreaterThan(0);
          return found;
        },
        { deadlineMs: CHAIN_DEADLINE_MS },
      );
      expect(built).toHaveLength(1);
      expect(await fixture.events(RunCompleted)).toHaveLength(1);
      await fixture.seen(ReleasePublished, ({ releaseId }) => releaseId === 'blocks-v99');
      await eventually(async () => expect(await readdir(work)).toEqual([]));
      expect(await redeliveries('packager-LOOP', 1)).toBeGreaterThan(0);
    },
    2 * CHAIN_DEADLINE_MS,
  );
});
