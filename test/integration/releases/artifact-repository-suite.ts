import { describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import type { ArtifactRepository } from '@edgeloop/publisher';

const bytesOf = (text: string): Buffer => Buffer.from(text);
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const CREATE = { mode: 'create', contentType: 'application/zip' } as const;
const REPLACE = { mode: 'replace', contentType: 'application/json' } as const;

/** What every artifact repository must do; `repository` is called inside of the tests. */
export function describeArtifactRepository(name: string, repository: () => ArtifactRepository): void {
  const path = (): string => `targets/${randomUUID()}/file.zip`;

  describe(`artifact repository: ${name}`, () => {
    it('gives back what was put, with digest and size', async () => {
      const at = path();
      expect(await repository().put(at, bytesOf('weights'), CREATE)).toMatchObject({ digest: digestOf('weights'), bytes: 7 });
      expect(Buffer.from(await repository().get(at, 100)).toString()).toBe('weights');
      expect(await repository().head(at)).toMatchObject({ path: at, bytes: 7 });
    });

    it('never overwrites: the same bytes again are a success, others a conflict', async () => {
      const at = path();
      await repository().put(at, bytesOf('first'), CREATE);
      expect((await repository().put(at, bytesOf('first'), CREATE)).digest).toBe(digestOf('first'));
      await expect(repository().put(at, bytesOf('other'), CREATE)).rejects.toMatchObject({
        name: 'ArtifactConflictError',
        path: at,
        retryable: false,
      });
      expect(Buffer.from(await repository().get(at, 100)).toString()).toBe('first');
    });

    it('lets one of many creators of different bytes win', async () => {
      const at = path();
      const tries = await Promise.allSettled(['a', 'b', 'c', 'd'].map(async (text) => await repository().put(at, bytesOf(text), CREATE)));
      const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value.digest] : []));
      expect(won).toHaveLength(1);
      expect(digestOf(Buffer.from(await repository().get(at, 10)).toString())).toBe(won[0]);
    });

    it('replaces where it is told to', async () => {
      const at = path();
      await repository().put(at, bytesOf('one'), REPLACE);
      await repository().put(at, bytesOf('two'), REPLACE);
      expect(Buffer.from(await repository().get(at, 100)).toString()).toBe('two');
    });

    it('says what is missing, and what is larger than the reader wants', async () => {
      const at = path();
      expect(await repository().head(at)).toBeUndefined();
      await expect(repository().get(at, 100)).rejects.toMatchObject({ name: 'ArtifactMissingError', path: at });
      await repository().put(at, bytesOf('seven b'), CREATE);
      await expect(repository().get(at, 6)).rejects.toMatchObject({ name: 'ArtifactTooLargeError', path: at });
    });

    it('lists by prefix, in order', async () => {
      const folder = `metadata-${randomUUID()}/`;
      for (const name of ['b', 'a', 'c']) await repository().put(folder + name, bytesOf(name), CREATE);
      const found: string[] = [];
      for await (const { path: at } of repository().list(folder)) found.push(at);
      expect(found).toEqual(['a', 'b', 'c'].map((name) => folder + name));
    });
  });
}
