import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSigner } from './keys.ts';
import { RepositorySimulator, freshKeys, type SignedBody } from './testing/repository-simulator.ts';
import { TufClient } from './tuf-client.ts';
import { metadataPath, planRenewal, planTargets } from './tuf-repository.ts';

const NOW = Date.parse('2026-11-02T00:00:00Z');
const DAY_MS = 86_400_000;
const V1 = 'hardhat/hardhat-v1.zip';
const V2 = 'hardhat/hardhat-v2.zip';

let folder: string;
let repository: RepositorySimulator;
let client: TufClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuf-'));
  repository = new RepositorySimulator(NOW);
  client = new TufClient({ folder, shippedRoot: repository.rootText });
  repository.publish(V1, Buffer.from('weights one'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const verified = async (path: string, now = NOW) => await client.verifiedTarget(path, repository, { now });
const refused = async (code: string, now = NOW) => {
  await expect(client.refresh(repository, { now })).rejects.toMatchObject({ code });
};
/** The node has seen release 1; whatever the attack was, honest metadata must work again afterwards. */
const recovers = async () => {
  repository.publish(V2, Buffer.from('weights two'));
  expect((await verified(V2)).path).toBe(V2);
};

describe('a genuine repository', () => {
  it('gives length, digest and place of a signed package', async () => {
    const target = await verified(V1);
    expect(target.bytes).toBe(11);
    expect(target.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(target.repositoryPath).toBe(`targets/hardhat/${target.digest.slice(7)}.hardhat-v1.zip`);
  });

  it('asks for no more than it needs, in the order of the specification', async () => {
    await client.refresh(repository, { now: NOW });
    expect(repository.asked).toEqual([
      'metadata/2.root.json',
      'metadata/timestamp.json',
      'metadata/2.snapshot.json',
      'metadata/2.targets.json',
    ]);
    repository.asked.length = 0;
    await client.refresh(repository, { now: NOW });
    expect(repository.asked).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  });

  it('says that nobody signed a package that is not there', async () => {
    await expect(verified('hardhat/hardhat-v9.zip')).rejects.toMatchObject({ code: 'target-unknown' });
  });

  it('follows renewed signatures and rotated keys', async () => {
    await verified(V1);
    repository.rotate('root');
    repository.rotate('timestamp');
    repository.rotate('targets');
    repository.apply(planTargets(repository.head, [], NOW));
    expect(await client.refresh(repository, { now: NOW })).toMatchObject({ root: { version: 4 }, targets: { version: 3 } });
    const later = NOW + 5 * DAY_MS;
    const renewal = planRenewal(repository.head, later);
    repository.apply(renewal as NonNullable<typeof renewal>);
    expect((await verified(V1, later + DAY_MS)).path).toBe(V1);
  });

  it('serves questions that come at once, one after the other', async () => {
    const answers = await Promise.all([verified(V1), verified(V1), verified(V1)]);
    expect(new Set(answers.map((answer) => answer.digest)).size).toBe(1);
  });
});

describe('unsigned and badly signed metadata', () => {
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    it(`refuses ${role} without signatures and by a stranger`, async () => {
      const forge = (signers: Parameters<RepositorySimulator['forge']>[1]) =>
        role === 'timestamp' ? repository.forge(metadataPath(role, 0), signers) : repository.forgeVouched(role, signers, () => undefined);
      const honest = repository.copyFiles();
      forge([]);
      await refused('metadata-signature');
      forge([newSigner()]);
      client = new TufClient({ folder: join(folder, 'fresh'), shippedRoot: repository.rootText });
      await refused('metadata-signature');
      for (const [path, bytes] of honest) repository.files.set(path, bytes);
      await recovers();
    });
  }

  it('refuses a package list that was altered after it was signed', async () => {
    const path = metadataPath('targets', 2);
    const text = repository.files.get(path)?.toString('utf8') ?? '';
    repository.files.set(path, Buffer.from(text.replace('"length": 11', '"length": 12')));
    await refused('metadata-mismatch');
  });

  it('refuses a root that the old root did not sign', async () => {
    await verified(V1);
    const stranger = new RepositorySimulator(NOW, freshKeys());
    stranger.rotate('root');
    repository.files.set(metadataPath('root', 2), stranger.files.get(metadataPath('root', 2)) as Buffer);
    await refused('metadata-signature');
    repository.files.delete(metadataPath('root', 2));
    await recovers();
  });

  it('refuses fewer signatures than the threshold, also when one key signs twice', async () => {
    const second = newSigner();
    const withTwo = (body: SignedBody): void => {
      const roles = body['roles'] as Record<string, { keyids: string[]; threshold: number }>;
      const keys = body['keys'] as Record<string, unknown>;
      keys[second.keyId] = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: second.publicKey } };
      roles['timestamp'] = { keyids: [repository.keys.timestamp.keyId, second.keyId], threshold: 2 };
    };
    repository.forge(metadataPath('root', 1), [repository.keys.root], withTwo);
    client = new TufClient({ folder, shippedRoot: repository.rootText });
    await refused('metadata-signature');
    repository.forge(metadataPath('timestamp', 0), [repository.keys.timestamp, second]);
    expect((await verified(V1)).path).toBe(V1);
  });

  it('refuses a root in which one key stands under two ids, or nobody needs to sign', () => {
    const forged = (edit: (body: SignedBody) => void): string => {
      const simulator = new RepositorySimulator(NOW);
      simulator.forge(metadataPath('root', 1), [simulator.keys.root], edit);
      return simulator.rootText;
    };
    const twice = forged((body) => {
      const keys = body['keys'] as Record<string, unknown>;
      keys['f'.repeat(64)] = Object.values(keys)[0];
    });
    expect(() => new TufClient({ folder, shippedRoot: twice })).toThrow('one key under two ids');
    for (const threshold of [0, -1, 1e9]) {
      const open = forged((body) => {
        (body['roles'] as Record<string, { threshold: number }>)['targets'] = {
          ...(body['roles'] as Record<string, object>)['targets'],
          threshold,
        };
      });
      expect(() => new TufClient({ folder, shippedRoot: open })).toThrow('threshold');
    }
  });
});

describe('rollback, freeze, mix and match', () => {
  it('refuses an older timestamp', async () => {
    const old = repository.copyFiles();
    repository.publish(V2, Buffer.from('weights two'));
    await verified(V2);
    repository.files.clear();
    for (const [path, bytes] of old) repository.files.set(path, bytes);
    await refused('metadata-rollback');
  });

  it('refuses an older snapshot that a newer timestamp vouches for, and a list that shrank', async () => {
    repository.publish(V2, Buffer.from('weights two'));
    await verified(V2);
    repository.forge(metadataPath('timestamp', 0), [repository.keys.timestamp], (body) => {
      body.version += 1;
      (body['meta'] as Record<string, { version: number }>)['snapshot.json'] = { version: 2 };
    });
    await refused('metadata-rollback');
  });

  it('calls expired metadata stale, role by role, and works again when it is renewed', async () => {
    await verified(V1);
    await expect(client.refresh(repository, { now: NOW + 8 * DAY_MS })).rejects.toMatchObject({
      code: 'metadata-expired',
      role: 'timestamp',
      retryable: true,
    });
    const renewal = planRenewal(repository.head, NOW + 8 * DAY_MS);
    repository.apply(renewal as NonNullable<typeof renewal>);
    expect((await verified(V1, NOW + 8 * DAY_MS)).path).toBe(V1);
  });

  for (const role of ['snapshot', 'targets'] as const) {
    it(`calls an expired ${role} stale although a fresh timestamp vouches for it`, async () => {
      repository.forgeVouched(role, [repository.keys[role]], (body) => (body.expires = '2026-11-03T00:00:00Z'));
      await expect(client.refresh(repository, { now: NOW + 5 * DAY_MS })).rejects.toMatchObject({ code: 'metadata-expired', role });
    });
  }

  it('sees a freeze through a clock that stands behind what is known to have passed', async () => {
    await verified(V1);
    await expect(client.refresh(repository, { now: 0, clockFloor: NOW + 8 * DAY_MS })).rejects.toMatchObject({ code: 'metadata-expired' });
    expect((await client.refresh(repository, { now: 0, clockFloor: NOW })).timestamp?.version).toBe(2);
  });

  it('refuses a snapshot from another moment', async () => {
    const before = repository.files.get(metadataPath('snapshot', 2)) as Buffer;
    repository.publish(V2, Buffer.from('weights two'));
    repository.files.set(metadataPath('snapshot', 3), before);
    await refused('metadata-mismatch');
  });
});

describe('garbage', () => {
  it('refuses dates that are none, versions that are no counting numbers, and no JSON', async () => {
    for (const edit of [
      (body: SignedBody) => (body.expires = 'never'),
      (body: SignedBody) => (body.expires = '2099'),
      (body: SignedBody) => (body.version = 1.5),
      (body: SignedBody) => (body.version = -1),
    ]) {
      repository.forge(metadataPath('timestamp', 0), [repository.keys.timestamp], edit);
      await refused('metadata-unreadable');
    }
    repository.files.set(metadataPath('timestamp', 0), Buffer.from('<html>'));
    await refused('metadata-unreadable');
    await recovers();
  });

  it('refuses a package that is signed by no digest it checks', async () => {
    repository.forgeVouched('targets', [repository.keys.targets], (body) => {
      (body['targets'] as Record<string, { hashes: unknown }>)[V1] = {
        ...(body['targets'] as Record<string, object>)[V1],
        hashes: { md5: 'ab' },
      };
    });
    await expect(verified(V1)).rejects.toMatchObject({ code: 'target-digest' });
  });

  it('refuses endless metadata from any source', async () => {
    repository.files.set(metadataPath('timestamp', 0), Buffer.alloc(20_000, ' '));
    await refused('metadata-too-large');
  });

  it('tells a file that went missing from a repository that is forged', async () => {
    repository.files.delete(metadataPath('snapshot', 2));
    await expect(client.refresh(repository, { now: NOW })).rejects.toMatchObject({ code: 'metadata-unavailable', retryable: true });
  });
});
